// SPDX-License-Identifier: GPL-2.0-or-later
//
// The kdamond of a daemon that was killed goes on without a reader. It is found by what its owner
// has recorded of it, and stopped by the next one of ours.
#pragma once

#include <string>

#include "damon_statfs/operations_context.h"
#include "engine/base/kernel_files.h"
#include "engine/damon/kdamond_record.h"

namespace damon_statfs {

// Whether what is set up in DAMON's sysfs interface now is what `record` says.
bool is_orphan(const OperationsContext& context, const KernelFiles& files,
               const KdamondRecord& record);

// Stops the recorded kdamonds that are on, unstages them, and clears the record. What has come to
// be another program's is left alone. Returns: EBUSY if another program holds the interface all the
// time.
Result<void> stop_orphan(const OperationsContext& context, const KernelFiles& files,
                         const KdamondRecord& record);

// The same for the time before a mount: logs why it cannot. Does nothing while the daemon that owns
// the record lives.
void stop_orphaned_kdamond(const OperationsContext& context, const KernelFiles& files);

}  // namespace damon_statfs
