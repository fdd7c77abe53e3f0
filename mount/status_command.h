// SPDX-License-Identifier: GPL-2.0-or-later
//
// damon-statfs --status MOUNTPOINT: asks the daemon of a mount how it is, as a client of it.
#pragma once

#include <string>

#include "damon_statfs/result.h"

namespace damon_statfs {

// Returns: the JSON that the daemon of the mount at `path` answers. ENOTCONN if that is dead,
// ETIMEDOUT if it does not answer within some seconds, some other errno if it is none of ours or
// tells us nothing, each with one line.
Result<std::string> ask_status(const std::string& path);

}  // namespace damon_statfs
