// SPDX-License-Identifier: GPL-2.0-or-later
//
// Files and directories: which writes are taken, what they make and remove. Errors are those of the
// kernels' mm/damon/sysfs.c.
#include "support/fake_kdamonds.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>

namespace damon_statfs::test {
namespace {

// As kstrtoul(): also octal and hexadecimal, at most one newline behind it.
std::optional<uint64_t> parse(std::string text) {
  if (!text.empty() && text.back() == '\n') text.pop_back();
  if (text.empty() || text[0] < '0' || text[0] > '9') return std::nullopt;
  char* end = nullptr;
  errno = 0;
  const uint64_t value = std::strtoull(text.c_str(), &end, 0);
  if (errno != 0 || *end != '\0') return std::nullopt;
  return value;
}

std::string_view parent(std::string_view path) { return path.substr(0, path.rfind('/')); }
std::string_view last_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

bool is_in_interface(std::string_view path) { return is_within(path, kKdamonds); }

// KDAMONDS/N/FILE. Returns: N.
std::optional<int> kdamond_of(std::string_view path) {
  if (!is_in_interface(path) || parent(parent(path)) != kKdamonds) return std::nullopt;
  return std::atoi(std::string(last_name(parent(path))).c_str());
}

bool is_word_of(std::string_view name, const std::string& text) {
  const std::vector<std::string> operations{"vaddr", "fvaddr", "paddr"};
  const std::vector<std::string> actions{"willneed", "cold",     "pageout",    "hugepage",
                                         "stat",     "lru_prio", "nohugepage", "lru_deprio"};
  const auto& words = name == "operations" ? operations : actions;
  return std::find(words.begin(), words.end(), text) != words.end();
}

}  // namespace

FakeKdamonds::FakeKdamonds(Kernel kernel) : kernel_(kernel) {
  if (kernel != Kernel::none) files.emplace(kKdamonds + "/nr_kdamonds", "0");
}

bool FakeKdamonds::read_locks(const std::string& path) {
  return kdamond_of(path) && (last_name(path) == "state" || last_name(path) == "pid");
}

bool FakeKdamonds::write_locks(const std::string& path) {
  return is_in_interface(path) && !is_read_only(path) &&
         (kdamond_of(path) ? last_name(path) == "state" : last_name(path).starts_with("nr_"));
}

int FakeKdamonds::read(const std::string& path, std::string& text) const {
  const auto file = files.find(path);
  if (file == files.end()) return ENOENT;
  text = file->second;
  if (!read_locks(path)) return 0;
  const RunningKdamond* const kdamond = running(*kdamond_of(path));
  if (last_name(path) == "state") {
    text = kdamond == nullptr ? "off" : "on";
  } else {
    text = std::to_string(kdamond == nullptr ? -1 : kdamond->pid);
  }
  return 0;
}

std::vector<std::string> FakeKdamonds::list(const std::string& path) const {
  std::vector<std::string> names = names_in(files, path);
  // Until Linux 6.6 this directory is empty at first, which no file tells.
  const bool is_scheme = files.contains(path + "/action");
  if (is_scheme && kernel_ < Kernel::k6_7) names.emplace_back("tried_regions");
  return names;
}

int FakeKdamonds::write(const std::string& path, const std::string& text, bool foreign) {
  const auto file = files.find(path);
  if (file == files.end()) return ENOENT;
  const std::string line = text.ends_with('\n') ? text.substr(0, text.size() - 1) : text;
  if (!is_in_interface(path)) {
    file->second = line;
    return 0;
  }
  if (is_read_only(path)) return EINVAL;
  const std::string_view name = last_name(path);
  if (name == "state") return command(*kdamond_of(path), line, foreign);
  if (name.starts_with("nr_")) return resize(path, text);
  if (name == "operations" || name == "action") {
    if (!is_word_of(name, line)) return EINVAL;
    file->second = line;
  } else if (parse(file->second)) {
    const std::optional<uint64_t> value = parse(text);
    if (!value) return EINVAL;
    file->second = std::to_string(*value);
  } else {
    file->second = line;
  }
  return 0;
}

// Any write of a count, also of the same one, makes its directories anew.
int FakeKdamonds::resize(const std::string& path, const std::string& text) {
  const std::optional<uint64_t> count = parse(text);
  const std::string_view name = last_name(path);
  if (!count || *count > INT32_MAX) return EINVAL;
  if (name == "nr_contexts" && *count > 1) return EINVAL;
  if (name == "nr_kdamonds") {
    if (nr_running() != 0) return EBUSY;
    kdamonds_.clear();
  }
  const std::string dir(parent(path));
  remove_numbered(files, dir);
  ++resized_[dir];
  files[path] = std::to_string(*count);
  for (uint64_t number = 0; number < *count; ++number) {
    const std::string made = fmt::format("{}/{}", dir, number);
    if (name == "nr_kdamonds") make_kdamond(files, made, kernel_);
    if (name == "nr_contexts") make_context(files, made, kernel_);
    if (name == "nr_targets") make_target(files, made, kernel_);
    if (name == "nr_regions") make_range(files, made);
    if (name == "nr_schemes") make_scheme(files, made, kernel_);
    if (name == "nr_filters") make_filter(files, made);
  }
  return 0;
}

uint64_t FakeKdamonds::generation(const std::string& directory) const {
  uint64_t count = 0;
  for (const auto& [resized, times] : resized_) {
    if (resized != directory && is_within(directory, resized)) count += times;
  }
  return count;
}

const RunningKdamond* FakeKdamonds::running(int index) const {
  const auto kdamond = kdamonds_.find(index);
  if (kdamond == kdamonds_.end() || !kdamond->second.running) return nullptr;
  return &*kdamond->second.running;
}

size_t FakeKdamonds::nr_running() const {
  size_t count = 0;
  for (const auto& [index, kdamond] : kdamonds_) count += kdamond.running ? 1 : 0;
  return count;
}

void FakeKdamonds::kill(int index) {
  const RunningKdamond* const kdamond = running(index);
  if (kdamond == nullptr) return;
  const std::string process = fmt::format("/proc/{}", kdamond->pid);
  std::erase_if(files, [&](const auto& file) { return is_within(file.first, process); });
  kdamonds_[index].running.reset();
}

// In a kernel thread's /proc/PID/stat the flags have the bit 0x200000.
void FakeKdamonds::add_thread(RunningKdamond& kdamond) {
  kdamond.pid = next_pid_++;
  const std::string name = fmt::format("kdamond.{}", nr_running());
  const std::string process = fmt::format("/proc/{}", kdamond.pid);
  files[process + "/comm"] = name;
  files[process + "/stat"] = fmt::format(
      "{} ({}) S 2 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 57 0 0", kdamond.pid, name);
}

std::string FakeKdamonds::context_dir(int index) const {
  return kKdamonds + "/" + std::to_string(index) + "/contexts/0";
}

uint64_t FakeKdamonds::number(const std::string& path) const {
  const auto file = files.find(path);
  return file == files.end() ? 0 : parse(file->second).value_or(0);
}

}  // namespace damon_statfs::test
