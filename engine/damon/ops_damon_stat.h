// SPDX-License-Identifier: GPL-2.0-or-later
//
// ops=damon_stat: the kernel's own DAMON_STAT (CONFIG_DAMON_STAT, since Linux 6.17), shown as it
// is. It can only be switched through a mount, never changed by mounting or unmounting.
#pragma once

#include <memory>
#include <string>

#include "damon_statfs/mirror.h"
#include "damon_statfs/operations_set.h"
#include "engine/base/kernel_files.h"

namespace damon_statfs {

// Errors: ENODEV on a kernel without DAMON_STAT, EACCES without the rights; those of a write are
// the kernel's, such as EBUSY while another kdamond runs.
OperationsSet damon_stat_operations();

// What the set is made of, for any kernel's files. The context outlives the mirror.
Result<std::string> probe_damon_stat(const KernelFiles& files);
std::unique_ptr<Mirror> mirror_damon_stat(const OperationsContext& context,
                                          std::shared_ptr<const KernelFiles> files);

}  // namespace damon_statfs
