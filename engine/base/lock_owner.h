// SPDX-License-Identifier: GPL-2.0-or-later
//
// Who holds a lock that we cannot get: a daemon whose mount was unmounted lazily, or that is
// stopped, is not to be seen anywhere else.
#pragma once

#include <string>

#include "damon_statfs/fd.h"

namespace damon_statfs {

// Returns: " (process PID)" of the process that holds a flock(2) lock on this file, for the end of
// a message; empty if the kernel does not tell, as of a process in another pid namespace.
std::string lock_owner_text(const UniqueFd& file);

}  // namespace damon_statfs
