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

// Who monitors.
struct DamonUsers {
  // One text per kernel module that monitors, kdamond that is on in the sysfs interface and kdamond
  // thread. Any of the three may be out of sight, so one user may be named more than once.
  std::vector<std::string> names;
  bool only_damon_stat = false;  // the kernel's DAMON_STAT monitors, and no other user does
};

// Whether the kernel's DAMON_STAT, where no other user monitors, is a reason to refuse.
enum class DamonStatUse { kRefused, kYields };

// Whether no user of DAMON is there but such as may be, in the sense of damon_stat.
inline bool may_start_beside(const DamonUsers& users, DamonStatUse damon_stat) {
  return users.names.empty() || (users.only_damon_stat && damon_stat == DamonStatUse::kYields);
}

// Returns: an error if a user may have been missed.
Result<DamonUsers> find_running_kdamonds(const KernelFiles& files);

// Returns: EBUSY naming every user of DAMON and every kdamond that is set up, running or not;
// another error if that cannot be found out.
Result<void> refuse_damon_users(const KernelFiles& files,
                                DamonStatUse damon_stat = DamonStatUse::kRefused);

}  // namespace damon_statfs
