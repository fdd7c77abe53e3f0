// SPDX-License-Identifier: GPL-2.0-or-later
//
// How often memory is accessed, told by kdamonds over single pages. Pages that are in use all the
// time are measured at the tuned sampling interval, some of them for a moment per refresh; pages
// that are accessed now and then are told by how often others like them are found accessed.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "damon_statfs/observed_pages.h"
#include "engine/base/random.h"
#include "engine/damon/kdamond_setup.h"
#include "engine/damon/region_snapshots.h"
#include "engine/pages/bandwidth.h"

namespace damon_statfs {

// What a kdamond is to measure: these pages, with these intervals.
struct RateMeasurement {
  std::vector<uint64_t> addrs;  // ascending
  KdamondIntervals intervals;
};

class AccessRates {
 public:
  AccessRates(const MonitoringAttrs& attrs, uint64_t seed) : bandwidth_(attrs), random_(seed) {}

  void set_goal(const IntervalsGoal& goal) { bandwidth_.set_goal(goal); }

  // Whether there are to be as few checks as possible.
  void set_few(bool few) { few_ = few; }

  // Plans a measurement of some of these pages, which are in use, of a sample of nr_pages, within
  // the next time_ns. period_ns: how often the sample itself is checked. Returns: none if the
  // sample tells enough, as it does with sampling intervals of a period or more.
  std::optional<RateMeasurement> plan(std::span<const uint64_t> in_use, size_t nr_pages,
                                      int64_t time_ns, int64_t period_ns);

  // Takes in what the planned measurement has found in the time window_ns. samples: of its
  // aggregation. Returns: whether the sampling interval has changed so much that it is worth
  // another one.
  bool add_measurement(const RegionSnapshot& measured, uint64_t samples, int64_t window_ns);

  // Takes in how often some random pages were found accessed in nr_periods checks each.
  void add_counted(const RegionSnapshot& counted, uint32_t nr_periods);

  // Takes in what share of memory (0 to 1) was accessed in some, but not all, of the last
  // recent_ns, as it stood at the end of time_ns. period_ns: of the check that counted pages had.
  void add_now_and_then(double share, int64_t recent_ns, int64_t time_ns, int64_t period_ns);

  // As ObservedPages::take_access_rate().
  AccessRate take() { return bandwidth_.take(); }

  // The sampling interval in force.
  int64_t sample_ns() const;

 private:
  Bandwidth bandwidth_;
  Random random_;
  bool few_ = false;
  double in_use_share_ = 0;  // of the sample, when the last measurement was planned
  // Of counted pages that were accessed in some of their checks, and in how many.
  double counted_pages_ = 0, counted_accesses_ = 0;
};

}  // namespace damon_statfs
