// SPDX-License-Identifier: GPL-2.0-or-later
//
// Small text files of /proc, /sys and /run, one value each, as the kernel's DAMON is read and told
// things. Behind an interface, so that a test can take the place of the kernel.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "damon_statfs/clock.h"
#include "damon_statfs/fd.h"
#include "damon_statfs/result.h"
#include "engine/base/word_file.h"

namespace damon_statfs {

// A file below a directory, and what it holds or is to hold.
struct NamedText {
  std::string name;
  std::string text;
};

class KernelFiles {
 public:
  virtual ~KernelFiles() = default;

  // Paths are absolute, as on a real machine. Errors name the path.

  // Returns: the content without its final newline, at most 64 KiB.
  virtual Result<std::string> read(const std::string& path) const = 0;

  // The same for one of the few files that are read about every second: it may be kept open. How
  // many there are must not grow with what is set up.
  virtual Result<std::string> read_again(const std::string& path) const { return read(path); }

  // Writes the text with one write(2) into a file that exists.
  virtual Result<void> write(const std::string& path, const std::string& text) const = 0;

  // Writes many files below a directory, which is looked up once. If it is removed meanwhile, even
  // if another one of that name is made: ENOENT, or the like.
  virtual Result<void> write_below(const std::string& directory,
                                   std::span<const NamedText> texts) const;

  // Returns: the names in a directory in no order.
  virtual Result<std::vector<std::string>> list(const std::string& path) const = 0;

  // The same as read() for a file that may be long.
  virtual Result<std::string> read_whole(const std::string& path) const { return read(path); }

  // Whether write() would be let at the file; EROFS where /sys is read-only, as in containers.
  // Writes nothing.
  virtual Result<void> check_writable(const std::string& /*path*/) const {
    return outcome::success();
  }

  // Returns: the number of the kind of file system that a file is in, statfs(2).
  virtual Result<uint64_t> filesystem_kind(const std::string& path) const;

  // Returns: the number by which the kernel knows the file, stat(2).
  virtual Result<uint64_t> inode(const std::string& path) const;

  // Opens a file of 64-bit words. lacks: as for why_missing(). Errors as of open_word_file().
  virtual Result<std::unique_ptr<WordFile>> open_words(const std::string& path, WordAccess access,
                                                       std::string_view lacks) const;

  // The name that the file has for other programs on this machine, for messages.
  virtual std::string name_of(const std::string& path) const { return path; }
};

// The files of the running system, or those below `rootfs`. For one thread.
class RootedKernelFiles final : public KernelFiles {
 public:
  explicit RootedKernelFiles(std::string rootfs) : rootfs_(std::move(rootfs)) {}
  Result<std::string> read(const std::string& path) const override;
  Result<std::string> read_again(const std::string& path) const override;
  Result<void> write(const std::string& path, const std::string& text) const override;
  Result<void> write_below(const std::string& directory,
                           std::span<const NamedText> texts) const override;
  Result<std::vector<std::string>> list(const std::string& path) const override;
  Result<std::string> read_whole(const std::string& path) const override;
  Result<void> check_writable(const std::string& path) const override;
  Result<uint64_t> filesystem_kind(const std::string& path) const override;
  Result<uint64_t> inode(const std::string& path) const override;
  Result<std::unique_ptr<WordFile>> open_words(const std::string& path, WordAccess access,
                                               std::string_view lacks) const override;
  std::string name_of(const std::string& path) const override { return rootfs_ + path; }

 private:
  UniqueFd open_file(const std::string& path, int flags) const;

  const std::string rootfs_;
  mutable std::map<std::string, UniqueFd> kept_;
};

// The decimal number that a file consists of. again: as for read_again().
// Returns: EIO if it is something else.
Result<uint64_t> read_number(const KernelFiles& files, const std::string& path, bool again = false);

// Whether a FUSE file system, such as a mount of ours, shows this file in the kernel's place.
bool is_on_fuse(const KernelFiles& files, const std::string& path);

// What to say of a file of /sys or /proc that is not there: `lacks`, which is what the kernel lacks
// then, unless nothing at all is there.
std::string why_missing(const KernelFiles& files, const std::string& path, std::string_view lacks);

// Whether a Result failed with this errno.
template <class T>
bool failed_with(const Result<T>& result, int errno_value) {
  return !result && result.error().code.value() == errno_value;
}

// Whether it failed because the file, or the process whose file it is, is not there or has just
// gone away. That is an answer; after any other failure nothing is known.
template <class T>
bool is_missing(const Result<T>& result) {
  return failed_with(result, ENOENT) || failed_with(result, ENOTDIR) ||
         failed_with(result, ESRCH) || failed_with(result, ENODEV);
}

// Whether it failed for want of rights.
template <class T>
bool is_forbidden(const Result<T>& result) {
  return failed_with(result, EACCES) || failed_with(result, EPERM);
}

// Returns: the names in a directory, none if it is not there.
Result<std::vector<std::string>> list_if_there(const KernelFiles& files, const std::string& path);

// Returns: a file's content, none if it is not there.
Result<std::optional<std::string>> read_if_there(const KernelFiles& files, const std::string& path);

// Runs call() until it fails with something else than this errno, or not at all, for limit_ns at
// most. Returns: what the last call returned. The pause is short, as what is in the way may be gone
// for an instant only: another program may have DAMON's files do one thing after the other.
template <class Call>
auto retry_failing(int errno_value, const Clock& clock, int64_t limit_ns, const Call& call) {
  const int64_t end_ns = clock.now_ns() + limit_ns;
  for (;;) {
    auto result = call();
    const int64_t now_ns = clock.now_ns();
    if (!failed_with(result, errno_value) || now_ns >= end_ns) return result;
    clock.wait_until(std::min(now_ns + kNsPerMs, end_ns), -1);
  }
}

// The same for EBUSY: DAMON's sysfs interface has one lock, and says EBUSY while another program
// holds it.
template <class Call>
auto retry_busy(const Clock& clock, int64_t limit_ns, const Call& call) {
  return retry_failing(EBUSY, clock, limit_ns, call);
}

}  // namespace damon_statfs
