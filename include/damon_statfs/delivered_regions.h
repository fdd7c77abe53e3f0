// SPDX-License-Identifier: GPL-2.0-or-later
//
// Regions from a source that splits, merges and ages them by itself: a kdamond.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "damon_statfs/operations.h"
#include "damon_statfs/region.h"
#include "damon_statfs/result.h"

namespace damon_statfs {

struct Aggregation {
  std::vector<Region> regions;  // ascending; since_ns is set by the source
  uint64_t aggr_us = 0;         // how long their accesses were counted, in real time
  uint64_t sample_us = 0;       // the source's sampling interval; 0: the source does not tell
};

class DeliveredRegions : public Operations {
 public:
  // When collect() is to be called next (Clock::now_ns()).
  virtual int64_t collect_due_ns() const = 0;

  // Returns: the newest aggregation completed since the last call, if any.
  virtual Result<std::optional<Aggregation>> collect() = 0;
};

}  // namespace damon_statfs
