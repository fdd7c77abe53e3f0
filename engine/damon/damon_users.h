// SPDX-License-Identifier: GPL-2.0-or-later
//
// Who uses the kernel's DAMON on this machine. It has no owners and few locks, so a program that
// wants to use it looks for others first.
#pragma once

#include <string>
#include <vector>

#include "damon_statfs/result.h"
#include "engine/base/kernel_files.h"

namespace damon_statfs {

// Returns: one text per kernel module that monitors, kdamond that is on in the sysfs interface and
// kdamond thread. Any of the three may be out of sight, so one user may be found more than once. An
// error if a user may have been missed.
Result<std::vector<std::string>> find_running_kdamonds(const KernelFiles& files);

// Returns: EBUSY naming every user of DAMON and every kdamond that is set up, running or not;
// another error if that cannot be found out.
Result<void> refuse_damon_users(const KernelFiles& files);

}  // namespace damon_statfs
