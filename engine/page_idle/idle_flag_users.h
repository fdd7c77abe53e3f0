// SPDX-License-Identifier: GPL-2.0-or-later
//
// Every page has one idle flag, so two users of it destroy each other's results. Here it is found
// out who else is using it.
#pragma once

#include <string>

#include "damon_statfs/fd.h"
#include "damon_statfs/result.h"
#include "engine/base/kernel_files.h"
#include "engine/damon/damon_users.h"

namespace damon_statfs {

// Returns: EBUSY naming the kernel's DAMON threads that are running, if any.
Result<void> refuse_running_kdamonds(const KernelFiles& files,
                                     DamonStatUse damon_stat = DamonStatUse::kRefused);

// Takes the machine's lock for our own page_idle engines, ROOTFS/run/damon-statfs/page_idle.lock,
// for as long as the descriptor is open. Returns: EBUSY if another one holds it.
Result<UniqueFd> lock_idle_flags(const std::string& rootfs);

// The same refusal as lock_idle_flags(), without taking or making anything.
Result<void> refuse_locked_idle_flags(const std::string& rootfs);

}  // namespace damon_statfs
