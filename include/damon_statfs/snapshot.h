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
  pid_t tid = -1;       // kOn: id of the engine thread, else -1
};

// The values of /sys/module/damon_stat/parameters. All zero before the first refresh.
struct Statistics {
  uint64_t aggr_interval_us = 0;
  uint64_t estimated_memory_bandwidth_bytes_per_s = 0;
  // [p]: p percent of memory is idle for at most so long. Negative: accessed for so long.
  std::array<int64_t, 101> memory_idle_ms_percentiles{};
};

struct Snapshot {
  EngineStatus status;
  Statistics statistics;
};

}  // namespace damon_statfs
