// SPDX-License-Identifier: GPL-2.0-or-later
//
// The other side of status_ioctl.h. Whether it is one of our mounts is asked of the kernel first:
// anything else might not like our ioctl.
#include "mount/status_command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "damon_statfs/errno_failure.h"
#include "damon_statfs/fd.h"
#include "damon_statfs/status_ioctl.h"
#include "fs/bounded_call.h"
#include "fs/mount_table.h"
#include "mount/mountpoint.h"

namespace damon_statfs {

namespace {

constexpr int64_t kMaxAnswerMs = 5'000;

Result<std::string> request_status(const std::string& file) {
  const UniqueFd fd(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return errno_failure("{}", file);
  const auto status = std::make_unique<damon_statfs_status>();
  if (ioctl(fd.get(), DAMON_STATFS_GET_STATUS, status.get()) != 0) {
    return errno_failure("{}", file);
  }
  return std::string(status->json, strnlen(status->json, sizeof status->json));
}

}  // namespace

Result<std::string> ask_status(const std::string& path) {
  DAMON_STATFS_TRY(mountpoint, our_mountpoint(path));
  const std::string file = mountpoint + "/" + DAMON_STATFS_STATUS_FILE;
  Result<std::string> answer = call_within(kMaxAnswerMs, [&] { return request_status(file); });
  if (answer) return answer;
  const int errno_value = answer.error().code.value();
  if (means_dead(errno_value)) {
    return failure(ENOTCONN, fmt::format("{}: its daemon has died; mount it again", path));
  }
  if (errno_value == ETIMEDOUT) {
    return failure(ETIMEDOUT, fmt::format("{}: its daemon does not answer", path));
  }
  if (errno_value != ENOTTY) return answer;
  return failure(ENOTTY, fmt::format("{}: its daemon is older and tells no status", file));
}

}  // namespace damon_statfs
