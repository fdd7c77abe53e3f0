// SPDX-License-Identifier: GPL-2.0-or-later
//
// The flock(2) lock of an open file, which tells one process of ours at a time that something on
// the machine is its own. The kernel ends it together with the process, however that ends.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "damon_statfs/clock.h"
#include "damon_statfs/fd.h"
#include "damon_statfs/result.h"

namespace damon_statfs {

// Takes the lock for as long as the descriptor is open. path: the file's, for the error. Returns:
// false if another process holds it; errno of the system call if it cannot be known.
Result<bool> try_lock_file(const UniqueFd& file, const std::string& path);

// The same, tried again until patience_ns nanoseconds have passed since the first try. patience_ns
// is called after each try that has failed, as the answer may depend on who holds the lock.
Result<bool> lock_file(const UniqueFd& file, const std::string& path, const Clock& clock,
                       const std::function<int64_t()>& patience_ns);

}  // namespace damon_statfs
