// SPDX-License-Identifier: GPL-2.0-or-later
//
// ops=sim: simulated physical memory of known hotness, of any size at constant cost. It is for
// trying things out, for tests and for benchmarks.
#pragma once

#include "damon_statfs/operations_set.h"

namespace damon_statfs {

// Memory of context.sim's parts, laid out from address 0 in their order. Every page of a part is
// touched at each multiple of its period on the monotonic clock.
OperationsSet sim_operations();

}  // namespace damon_statfs
