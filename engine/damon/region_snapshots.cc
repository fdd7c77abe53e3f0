// SPDX-License-Identifier: GPL-2.0-or-later
//
// The kernel writes the records of one aggregation one after the other, in ascending order; so
// where an address is not above the one before it, or the number of regions is reached, an
// aggregation ends.
#include "engine/damon/region_snapshots.h"

#include <utility>

namespace damon_statfs {

RegionSnapshots::RegionSnapshots(std::unique_ptr<AggregatedEvents> events, uint64_t monitored_bytes,
                                 bool needs_window)
    : events_(std::move(events)), monitored_bytes_(monitored_bytes), needs_window_(needs_window) {}

Result<void> RegionSnapshots::begin() {
  if (recording_) return outcome::success();
  newest_.reset();
  several_targets_ = false;
  forget_open();
  BOOST_OUTCOME_TRYV(events_->enable());
  recording_ = true;
  return outcome::success();
}

void RegionSnapshots::end() noexcept {
  if (recording_) events_->disable();
  recording_ = false;
}

std::optional<RegionSnapshot> RegionSnapshots::poll() {
  const AggregatedEvents::Drained drained = events_->drain();
  ended_ = ended_ || drained.ended;
  dropped_ += drained.dropped;
  for (const RegionRecord& record : drained.records) add(record);
  if (several_targets_) newest_.reset();  // it was the first target's share
  return std::exchange(newest_, std::nullopt);
}

void RegionSnapshots::add(const RegionRecord& record) {
  if (record.after_loss) forget_open();
  if (newest_record_ && record.target_id != newest_record_->target_id) several_targets_ = true;
  if (!open_.empty() && !continues(record)) {
    // It was cut off at its front, or lacks regions: only the time of its end is of use.
    if (last_ended_ns_ != 0) ++dropped_;
    finish();
  }
  Region region;
  region.start = record.start;
  region.end = record.end;
  region.nr_accesses = record.nr_accesses;
  region.age = record.age;
  open_.push_back(region);
  open_bytes_ += region.size_bytes();
  newest_record_ = record;
  if (open_.size() < record.nr_regions) return;
  const bool complete =
      !several_targets_ && (monitored_bytes_ == 0 || open_bytes_ == monitored_bytes_);
  if (complete && (last_ended_ns_ != 0 || !needs_window_)) {
    const int64_t window_ns = last_ended_ns_ == 0 ? 0 : record.time_ns - last_ended_ns_;
    newest_ = RegionSnapshot{open_, record.time_ns, window_ns};
  }
  if (!complete) ++dropped_;
  finish();
}

bool RegionSnapshots::continues(const RegionRecord& record) const {
  return record.target_id == newest_record_->target_id &&
         record.nr_regions == newest_record_->nr_regions && record.start >= newest_record_->end;
}

// The aggregation of the newest record is over.
void RegionSnapshots::finish() {
  last_ended_ns_ = newest_record_->time_ns;
  open_.clear();
  open_bytes_ = 0;
}

void RegionSnapshots::forget_open() {
  newest_record_.reset();
  last_ended_ns_ = 0;
  open_.clear();
  open_bytes_ = 0;
}

}  // namespace damon_statfs
