// SPDX-License-Identifier: GPL-2.0-or-later
//
// DAMON's monitoring attributes under the names of its own sysfs files. They are what a user may
// set as mount options and what the interval tuning changes while the engine runs.
#pragma once

#include <cstdint>

#include "damon_statfs/result.h"

namespace damon_statfs {

// What the interval tuning aims at (kernel doc: "Monitoring Intervals Auto-Tuning").
struct IntervalsGoal {
  uint64_t access_bp = 400;             // share of access events to observe, in 1/10,000
  uint64_t aggrs = 3;                   // tune every so many aggregations; 0: never
  uint64_t min_sample_us = 5'000;       // bounds of the tuned sampling interval
  uint64_t max_sample_us = 10'000'000;  //

  bool operator==(const IntervalsGoal&) const = default;
};

// The defaults are DAMON_STAT's.
struct MonitoringAttrs {
  uint64_t sample_us = 5'000;
  uint64_t aggr_us = 100'000;
  uint64_t update_us = 60'000'000;
  uint64_t min_nr_regions = 10;
  uint64_t max_nr_regions = 1'000;
  IntervalsGoal goal;

  bool operator==(const MonitoringAttrs&) const = default;
};

// Limits of single attributes, far beyond any use. An interval in nanoseconds fits an int64_t nine
// times; products of two attributes need engine/wide.h.
constexpr uint64_t kMaxIntervalUs = 1'000'000'000'000'000;  // 31 years
constexpr uint64_t kMaxCount = 1U << 31;                    // regions, aggrs, access_bp

// What an option may ask for: enough for a machine of any size, and 25 MB of memory. More
// may come from the kernel.
constexpr uint64_t kMinRegions = 3;
constexpr uint64_t kMaxRegions = 100'000;

// Returns: the attributes with each within what can be calculated with. An interval of 0 counts as
// 1 us, as in the kernel, and an aggregation takes at least one sampling interval. Whatever keeps
// attributes, from a user, from the kernel or from tuning, keeps what this returns.
MonitoringAttrs normalised(MonitoringAttrs attrs);

// Returns: the same attributes with these intervals, normalised.
MonitoringAttrs with_intervals(MonitoringAttrs attrs, uint64_t sample_us, uint64_t aggr_us);

// Returns: the same attributes with the sampling interval within the bounds of the goal, where it
// is tuned, and as many samples per aggregation.
MonitoringAttrs within_goal(MonitoringAttrs attrs);

// Returns: EINVAL and the rule that is broken, as the kernel's damon_set_attrs() would refuse it.
Result<void> validate(const MonitoringAttrs& attrs);

// Samples in one aggregation: aggr_us / sample_us, at least 1 and at most UINT32_MAX.
uint32_t samples_per_aggr(const MonitoringAttrs& attrs);

}  // namespace damon_statfs
