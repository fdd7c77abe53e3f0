// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a reading ought to say, computed from the workload's own record and the machine's memory
// map. Memory that the workload does not hold is taken as idle: nothing else runs in the guest.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "workload_state.h"

namespace guest_test {

// Bytes of "System RAM" in /proc/iomem without memory blocks that are offline; with `span`
// everything from the first to the last of them, holes included, which is what the kernel's
// DAMON_STAT monitors from 7.0 on.
int64_t system_ram_bytes(bool span, const std::string& iomem = "/proc/iomem",
                         const std::string& blocks = "/sys/devices/system/memory");

// A share of memory in percent. It is a range while some part is idle for about the limit: a
// reading was taken up to kUncertainNs before it was noticed, or after its last sample.
struct Share {
  double least = 0;
  double most = 0;

  // Points by which a share that was read is above (positive) or below the range; 0 inside it.
  double error(double read) const;
};
constexpr int64_t kUncertainNs = 1'000'000'000;

struct Truth {
  Share under_1s;
  Share under_6s;
  Share under_60s;     // to 100 as long as monitoring is not older than that
  double touched = 0;  // hot, warm, and cold just after a pass: nothing else may count as accessed
  double warm_age_s = 0;  // since the last warm pass
  // The percentile in the middle of the warm part, unless it is the cold one.
  size_t warm_index = 0;
  // The percentile in the middle of the cold part, the youngest after hot and warm, and its idle
  // time; nothing unless it was touched again, long enough ago for the warm part to be younger.
  size_t cold_index = 0;
  std::optional<int64_t> cold_idle_ms;
  // The percentile in the middle of all that is not touched again, and its idle time, since
  // monitoring began.
  size_t untouched_index = 0;
  int64_t untouched_idle_ms = 0;
};

// Bytes per second as DAMON counts them: a page counts once per sampling interval in which it was
// touched. The mean over all phases of the workload's periods.
double bytes_per_second(const WorkloadState& state, int64_t sample_us);

// The truth at the time `now_ns`.
Truth truth_at(int64_t now_ns, const WorkloadState& state, int64_t monitored_bytes,
               int64_t monitoring_since_ns);

}  // namespace guest_test
