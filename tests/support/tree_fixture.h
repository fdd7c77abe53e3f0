// SPDX-License-Identifier: GPL-2.0-or-later
//
// A directory that takes the place of / for the code under test. No test looks at the machine's own
// /proc or /sys.
#pragma once

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "damon_statfs/fd.h"

namespace damon_statfs::test {

class TreeFixture {
 public:
  // Files by path and content, such as {"/proc/iomem", "..."}.
  TreeFixture(std::initializer_list<std::pair<const char*, std::string>> files = {}) {
    std::string name = parent_directory() / "damon-statfs-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp " + name);
    root_ = name;
    for (const auto& [path, content] : files) write(path, content);
  }
  TreeFixture(const TreeFixture&) = delete;
  TreeFixture& operator=(const TreeFixture&) = delete;
  ~TreeFixture() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }

  const std::string& root() const { return root_; }

  void write(const std::string& path, const std::string& content) {
    make_parent(path);
    std::ofstream(root_ + path, std::ios::trunc) << content;
  }

  void remove(const std::string& path) { std::filesystem::remove(root_ + path); }

  void link(const std::string& path, const std::string& target) {
    make_parent(path);
    std::filesystem::create_symlink(target, root_ + path);
  }

  void resize(const std::string& path, uint64_t bytes) {
    make_parent(path);
    const UniqueFd fd(open((root_ + path).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0) throw std::runtime_error(path);
  }

  // Files that are arrays of 64-bit words.
  void write_words(const std::string& path, const std::vector<uint64_t>& words) {
    write(path,
          std::string(reinterpret_cast<const char*>(words.data()), words.size() * sizeof words[0]));
  }
  void set_word(const std::string& path, uint64_t index, uint64_t word) {
    const UniqueFd fd(open((root_ + path).c_str(), O_RDWR | O_CLOEXEC));
    const auto at = static_cast<off_t>(index * sizeof word);
    if (pwrite(fd.get(), &word, sizeof word, at) != sizeof word) throw std::runtime_error(path);
  }
  uint64_t word(const std::string& path, uint64_t index) const {
    const UniqueFd fd(open((root_ + path).c_str(), O_RDONLY | O_CLOEXEC));
    const auto at = static_cast<off_t>(index * sizeof(uint64_t));
    uint64_t word = 0;
    if (pread(fd.get(), &word, sizeof word, at) != sizeof word) throw std::runtime_error(path);
    return word;
  }

 private:
  // Thousands of trees take a minute on a disk and a second in memory.
  static std::filesystem::path parent_directory() {
    const char* const memory = "/dev/shm";
    return access(memory, W_OK) == 0 ? memory : std::filesystem::temp_directory_path();
  }

  void make_parent(const std::string& path) {
    std::filesystem::create_directories(std::filesystem::path(root_ + path).parent_path());
  }

  std::string root_;
};

}  // namespace damon_statfs::test
