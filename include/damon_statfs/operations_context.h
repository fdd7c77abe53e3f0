// SPDX-License-Identifier: GPL-2.0-or-later
//
// What an operations set is given: which memory to monitor, with which attributes, and where the
// kernel's files, the time and the log are.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "damon_statfs/attrs.h"
#include "damon_statfs/clock.h"
#include "damon_statfs/log.h"
#include "damon_statfs/region.h"

namespace damon_statfs {

// Which physical memory is monitored (mount option ram=).
struct RamSelection {
  enum class Kind { kAll, kBiggest, kSpan, kRanges };
  Kind kind = Kind::kAll;
  std::vector<AddressRange> ranges;  // kRanges only: ascending, not overlapping, not empty

  bool operator==(const RamSelection&) const = default;
};

// One part of the simulated memory (mount option sim=).
struct SimPart {
  uint64_t size_bytes = 0;
  int64_t period_ns = 0;  // every page is touched at each multiple of this; 0: never

  bool operator==(const SimPart&) const = default;
};

// What an operations set may depend on. It outlives the set.
struct OperationsContext {
  std::string rootfs;  // put before every /proc, /sys and /run path; empty on a real machine
  MonitoringAttrs attrs;
  uint64_t refresh_ms = 5'000;  // publish at the first aggregation that ends later than this
  RamSelection ram;
  std::vector<SimPart> sim;
  bool yield_damon_stat = false;     // a set that wants DAMON_STAT off switches it off meanwhile
  std::optional<pid_t> kdamond_pid;  // observe only: whose events; none: the only kdamond's
  const Clock* clock = nullptr;
  LogSink log;
};

}  // namespace damon_statfs
