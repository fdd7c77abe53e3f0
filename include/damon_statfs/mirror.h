// SPDX-License-Identifier: GPL-2.0-or-later
//
// A source that has statistics of its own, and a switch: the kernel's DAMON_STAT. The engine thread
// shows what it says and hands writes on, instead of monitoring by itself.
#pragma once

#include "damon_statfs/result.h"
#include "damon_statfs/snapshot.h"

namespace damon_statfs {

// Where the kernel's DAMON_STAT is; a mirror of it cannot be mounted there.
constexpr char kDamonStatDirectory[] = "/sys/module/damon_stat/parameters";

class Mirror {
 public:
  virtual ~Mirror() = default;

  // What the source says now: kOn or kOff, its kdamond's pid, its values. An Error: it is gone.
  virtual Result<Snapshot> read() = 0;

  // Hands a write of `enabled` on. May take as long as the source takes. Returns: its errno.
  virtual Result<void> write_enabled(bool on) = 0;
};

}  // namespace damon_statfs
