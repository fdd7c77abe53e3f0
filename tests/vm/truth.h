// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a reading ought to say, computed from the workload's own record and the machine's memory
// map. Memory that the workload does not hold is taken as idle: nothing else runs in the guest.
#pragma once

#include <cstdint>
#include <string>

#include "workload_state.h"

namespace guest_test {

// Bytes of "System RAM" in /proc/iomem; with `span` everything from the first to the last of them,
// holes included, which is what the kernel's DAMON_STAT monitors from 7.0 on.
int64_t system_ram_bytes(bool span, const std::string& iomem = "/proc/iomem");

struct Truth {
  double under_1s = 0;  // percent of the monitored memory
  double under_6s = 0;
  double touched = 0;     // the hot and warm parts together: nothing else may count as accessed
  double warm_age_s = 0;  // since the last warm pass
  size_t cold_index = 0;  // percentile in the middle of the cold part, were it sorted first
  size_t untouched_index = 0;  // percentile in the middle of all memory but the hot and warm parts
  int64_t cold_idle_ms = 0;    // since its last touch, or since monitoring began if that was later
};

// The truth at the time `now_ns`. The cold part and the free memory have been idle since the same
// moment, so nothing in a reading tells one from the other: both indexes have the same truth.
Truth truth_at(int64_t now_ns, const WorkloadState& state, int64_t monitored_bytes,
               int64_t monitoring_since_ns);

}  // namespace guest_test
