// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the engine tells the filesystem: its state and the latest statistics. One Snapshot is always
// passed as a whole, so a reader never sees numbers of two moments mixed.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>

namespace damon_statfs {

enum class EngineState { kOff, kStarting, kOn };

struct EngineStatus {
  EngineState state = EngineState::kOff;
  int errno_value = 0;  // kOff: why the engine could not start or died; 0 when it was stopped
  pid_t tid = -1;       // kOn: id of the thread that samples, ours or the kernel's, else -1
  uint64_t max_close_ms = 1'500;  // how long a stop may take without hanging

  // A mirror is running: the state is its source's, and errno_value that of the last write handed
  // on, the `forwarded`th since the start.
  bool mirrors = false;
  uint64_t forwarded = 0;

  bool operator==(const EngineStatus&) const = default;
};

// The values of /sys/module/damon_stat/parameters. All zero before the first refresh.
struct Statistics {
  uint64_t aggr_interval_us = 0;
  uint64_t estimated_memory_bandwidth_bytes_per_s = 0;
  // [p]: p percent of memory is idle for at most so long. Negative: accessed for so long.
  std::array<int64_t, 101> memory_idle_ms_percentiles{};

  bool operator==(const Statistics&) const = default;
};

struct Snapshot {
  EngineStatus status;
  Statistics statistics;

  bool operator==(const Snapshot&) const = default;
};

}  // namespace damon_statfs
