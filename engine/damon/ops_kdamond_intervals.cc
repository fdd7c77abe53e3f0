// SPDX-License-Identifier: GPL-2.0-or-later
//
// ops=kdamond: the kdamond's intervals, which the kernel tunes since Linux 6.15 and we do before,
// and how long an aggregation of them really takes.
#include <algorithm>

#include "engine/base/wide.h"
#include "engine/damon/ops_kdamond.h"
#include "engine/estimate/tuner.h"

namespace damon_statfs {

Result<void> KdamondOperations::choose_tuner() {
  const bool tuned = attrs_.goal.aggrs != 0;
  DAMON_STATFS_TRY(kernel_may_tune, kdamond().tunes_intervals());
  kernel_tunes_ = tuned && kernel_may_tune;
  we_tune_ = tuned && !kernel_tunes_;
  return outcome::success();
}

// The engine may have been given another goal while monitoring is on.
Result<void> KdamondOperations::follow_goal() {
  if (normalised(context_.attrs).goal == attrs_.goal) return outcome::success();
  KdamondSetup wanted = setup_;
  wanted.attrs.goal = context_.attrs.goal;
  wanted.attrs = within_goal(wanted.attrs);
  DAMON_STATFS_TRY(in_force, commit(wanted));
  if (!in_force) return outcome::success();  // at the next look, then
  attrs_ = normalised(context_.attrs);
  if (recording_) recording_->end();  // what it holds was counted in the old intervals
  return choose_tuner();
}

// Asks the kernel for the intervals that it has tuned. While another program holds the interface
// the last ones are taken for true.
Result<void> KdamondOperations::refresh_intervals() {
  const Result<KdamondIntervals> tuned = kdamond().tuned_intervals();
  if (failed_with(tuned, EBUSY)) return outcome::success();
  if (!tuned) {
    BOOST_OUTCOME_TRYV(check_ownership());  // which knows more about why
    return tuned.as_failure();
  }
  const KdamondIntervals& now = tuned.value();
  const uint64_t last_us = setup_.attrs.aggr_us;
  steady_ = std::max(now.aggr_us, last_us) - std::min(now.aggr_us, last_us) <= last_us / 10;
  setup_.attrs = with_intervals(setup_.attrs, now.sample_us, now.aggr_us);
  return outcome::success();
}

// A window that the intervals have changed in says nothing about the next ones.
void KdamondOperations::measure_real_per_nominal(int64_t window_ns) {
  constexpr double kWeight = 0.5;  // of the newest
  const double nominal_ns = static_cast<double>(setup_.attrs.aggr_us) * kNsPerUs;
  const double ratio = std::clamp(static_cast<double>(window_ns) / nominal_ns, 1.0, 10.0);
  real_per_nominal_ += kWeight * (ratio - real_per_nominal_);
}

// Until Linux 6.14 a commit waits for the end of an aggregation, and nothing can interrupt it: so
// where we tune, an aggregation takes no longer than a stop may.
IntervalsGoal KdamondOperations::our_goal() const {
  constexpr uint64_t kMaxAggrUs = 10'000'000;
  IntervalsGoal goal = attrs_.goal;
  const uint64_t longest_us =
      std::max({kMaxAggrUs / samples_per_aggr(attrs_), goal.min_sample_us, attrs_.sample_us});
  goal.max_sample_us = std::min(goal.max_sample_us, longest_us);
  return goal;
}

// What the kernel does by itself since 6.15. A small change is not worth the restart of the
// aggregation that a commit means. Returns: whether there is time until the next refresh.
Result<bool> KdamondOperations::tune(const std::vector<Region>& regions) {
  MonitoringAttrs& attrs = setup_.attrs;
  const uint64_t aggr_samples = samples_per_aggr(attrs_);
  const uint64_t adaptation_bp =
      intervals_adaptation_bp(intervals_score_bp(regions, aggr_samples, attrs.goal.access_bp));
  const uint64_t sample_us = tuned_sample_us(attrs.sample_us, adaptation_bp, our_goal());
  const uint64_t change_us =
      std::max(sample_us, attrs.sample_us) - std::min(sample_us, attrs.sample_us);
  if (change_us <= attrs.sample_us / 10) return true;
  const bool settled = change_us <= attrs.sample_us / 4;

  KdamondSetup wanted = setup_;
  wanted.attrs = with_intervals(attrs, sample_us, mul_div(sample_us, aggr_samples, 1));
  DAMON_STATFS_TRY(in_force, commit(wanted));
  if (!in_force) return settled;      // next time
  if (recording_) recording_->end();  // what it holds was counted in the old intervals
  return settled;
}

int64_t KdamondOperations::window_ns() const {
  return to_ns_saturated(static_cast<double>(setup_.attrs.aggr_us) * kNsPerUs * real_per_nominal_);
}

}  // namespace damon_statfs
