// SPDX-License-Identifier: GPL-2.0-or-later
//
// The interval tuning: how much longer or shorter the sampling interval must get so that the wanted
// share of access events is observed. Kernel documentation: "Monitoring Intervals Auto-Tuning".
#pragma once

#include <cstdint>
#include <span>

#include "damon_statfs/attrs.h"
#include "damon_statfs/region.h"

namespace damon_statfs {

// Observed access events of the aggregation just ended, relative to the wanted ones, in 1/10,000:
// 10,000 is exactly the goal. aggr_samples: samples per aggregation as first configured.
uint64_t intervals_score_bp(std::span<const Region> regions, uint64_t aggr_samples,
                            uint64_t access_bp);

// The factor for the sampling interval that a score asks for, in 1/10,000: 5,000 to 20,000.
uint64_t intervals_adaptation_bp(uint64_t score_bp);

// The tuned sampling interval in microseconds, within the goal's bounds.
uint64_t tuned_sample_us(uint64_t sample_us, uint64_t adaptation_bp, const IntervalsGoal& goal);

}  // namespace damon_statfs
