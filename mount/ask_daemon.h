// SPDX-License-Identifier: GPL-2.0-or-later
//
// How a command asks the daemon of a mount: by an ioctl on one of the mount's files.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "damon_statfs/result.h"

namespace damon_statfs {

struct DaemonRequest {
  const char* file;                                            // the name in the mount
  int64_t limit_ms;                                            // for the answer
  std::function<Result<std::string>(const std::string&)> ask;  // makes the call on that path
  const char* if_unknown;  // what to say where a daemon does not know the ioctl
};

// Asks the daemon of the mount at `path`. Whether it is one of our mounts is asked of the kernel
// first: anything else might not like our ioctl. Returns: its answer; ENOTCONN or ETIMEDOUT if
// there is none, ENOTTY if it is older than the request.
Result<std::string> ask_daemon(const std::string& path, const DaemonRequest& request);

}  // namespace damon_statfs
