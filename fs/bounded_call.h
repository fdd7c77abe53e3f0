// SPDX-License-Identifier: GPL-2.0-or-later
//
// A system call that asks another program's FUSE mount can wait for ever: its daemon may be
// stopped. No signal but a fatal one ends that, so such calls are made by a child process.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "damon_statfs/result.h"

namespace damon_statfs {

// Runs `call` in a child process, whose only descriptor is the way back. The child is killed after
// limit_ms. Returns: what `call` has returned, ETIMEDOUT if it has not, or why there is no child.
// Precondition: `call` does not allocate memory if this process has other threads.
Result<std::string> call_within(int64_t limit_ms, const std::function<Result<std::string>()>& call);

}  // namespace damon_statfs
