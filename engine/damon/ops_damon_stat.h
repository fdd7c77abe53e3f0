// SPDX-License-Identifier: GPL-2.0-or-later
//
// ops=damon_stat: the kernel's own DAMON_STAT (CONFIG_DAMON_STAT, since Linux 6.17), shown as it
// is. It can only be switched through a mount, never changed by mounting or unmounting.
#pragma once

#include "damon_statfs/operations_set.h"

namespace damon_statfs {

// Errors: ENODEV on a kernel without DAMON_STAT, EACCES without the rights; those of a write are
// the kernel's, such as EBUSY while another kdamond runs.
OperationsSet damon_stat_operations();

}  // namespace damon_statfs
