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

namespace damon_statfs {

Result<WordFile> WordFile::open(const std::string& path, int flags, const std::string& purpose) {
  WordFile file;
  file.path_ = path;
  file.fd_ = UniqueFd(::open(path.c_str(), flags | O_CLOEXEC));
  if (file.fd_) return file;
  if (errno == ENOENT) return failure(ENODEV, fmt::format("{}: missing; {}", path, purpose));
  const int error = errno == EPERM ? EACCES : errno;
  const char* const hint = error != EACCES  ? ""
                           : geteuid() != 0 ? " (run it as root)"
                                            : " (root needs CAP_DAC_OVERRIDE if it is not root's)";
  return failure(error, fmt::format("{}: {}{}", path, std::strerror(error), hint));
}

Result<std::optional<uint64_t>> WordFile::read(uint64_t index) const {
  uint64_t word = 0;
  const auto offset = static_cast<off_t>(index * sizeof word);
  DAMON_STATFS_TRY(whole, whole_word(pread(fd_.get(), &word, sizeof word, offset), "read"));
  return whole ? std::optional<uint64_t>(word) : std::nullopt;
}

Result<bool> WordFile::write(uint64_t index, uint64_t word) const {
  const auto offset = static_cast<off_t>(index * sizeof word);
  return whole_word(pwrite(fd_.get(), &word, sizeof word, offset), "write");
}

// ENXIO: beyond the last page of memory, which may have been unplugged. EINTR: a signal to a
// debugger.
Result<bool> WordFile::whole_word(ssize_t bytes, const char* call) const {
  if (bytes >= 0) return bytes == sizeof(uint64_t);
  if (errno == ENXIO || errno == EINTR) return false;
  return errno_failure("{}: {} failed", path_, call);
}

}  // namespace damon_statfs
