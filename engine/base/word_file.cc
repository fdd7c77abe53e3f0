// SPDX-License-Identifier: GPL-2.0-or-later
//
// pread and pwrite of single words, with the errors told apart that mean "no such page" and "no
// such file any more".
#include "engine/base/word_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "damon_statfs/errno_failure.h"
#include "damon_statfs/fd.h"

namespace damon_statfs {
namespace {

class OpenWordFile final : public WordFile {
 public:
  OpenWordFile(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  const std::string& path() const override { return path_; }

  Result<std::optional<uint64_t>> read(uint64_t index) const override {
    uint64_t word = 0;
    const auto offset = static_cast<off_t>(index * sizeof word);
    DAMON_STATFS_TRY(whole, whole_word(pread(fd_.get(), &word, sizeof word, offset), "read"));
    return whole ? std::optional<uint64_t>(word) : std::nullopt;
  }

  Result<bool> write(uint64_t index, uint64_t word) const override {
    const auto offset = static_cast<off_t>(index * sizeof word);
    return whole_word(pwrite(fd_.get(), &word, sizeof word, offset), "write");
  }

 private:
  // Turns what pread() or pwrite() returned into: a whole word, none, or an error. ENXIO: beyond
  // the last page of memory, which may have been unplugged. EINTR: a signal to a debugger.
  Result<bool> whole_word(ssize_t bytes, const char* call) const {
    if (bytes >= 0) return bytes == sizeof(uint64_t);
    if (errno == ENXIO || errno == EINTR) return false;
    return errno_failure("{}: {} failed", path_, call);
  }

  const UniqueFd fd_;
  const std::string path_;
};

}  // namespace

Result<std::unique_ptr<WordFile>> open_word_file(const std::string& path, WordAccess access,
                                                 const std::string& why_missing) {
  const int flags = access == WordAccess::kRead ? O_RDONLY : O_RDWR;
  UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC));
  if (fd) return std::unique_ptr<WordFile>(std::make_unique<OpenWordFile>(std::move(fd), path));
  if (errno == ENOENT) return failure(ENODEV, fmt::format("{}: missing; {}", path, why_missing));
  const int error = errno == EPERM ? EACCES : errno;
  const char* const hint = error != EACCES  ? ""
                           : geteuid() != 0 ? " (run it as root)"
                                            : " (root needs CAP_DAC_OVERRIDE if it is not root's)";
  return failure(error, fmt::format("{}: {}{}", path, std::strerror(error), hint));
}

}  // namespace damon_statfs
