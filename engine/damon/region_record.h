// SPDX-License-Identifier: GPL-2.0-or-later
//
// One record of the tracepoint damon:damon_aggregated, whatever the kernel's format of it is.
#pragma once

#include <cstdint>

namespace damon_statfs {

struct RegionRecord {
  int64_t time_ns = 0;  // CLOCK_MONOTONIC, when the record was written
  uint64_t target_id = 0;
  uint32_t nr_regions = 0;  // of the whole target
  uint64_t start = 0;       // bytes
  uint64_t end = 0;         // bytes, exclusive
  uint32_t nr_accesses = 0;
  uint32_t age = 0;         // aggregation intervals
  bool after_loss = false;  // whether records between the one before and this one are missing
};

}  // namespace damon_statfs
