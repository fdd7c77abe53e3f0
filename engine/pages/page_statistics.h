// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a sample of pages says of all memory: percentiles of idle time, shares of memory, and how
// far off they may be for being a sample's.
#pragma once

#include <array>
#include <cstdint>
#include <limits>

#include "damon_statfs/snapshot.h"
#include "engine/pages/page_sample.h"

namespace damon_statfs {

struct PageStatistics {
  size_t nr_pages = 0;  // that count; if there are none, the percentiles and shares say nothing
  std::array<int64_t, 101> memory_idle_ms_percentiles{};
  static constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  // Of all pages, 0 to 1; kUnknown if the kind of none is known.
  double untracked_share = 0, unmapped_cache_share = 0;
  // Of the memory idle for less than each of MonitoringDetails::kShareLimitsMs; kUnknown if no page
  // counts.
  std::array<double, 3> share_percent{kUnknown, kUnknown, kUnknown};
  std::array<double, 3> share_error_percent{kUnknown, kUnknown, kUnknown};
};

// excluded: which pages do not count in all that is not told as a share of all pages.
PageStatistics make_page_statistics(const PageSample& sample, ExcludedPages excluded,
                                    int64_t now_ns);

}  // namespace damon_statfs
