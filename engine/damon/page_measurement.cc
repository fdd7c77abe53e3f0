// SPDX-License-Identifier: GPL-2.0-or-later
//
// What has not come when the sample is to be read is not waited for: the next refresh is the next
// chance.
#include "engine/damon/page_measurement.h"

#include <cerrno>
#include <optional>

#include "engine/base/wide.h"

namespace damon_statfs {
namespace {

constexpr int kMaxMeasurements = 4;                  // between two refreshes
constexpr int64_t kSwitchNs = 100 * kNsPerMs;        // to switch the kdamond on and off
constexpr int64_t kShortestPauseNs = 10 * kNsPerMs;  // between two looks, at first

}  // namespace

Result<bool> PageMeasurement::begin(const PageHistories& sample, int64_t refresh_ns,
                                    int64_t period_ns, int64_t limit_ns) {
  if (nr_measurements_ >= kMaxMeasurements) return false;
  const std::optional<RateMeasurement> plan =
      rates_.plan(sample.in_use(), sample.pages().size(), refresh_ns, period_ns);
  if (!plan) return false;
  const int64_t aggr_ns = times_ns(plan->intervals.aggr_us, kNsPerUs);
  from_ns_ = clock_.now_ns();
  if (from_ns_ + aggr_ns + kSwitchNs > limit_ns) return false;
  ++nr_measurements_;
  Result<void> begun = kdamond_.stage(plan->addrs, plan->intervals);
  if (begun) begun = kdamond_.turn_on();
  if (begun) begun = kdamond_.record();
  if (failed_with(begun, EBUSY)) return false;
  if (!begun) return begun.as_failure();
  pause_ns_ = kShortestPauseNs;
  due_ns_ = clock_.now_ns() + aggr_ns + pause_ns_;
  return true;
}

Result<PageMeasurement::Progress> PageMeasurement::step(int64_t limit_ns) {
  const int64_t now_ns = clock_.now_ns();
  DAMON_STATFS_TRY(snapshot, kdamond_.poll());
  if (!snapshot && !kdamond_.has_ended() && now_ns + kSwitchNs < limit_ns) {
    due_ns_ = now_ns + pause_ns_;
    pause_ns_ *= 2;
    return Progress::kNone;
  }
  const KdamondIntervals intervals = kdamond_.intervals();
  BOOST_OUTCOME_TRYV(kdamond_.turn_off());
  const bool again =
      snapshot && rates_.add_measurement(*snapshot, intervals.aggr_us / intervals.sample_us,
                                         snapshot->ended_ns - from_ns_);
  return again ? Progress::kAgain : Progress::kEnded;
}

}  // namespace damon_statfs
