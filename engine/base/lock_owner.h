// SPDX-License-Identifier: GPL-2.0-or-later
//
// Who holds a lock that we cannot get: a daemon whose mount was unmounted lazily, or that is
// stopped, is not to be seen anywhere else.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "damon_statfs/fd.h"

namespace damon_statfs {

// Returns: the process that holds a flock(2) lock on a file, from the text of /proc/locks; none if
// no line says so. A process that waits for the lock has a line of another kind. file_id: as it
// stands there, MAJOR:MINOR:INODE with the device's numbers in hexadecimal of two digits or more.
std::optional<pid_t> flock_owner(std::string_view locks, std::string_view file_id);

// Returns: " (process PID)" of the process that holds a flock(2) lock on this file, for the end of
// a message; empty if the kernel does not tell, as of a process in another pid namespace.
std::string lock_owner_text(const UniqueFd& file);

}  // namespace damon_statfs
