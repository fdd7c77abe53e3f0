// SPDX-License-Identifier: GPL-2.0-or-later
//
// The kernel's feedback loop for the monitoring intervals, as three pure functions.
#include "engine/estimate/tuner.h"

#include <algorithm>
#include <limits>

#include "engine/base/wide.h"

namespace damon_statfs {
namespace {

constexpr uint64_t kGoalBp = 10'000;

// The feedback loop's next input for its present input 10^8: above it when the score is under the
// goal.
uint64_t feed_loop_next(uint64_t score_bp) {
  constexpr uint64_t kInput = 100'000'000;
  constexpr uint64_t kMinInput = 10'000;
  if (score_bp >= 2 * kGoalBp) return kMinInput;
  const uint64_t apart = score_bp > kGoalBp ? score_bp - kGoalBp : kGoalBp - score_bp;
  const uint64_t compensation = kInput * apart / kGoalBp;
  if (score_bp <= kGoalBp) return kInput + compensation;
  return std::max(kInput - compensation, kMinInput);
}

}  // namespace

uint64_t intervals_score_bp(std::span<const Region> regions, uint64_t aggr_samples,
                            uint64_t access_bp) {
  uint128_t max_events = 0;
  uint128_t events = 0;
  for (const Region& region : regions) {
    max_events += static_cast<uint128_t>(region.size_bytes()) * aggr_samples;
    events += static_cast<uint128_t>(region.size_bytes()) * region.nr_accesses;
  }
  const uint128_t target = std::max<uint128_t>(max_events * access_bp / 10'000, 1);
  const uint128_t score = events * kGoalBp / target;
  constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
  return score > kMax ? kMax : static_cast<uint64_t>(score);
}

uint64_t intervals_adaptation_bp(uint64_t score_bp) {
  const uint64_t adaptation_bp = feed_loop_next(score_bp) / 10'000;
  return adaptation_bp <= 10'000 ? 5'000 + adaptation_bp / 2 : adaptation_bp;
}

uint64_t tuned_sample_us(uint64_t sample_us, uint64_t adaptation_bp, const IntervalsGoal& goal) {
  return std::clamp(mul_div(sample_us, adaptation_bp, 10'000), goal.min_sample_us,
                    goal.max_sample_us);
}

}  // namespace damon_statfs
