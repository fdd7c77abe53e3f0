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

#include "damon_statfs/fd.h"
#include "damon_statfs/status_ioctl.h"
#include "mount/mountpoint.h"

namespace damon_statfs {

Result<std::string> ask_status(const std::string& path) {
  DAMON_STATFS_TRY(mountpoint, our_mountpoint(path));
  const std::string file = mountpoint + "/" + DAMON_STATFS_STATUS_FILE;
  const auto refuse = [&]() {
    const int errno_value = errno == ECONNABORTED ? ENOTCONN : errno;
    if (errno_value == ENOTCONN) {
      return failure(ENOTCONN, fmt::format("{}: its daemon has died; mount it again", path));
    }
    const char* const why = errno_value == ENOTTY ? "its daemon is older and tells no status"
                                                  : std::strerror(errno_value);
    return failure(errno_value, fmt::format("{}: {}", file, why));
  };
  const UniqueFd fd(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return refuse();
  const auto status = std::make_unique<damon_statfs_status>();
  if (ioctl(fd.get(), DAMON_STATFS_GET_STATUS, status.get()) != 0) return refuse();
  return std::string(status->json, strnlen(status->json, sizeof status->json));
}

}  // namespace damon_statfs
