// SPDX-License-Identifier: GPL-2.0-or-later
//
// What DAMON_STAT says of a set of regions: the estimated bandwidth and the percentiles of idle
// time. Kernel documentation: Documentation/admin-guide/mm/damon/stat.rst.
#pragma once

#include <cstdint>
#include <span>

#include "damon_statfs/region.h"
#include "damon_statfs/snapshot.h"

namespace damon_statfs {

// Statistics of regions whose aggregation of aggr_us ended at now_ns, before their counts are
// reset. Idle time runs from a region's since_ns; it is negative, the time being accessed, for a
// region with accesses. An aggr_us of 0 counts as 1, as in the kernel.
Statistics make_statistics(std::span<const Region> regions, uint64_t aggr_us, int64_t now_ns);

}  // namespace damon_statfs
