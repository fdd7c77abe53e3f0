// SPDX-License-Identifier: GPL-2.0-or-later
//
// Plain open, read or write, close. A value is written whole or not at all: the kernel takes each
// write(2) as one value.
#include "engine/base/kernel_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <limits>
#include <memory>
#include <string_view>

#include "damon_statfs/errno_failure.h"
#include "engine/base/text.h"

namespace damon_statfs {
namespace {

constexpr size_t kMaxBytes = 64 << 10;

struct DirectoryCloser {
  void operator()(DIR* directory) const { closedir(directory); }
};

// Reads to the end. read_part(buffer, size, used): as read(2), with `used` bytes read before.
template <class ReadPart>
Result<std::string> read_text(const std::string& path, size_t max_bytes,
                              const ReadPart& read_part) {
  std::string text(4096, '\0');
  size_t used = 0;
  for (;;) {
    const ssize_t bytes = read_part(text.data() + used, text.size() - used, used);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return errno_failure("{}", path);
    used += static_cast<size_t>(bytes);
    if (bytes == 0 || used >= max_bytes) break;
    if (used == text.size()) text.resize(2 * used);
  }
  text.resize(used);
  if (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

Result<std::string> read_from_start(const UniqueFd& fd, const std::string& path) {
  return read_text(path, kMaxBytes, [&](char* buffer, size_t size, size_t used) {
    return pread(fd.get(), buffer, size, static_cast<off_t>(used));
  });
}

// Writes it with one write(2). Returns: whether that was done; else errno says why not.
bool write_text(const UniqueFd& fd, const std::string& text) {
  ssize_t bytes;
  do {
    bytes = ::write(fd.get(), text.data(), text.size());
  } while (bytes < 0 && errno == EINTR);
  return bytes >= 0;
}

// The failure of opening a file, with errno's text. Root without its capabilities is refused what
// is not root's, which is unexpected.
auto open_failure(const std::string& path) {
  auto failed = errno_failure("{}", path);
  if (geteuid() == 0 && failed.error().code.value() == EACCES) {
    failed.error().context += " (it is not root's, and this process has no CAP_DAC_OVERRIDE)";
  }
  return failed;
}

}  // namespace

Result<uint64_t> KernelFiles::filesystem_kind(const std::string& path) const {
  return failure(ENOSYS, fmt::format("{}: the file system is not known", path));
}

Result<uint64_t> KernelFiles::inode(const std::string& path) const {
  return failure(ENOSYS, fmt::format("{}: the inode is not known", path));
}

Result<std::unique_ptr<WordFile>> KernelFiles::open_words(const std::string& path, WordAccess,
                                                          std::string_view lacks) const {
  return failure(ENODEV, fmt::format("{}: missing; {}", path, lacks));
}

Result<void> KernelFiles::write_below(const std::string& directory,
                                      std::span<const NamedText> texts) const {
  for (const NamedText& text : texts) {
    BOOST_OUTCOME_TRYV(write(directory + "/" + text.name, text.text));
  }
  return outcome::success();
}

UniqueFd RootedKernelFiles::open_file(const std::string& path, int flags) const {
  return UniqueFd(::open((rootfs_ + path).c_str(), flags | O_CLOEXEC));
}

Result<std::string> RootedKernelFiles::read(const std::string& path) const {
  const UniqueFd fd = open_file(path, O_RDONLY);
  if (!fd) return open_failure(path);
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
  fd = open_file(path, O_RDONLY);
  if (!fd) return open_failure(path);
  return read_from_start(fd, path);
}

Result<std::string> RootedKernelFiles::read_whole(const std::string& path) const {
  const UniqueFd fd = open_file(path, O_RDONLY);
  if (!fd) return errno_failure("{}", name_of(path));
  return read_text(
      name_of(path), std::numeric_limits<size_t>::max(),
      [&](char* buffer, size_t size, size_t) { return ::read(fd.get(), buffer, size); });
}

Result<void> RootedKernelFiles::write(const std::string& path, const std::string& text) const {
  const UniqueFd fd = open_file(path, O_WRONLY);
  if (!fd) return open_failure(path);
  if (!write_text(fd, text)) return errno_failure("{}", path);
  return outcome::success();
}

Result<void> RootedKernelFiles::write_below(const std::string& directory,
                                            std::span<const NamedText> texts) const {
  const UniqueFd at = open_file(directory, O_PATH | O_DIRECTORY);
  if (!at) return open_failure(directory);
  for (const NamedText& text : texts) {
    const UniqueFd fd(openat(at.get(), text.name.c_str(), O_WRONLY | O_CLOEXEC));
    if (!fd) return open_failure(directory + "/" + text.name);
    if (!write_text(fd, text.text)) return errno_failure("{}/{}", directory, text.name);
  }
  return outcome::success();
}

// Not std::filesystem: incrementing its iterators ends the program when there is no memory.
Result<std::vector<std::string>> RootedKernelFiles::list(const std::string& path) const {
  const std::unique_ptr<DIR, DirectoryCloser> directory(opendir((rootfs_ + path).c_str()));
  if (!directory) return errno_failure("{}", path);
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* const entry = readdir(directory.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return errno_failure("{}", path);
  return names;
}

Result<uint64_t> RootedKernelFiles::filesystem_kind(const std::string& path) const {
  struct statfs info {};
  if (statfs((rootfs_ + path).c_str(), &info) != 0) return errno_failure("{}", path);
  return static_cast<uint64_t>(info.f_type);
}

Result<uint64_t> RootedKernelFiles::inode(const std::string& path) const {
  struct stat info {};
  if (stat((rootfs_ + path).c_str(), &info) != 0) return errno_failure("{}", name_of(path));
  return static_cast<uint64_t>(info.st_ino);
}

Result<std::unique_ptr<WordFile>> RootedKernelFiles::open_words(const std::string& path,
                                                                WordAccess access,
                                                                std::string_view lacks) const {
  return open_word_file(name_of(path), access, why_missing(*this, path, lacks));
}

bool is_on_fuse(const KernelFiles& files, const std::string& path) {
  const Result<uint64_t> kind = files.filesystem_kind(path);
  return kind && kind.value() == FUSE_SUPER_MAGIC;
}

Result<void> RootedKernelFiles::check_writable(const std::string& path) const {
  if (!open_file(path, O_WRONLY)) return open_failure(path);
  return outcome::success();
}

std::string why_missing(const KernelFiles& files, const std::string& path, std::string_view lacks) {
  const std::string top = path.substr(0, path.find('/', 1));
  const Result<std::vector<std::string>> names = list_if_there(files, top);
  if (names && names.value().empty()) return fmt::format("{} is not mounted", top);
  return std::string(lacks);
}

Result<std::vector<std::string>> list_if_there(const KernelFiles& files, const std::string& path) {
  Result<std::vector<std::string>> names = files.list(path);
  if (is_missing(names)) return std::vector<std::string>();
  return names;
}

Result<std::optional<std::string>> read_if_there(const KernelFiles& files,
                                                 const std::string& path) {
  Result<std::string> text = files.read(path);
  if (is_missing(text)) return std::optional<std::string>();
  if (!text) return text.as_failure();
  return std::optional<std::string>(std::move(text.value()));
}

Result<uint64_t> read_number(const KernelFiles& files, const std::string& path, bool again) {
  DAMON_STATFS_TRY(text, again ? files.read_again(path) : files.read(path));
  const auto number = parse_number<uint64_t>(text);
  if (number) return *number;
  return failure(EIO, fmt::format("{}: \"{}\" is not a number", path, text.substr(0, 40)));
}

}  // namespace damon_statfs
