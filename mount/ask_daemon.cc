// SPDX-License-Identifier: GPL-2.0-or-later
//
// The errors of calls on a FUSE mount, in words that say what became of its daemon.
#include "mount/ask_daemon.h"

#include <fmt/format.h>

#include <cerrno>

#include "fs/bounded_call.h"
#include "fs/mount_table.h"
#include "mount/mountpoint.h"

namespace damon_statfs {

Result<std::string> ask_daemon(const std::string& path, const DaemonRequest& request) {
  DAMON_STATFS_TRY(mountpoint, our_mountpoint(path));
  const std::string file = mountpoint + "/" + request.file;
  Result<std::string> answer = call_within(request.limit_ms, [&] { return request.ask(file); });
  if (answer) return answer;
  const int errno_value = answer.error().code.value();
  if (means_dead(errno_value)) {
    return failure(ENOTCONN, fmt::format("{}: its daemon has died; mount it again", path));
  }
  if (errno_value == ETIMEDOUT) {
    return failure(ETIMEDOUT, fmt::format("{}: its daemon does not answer", path));
  }
  if (errno_value != ENOTTY) return answer;
  return failure(ENOTTY, fmt::format("{}: its daemon is older and {}", file, request.if_unknown));
}

}  // namespace damon_statfs
