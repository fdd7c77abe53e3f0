// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which memory a kdamond is given: what the mount monitors, in whole pages.
#pragma once

#include <vector>

#include "damon_statfs/operations_context.h"
#include "damon_statfs/result.h"
#include "engine/base/kernel_files.h"

namespace damon_statfs {

// The monitored ranges as a kdamond takes them: ascending, apart, multiples of the page size.
// Errors as monitored_ranges().
Result<std::vector<AddressRange>> kdamond_ranges(const OperationsContext& context,
                                                 const KernelFiles& files);

}  // namespace damon_statfs
