// SPDX-License-Identifier: GPL-2.0-or-later
//
// The kernel's rules for monitoring attributes, so that what it would refuse is refused here too.
#include "damon_statfs/attrs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <limits>

#include "engine/base/wide.h"

namespace damon_statfs {

MonitoringAttrs normalised(MonitoringAttrs attrs) {
  constexpr uint64_t kMinIntervalUs = 1;
  IntervalsGoal& goal = attrs.goal;
  attrs.sample_us = std::clamp(attrs.sample_us, kMinIntervalUs, kMaxIntervalUs);
  attrs.aggr_us = std::clamp(attrs.aggr_us, attrs.sample_us, kMaxIntervalUs);
  attrs.update_us = std::min(attrs.update_us, kMaxIntervalUs);
  attrs.min_nr_regions = std::clamp(attrs.min_nr_regions, uint64_t{1}, kMaxCount);
  attrs.max_nr_regions = std::clamp(attrs.max_nr_regions, attrs.min_nr_regions, kMaxCount);
  goal.access_bp = std::min(goal.access_bp, kMaxCount);
  goal.aggrs = std::min(goal.aggrs, kMaxCount);
  goal.min_sample_us = std::clamp(goal.min_sample_us, kMinIntervalUs, kMaxIntervalUs);
  goal.max_sample_us = std::clamp(goal.max_sample_us, goal.min_sample_us, kMaxIntervalUs);
  return attrs;
}

MonitoringAttrs with_intervals(MonitoringAttrs attrs, uint64_t sample_us, uint64_t aggr_us) {
  attrs.sample_us = sample_us;
  attrs.aggr_us = aggr_us;
  return normalised(attrs);
}

MonitoringAttrs within_goal(MonitoringAttrs attrs) {
  attrs = normalised(attrs);
  if (attrs.goal.aggrs == 0) return attrs;
  const uint64_t sample_us =
      std::clamp(attrs.sample_us, attrs.goal.min_sample_us, attrs.goal.max_sample_us);
  if (sample_us == attrs.sample_us) return attrs;
  return with_intervals(attrs, sample_us, mul_div(sample_us, samples_per_aggr(attrs), 1));
}

Result<void> validate(const MonitoringAttrs& attrs) {
  if (attrs.min_nr_regions < 3) {
    return failure(EINVAL, fmt::format("min_nr_regions={}: at least 3", attrs.min_nr_regions));
  }
  if (attrs.min_nr_regions > attrs.max_nr_regions) {
    return failure(EINVAL, fmt::format("max_nr_regions={}: at least min_nr_regions={}",
                                       attrs.max_nr_regions, attrs.min_nr_regions));
  }
  if (attrs.sample_us > attrs.aggr_us) {
    return failure(
        EINVAL, fmt::format("aggr_us={}: at least sample_us={}", attrs.aggr_us, attrs.sample_us));
  }
  const IntervalsGoal& goal = attrs.goal;
  if (goal.aggrs == 0) return outcome::success();
  if (goal.min_sample_us > goal.max_sample_us) {
    return failure(EINVAL, fmt::format("max_sample_us={}: at least min_sample_us={}",
                                       goal.max_sample_us, goal.min_sample_us));
  }
  if (attrs.sample_us < goal.min_sample_us || attrs.sample_us > goal.max_sample_us) {
    return failure(EINVAL, fmt::format("sample_us={}: from min_sample_us={} to max_sample_us={}, "
                                       "or aggrs=0",
                                       attrs.sample_us, goal.min_sample_us, goal.max_sample_us));
  }
  return outcome::success();
}

uint32_t samples_per_aggr(const MonitoringAttrs& attrs) {
  const uint64_t samples = attrs.aggr_us / std::max<uint64_t>(attrs.sample_us, 1);
  return static_cast<uint32_t>(
      std::clamp<uint64_t>(samples, 1, std::numeric_limits<uint32_t>::max()));
}

}  // namespace damon_statfs
