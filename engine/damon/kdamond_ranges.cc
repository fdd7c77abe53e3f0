// SPDX-License-Identifier: GPL-2.0-or-later
//
// Ranges are made whole pages as DAMON itself does it with regions.
#include "engine/damon/kdamond_ranges.h"

#include <unistd.h>

#include "engine/base/memory_ranges.h"
#include "engine/regions/regions.h"

namespace damon_statfs {

Result<std::vector<AddressRange>> kdamond_ranges(const OperationsContext& context,
                                                 const KernelFiles& files) {
  DAMON_STATFS_TRY(monitored, monitored_ranges(context, files));
  Regions regions;
  BOOST_OUTCOME_TRYV(
      set_regions(regions, monitored, static_cast<uint64_t>(sysconf(_SC_PAGESIZE)), 0));
  std::vector<AddressRange> ranges;
  for (const Region& region : regions) ranges.push_back({region.start, region.end});
  return ranges;
}

}  // namespace damon_statfs
