// SPDX-License-Identifier: GPL-2.0-or-later
//
// ops=kdamond: where the kdamond's regions come from. Trace events tell of whole aggregations and
// when they ended; tried_regions, where there are none, has what a scheme has matched last.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "engine/base/memory_ranges.h"
#include "engine/base/wide.h"
#include "engine/damon/ops_kdamond.h"
#include "engine/regions/regions.h"

namespace damon_statfs {

// Regions are read through tried_regions where there are no trace events, or none that may be read.
Result<void> KdamondOperations::choose_source() {
  const Result<std::string> events = find_aggregated_events(*files_);
  setup_.stat_scheme = !events;
  if (events) return outcome::success();
  if (!failed_with(events, ENOENT) && !is_forbidden(events)) return events.as_failure();
  log_tried_regions(events.error());
  return outcome::success();
}

Result<void> KdamondOperations::open_source() {
  if (setup_.stat_scheme) return outcome::success();
  Result<std::unique_ptr<AggregatedEvents>> events =
      open_events_(own_.pid(), setup_.attrs.max_nr_regions);
  if (events) {
    recording_ =
        std::make_unique<RegionRecording>(std::move(events.value()), total_bytes(setup_.ranges));
    return outcome::success();
  }
  log_tried_regions(events.error());
  return read_through_scheme();
}

void KdamondOperations::log_tried_regions(const Error& why_no_events) const {
  context_.log(LogLevel::kInfo,
               fmt::format("regions are read through tried_regions: {}", why_no_events.context));
}

Result<void> KdamondOperations::read_through_scheme() {
  KdamondSetup wanted = setup_;
  wanted.stat_scheme = true;
  DAMON_STATFS_TRY(in_force, kdamond().commit(setup_, wanted));
  setup_ = std::move(in_force);
  return outcome::success();
}

void KdamondOperations::forget_recording() {
  dropped_before_ = nr_dropped();
  recording_.reset();
}

// The newest aggregation, or none yet.
Result<std::optional<RegionSnapshot>> KdamondOperations::take_recorded() {
  constexpr int64_t kMarginNs = 10 * kNsPerMs;
  const int64_t now_ns = context_.clock->now_ns();
  DAMON_STATFS_TRY(begun, recording_->begin(now_ns, times_ns(2, window_ns()) + kMarginNs));
  std::optional<RegionSnapshot> snapshot;
  if (!begun) snapshot = recording_->poll(now_ns, window_ns());
  due_ns_ = recording_->due_ns();
  if (begun) return std::optional<RegionSnapshot>();
  if (recording_->ended()) {
    return failure(ESRCH, fmt::format("kdamond {} has been stopped by somebody else", own_.pid()));
  }
  if (!snapshot || now_ns < wanted_ns_) {
    note_incomplete();
    return std::optional<RegionSnapshot>();
  }
  // Ages are counted in the intervals in force after the aggregation; if another one has ended
  // while they were asked for, it is not known which of the two they belong to.
  constexpr int kMaxTries = 3;
  for (int tries = 0; kernel_tunes_ && tries < kMaxTries; ++tries) {
    BOOST_OUTCOME_TRYV(refresh_intervals());
    std::optional<RegionSnapshot> newer = recording_->poll(now_ns, window_ns());
    if (!newer) break;
    snapshot = std::move(newer);
  }
  if (!kernel_tunes_ || steady_) measure_real_per_nominal(snapshot->window_ns);
  return snapshot;
}

Result<std::optional<RegionSnapshot>> KdamondOperations::take_tried_regions() {
  due_ns_ = context_.clock->now_ns() + RegionRecording::pause_ns(window_ns());
  if (kernel_tunes_) {
    BOOST_OUTCOME_TRYV(refresh_intervals());
  }
  Result<std::vector<Region>> regions = kdamond().tried_regions();
  if (failed_with(regions, EINVAL)) {
    BOOST_OUTCOME_TRYV(check_ownership());
    return failure(ENODEV, "no trace events, and a kernel older than 6.2 has no tried_regions");
  }
  if (!regions || !is_complete(regions.value())) {
    if (regions) ++dropped_before_;
    note_incomplete();
    return std::optional<RegionSnapshot>();
  }
  const KdamondIntervals before{setup_.attrs.sample_us, setup_.attrs.aggr_us};
  if (kernel_tunes_) {
    BOOST_OUTCOME_TRYV(refresh_intervals());
  }
  if (setup_.attrs.aggr_us != before.aggr_us) return std::optional<RegionSnapshot>();
  RegionSnapshot snapshot;
  snapshot.regions = std::move(regions.value());
  snapshot.ended_ns = context_.clock->now_ns();
  return std::optional<RegionSnapshot>(std::move(snapshot));
}

// A kernel short of memory leaves regions out, and some versions have none at times.
void KdamondOperations::note_incomplete() {
  const int64_t patience_ns = std::max(10 * kNsPerSecond, times_ns(10, window_ns()));
  if (incomplete_logged_ ||
      context_.clock->now_ns() < std::max(wanted_ns_, complete_ns_) + patience_ns)
    return;
  incomplete_logged_ = true;
  context_.log(LogLevel::kWarning,
               fmt::format("kdamond {} has not given all of its regions for {} s: the values stay "
                           "what they are until it does",
                           own_.pid(), patience_ns / kNsPerSecond));
}

bool KdamondOperations::is_complete(const std::vector<Region>& regions) const {
  return total_bytes(regions) == total_bytes(setup_.ranges);
}

}  // namespace damon_statfs
