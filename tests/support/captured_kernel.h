// SPDX-License-Identifier: GPL-2.0-or-later
//
// What tests/vm/capture has found on a real kernel, by state: the files with modes and contents. A
// fake kernel, and what is said of one, can be held against it.
#pragma once

#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>

namespace damon_statfs::test {

struct CapturedFile {
  unsigned mode = 0;
  std::string content;

  bool is_writable() const { return (mode & 0222) != 0; }

  // As KernelFiles reads it.
  std::string text() const {
    return content.ends_with('\n') ? content.substr(0, content.size() - 1) : content;
  }
};

// By absolute path; that of a directory ends in a slash.
using CapturedFiles = std::map<std::string, CapturedFile>;

class CapturedKernel {
 public:
  // name: of a file in tests/data/kernels, such as 6.12.
  explicit CapturedKernel(const std::string& name) {
    const std::string path = std::string(DAMON_STATFS_TEST_DATA) + "/kernels/" + name + ".txt";
    std::ifstream file(path);
    CapturedFiles* state = nullptr;
    for (std::string line; std::getline(file, line);) {
      if (line.starts_with(kState)) {
        state = &states_[line.substr(kState.size())];
      } else if (!line.starts_with('#')) {
        if (state == nullptr) throw std::runtime_error(path + ": a file of no state: " + line);
        add(*state, line);
      }
    }
    if (state == nullptr) throw std::runtime_error(path + ": no capture");
  }

  // After a boot. Returns: nothing if the kernel has none of the files.
  CapturedFiles untouched() const { return state("untouched"); }

  // With one context, target and scheme and two ranges, all as the kernel makes them.
  CapturedFiles one_context() const { return state("one-context"); }

 private:
  static constexpr std::string_view kState = "# state ";

  CapturedFiles state(const std::string& name) const {
    const auto files = states_.find(name);
    return files == states_.end() ? CapturedFiles() : files->second;
  }

  // MODE PATH<TAB>CONTENT, or MODE DIRECTORY/.
  static void add(CapturedFiles& files, const std::string& line) {
    const size_t space = line.find(' ');
    const size_t tab = line.find('\t');
    const std::string path = line.substr(space + 1, tab - space - 1);
    if (space == std::string::npos || (tab == std::string::npos) != path.ends_with('/')) {
      throw std::runtime_error("neither a file nor a directory: " + line);
    }
    CapturedFile& file = files[path];
    file.mode = static_cast<unsigned>(std::stoul(line.substr(0, space), nullptr, 8));
    if (tab != std::string::npos) file.content = unescaped(line.substr(tab + 1));
  }

  static std::string unescaped(const std::string& text) {
    std::string plain;
    for (size_t i = 0; i < text.size(); ++i) {
      const char next = text[i] == '\\' && i + 1 < text.size() ? text[i + 1] : '\0';
      if (next == 'n' || next == 't') ++i;
      plain += next == 'n' ? '\n' : next == 't' ? '\t' : text[i];
    }
    return plain;
  }

  std::map<std::string, CapturedFiles> states_;
};

}  // namespace damon_statfs::test
