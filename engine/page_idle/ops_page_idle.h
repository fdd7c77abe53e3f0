// SPDX-License-Identifier: GPL-2.0-or-later
//
// ops=page_idle: page checks through /sys/kernel/mm/page_idle/bitmap (CONFIG_IDLE_PAGE_TRACKING,
// since Linux 4.3) and /proc/kpageflags.
#pragma once

#include "damon_statfs/operations_set.h"

namespace damon_statfs {

// Errors: ENODEV without the kernel files, EACCES without the rights, EBUSY while a kdamond or
// another daemon of ours uses the idle flags, of which each page has only one.
OperationsSet page_idle_operations();

}  // namespace damon_statfs
