// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the engine thread does with a mirror: it shows what the mirror says, and hands writes of
// `enabled` on to it.
#pragma once

#include "damon_statfs/mirror.h"
#include "damon_statfs/operations_context.h"
#include "damon_statfs/result.h"
#include "engine/commands.h"
#include "engine/publisher.h"

namespace damon_statfs {

// Runs until a stop has come. Returns: why the mirror is gone.
Result<void> run_mirror(Mirror& mirror, const OperationsContext& context, Commands& commands,
                        Publisher& publisher);

}  // namespace damon_statfs
