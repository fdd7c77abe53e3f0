// SPDX-License-Identifier: GPL-2.0-or-later
//
// What DAMON_STAT says of a set of regions: the estimated bandwidth and the percentiles of idle
// time. Kernel documentation: Documentation/admin-guide/mm/damon/stat.rst.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "damon_statfs/region.h"
#include "damon_statfs/snapshot.h"

namespace damon_statfs {

// Memory of one age.
struct IdleSize {
  int64_t idle_ms = 0;  // negative: accessed for so long
  uint64_t size = 0;    // in any unit
};

// [p]: p percent of all memory is idle for at most so long; all zero if there is no memory. Sorts
// `parts`. A percentile that falls exactly between two parts belongs to the less idle one.
std::array<int64_t, 101> idle_percentiles(std::vector<IdleSize>& parts);

// Percent of the memory that is idle for less than limit_ms.
double share_below_percent(std::span<const IdleSize> parts, int64_t limit_ms);

// Statistics of regions whose aggregation of aggr_us ended at now_ns, before their counts are
// reset. Idle time runs from a region's since_ns; it is negative, the time being accessed, for a
// region with accesses, unless the last of them is known to be more than a second ago: then idle
// time runs from that. An aggr_us of 0 counts as 1, as in the kernel.
Statistics make_statistics(std::span<const Region> regions, uint64_t aggr_us, int64_t now_ns);

// The same with idle times that are known already. Sorts `parts`.
Statistics make_statistics(std::span<const Region> regions, uint64_t aggr_us,
                           std::vector<IdleSize>& parts);

// Each region's size and idle time, as make_statistics() takes them.
std::vector<IdleSize> idle_sizes(std::span<const Region> regions, int64_t now_ns);

// Each region's size and idle time as the kernel has them: age + 1 aggregations of aggr_us,
// negative for a region with accesses.
std::vector<IdleSize> nominal_idle_sizes(std::span<const Region> regions, uint64_t aggr_us);

}  // namespace damon_statfs
