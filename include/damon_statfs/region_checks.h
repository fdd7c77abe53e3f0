// SPDX-License-Identifier: GPL-2.0-or-later
//
// Access checks of one page per region, as DAMON's own operations sets make them (kernel
// documentation: Documentation/mm/damon/design.rst, "Access-frequency Monitoring").
#pragma once

#include <span>

#include "damon_statfs/operations.h"
#include "damon_statfs/region.h"
#include "damon_statfs/result.h"

namespace damon_statfs {

class RegionChecks : public Operations {
 public:
  // Marks the page at each region's sampling_addr as not accessed. Regions are ascending.
  virtual Result<void> prepare_access_checks(std::span<Region> regions) = 0;

  // Calls add_access() of each region whose marked page was accessed since. Called with the same
  // regions, in the same portions, as prepare_access_checks() before it.
  virtual Result<void> check_accesses(std::span<Region> regions) = 0;
};

}  // namespace damon_statfs
