// SPDX-License-Identifier: GPL-2.0-or-later
//
// The other side of status_ioctl.h.
#include "mount/status_command.h"

#include <fcntl.h>
#include <sys/ioctl.h>

#include <cstring>
#include <memory>

#include "damon_statfs/errno_failure.h"
#include "damon_statfs/fd.h"
#include "damon_statfs/status_ioctl.h"
#include "mount/ask_daemon.h"

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
  return ask_daemon(path,
                    {DAMON_STATFS_STATUS_FILE, kMaxAnswerMs, request_status, "tells no status"});
}

}  // namespace damon_statfs
