// SPDX-License-Identifier: GPL-2.0-or-later
//
// Where the regions of our own estimator go another way than those of the kernel's DAMON. One value
// of this is handed to what merges, tunes and dates regions, so that the loop stands once.
#pragma once

namespace damon_statfs {

// As initialised: our own rules, regions=refined.
struct RegionRules {
  // Memory whose idle times differ by more than a factor of two is not merged, while there is room
  // for more regions. False: neighbours with alike counts are merged, and their ages averaged.
  bool keeps_ages_apart = true;

  // Idle times, the length of an aggregation and what a suspended machine has missed are told in
  // real time. False: time is counted in sampling intervals of nominal length, so late ones and a
  // suspended machine do not show, and idle time is age + 1 aggregations.
  bool real_time = true;

  // Counts stay what they are when an interval changes and the number of samples does not. False:
  // each tuning converts them to basis points and back, rounded down twice.
  bool exact_counts = true;
};

// DAMON's algorithm, unchanged: regions=kernel.
inline constexpr RegionRules kKernelRules{false, false, false};

}  // namespace damon_statfs
