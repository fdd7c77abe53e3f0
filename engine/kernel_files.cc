// SPDX-License-Identifier: GPL-2.0-or-later
//
// Plain open, read or write, close. A value is written whole or not at all: the kernel takes each
// write(2) as one value.
#include "engine/kernel_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <cstring>
#include <filesystem>

namespace damon_statfs {
namespace {

constexpr size_t kMaxBytes = 64 << 10;

auto file_failure(const std::string& path) {
  const int errno_value = errno;
  return failure(errno_value, fmt::format("{}: {}", path, std::strerror(errno_value)));
}

Result<std::string> read_from_start(const UniqueFd& fd, const std::string& path) {
  std::string text(4096, '\0');
  size_t used = 0;
  for (;;) {
    const ssize_t bytes =
        pread(fd.get(), text.data() + used, text.size() - used, static_cast<off_t>(used));
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return file_failure(path);
    used += static_cast<size_t>(bytes);
    if (bytes == 0 || used >= kMaxBytes) break;
    if (used == text.size()) text.resize(2 * used);
  }
  text.resize(used);
  if (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace

Result<std::string> RootedKernelFiles::read(const std::string& path) const {
  const UniqueFd fd(::open((rootfs_ + path).c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return file_failure(path);
  return read_from_start(fd, path);
}

// Half of what reading a sysfs file costs is finding it.
Result<std::string> RootedKernelFiles::read_again(const std::string& path) const {
  UniqueFd& fd = kept_[path];
  if (fd) {
    Result<std::string> text = read_from_start(fd, path);
    if (!failed_with(text, ENODEV)) return text;
  }
  // Not open yet, or the directory that it was in is gone; there may be another of that name.
  fd = UniqueFd(::open((rootfs_ + path).c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return file_failure(path);
  return read_from_start(fd, path);
}

Result<void> RootedKernelFiles::write(const std::string& path, const std::string& text) const {
  const UniqueFd fd(::open((rootfs_ + path).c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd) return file_failure(path);
  ssize_t bytes;
  do {
    bytes = ::write(fd.get(), text.data(), text.size());
  } while (bytes < 0 && errno == EINTR);
  if (bytes < 0) return file_failure(path);
  return outcome::success();
}

std::vector<std::string> RootedKernelFiles::list(const std::string& path) const {
  std::vector<std::string> names;
  std::error_code unreadable;
  std::filesystem::directory_iterator entry(rootfs_ + path, unreadable);
  for (; !unreadable && entry != std::filesystem::directory_iterator();
       entry.increment(unreadable)) {
    names.push_back(entry->path().filename());
  }
  return names;
}

Result<uint64_t> read_number(const KernelFiles& files, const std::string& path, bool again) {
  DAMON_STATFS_TRY(text, again ? files.read_again(path) : files.read(path));
  uint64_t number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && rest == text.data() + text.size()) return number;
  return failure(EIO, fmt::format("{}: \"{}\" is not a number", path, text.substr(0, 40)));
}

}  // namespace damon_statfs
