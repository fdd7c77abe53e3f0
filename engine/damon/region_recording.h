// SPDX-License-Identifier: GPL-2.0-or-later
//
// Records a kdamond's events only around the times at which its regions are wanted: each record
// costs the kdamond time. How often the events are polled, and when recording is not worth going
// on with, stands here for all sets that read events.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "engine/damon/region_snapshots.h"

namespace damon_statfs {

class RegionRecording {
 public:
  // monitored_bytes: as of RegionSnapshots.
  RegionRecording(std::unique_ptr<AggregatedEvents> events, uint64_t monitored_bytes)
      : snapshots_(std::move(events), monitored_bytes) {}

  // How long to wait between two polls, in ns, where an aggregation takes window_ns. 0: that is not
  // known yet.
  static int64_t pause_ns(int64_t window_ns);

  // Begins to record, if that is not done already; the first poll is due first_pause_ns later.
  // Returns: whether recording has begun only now, so that there is nothing to poll yet.
  Result<bool> begin(int64_t now_ns, int64_t first_pause_ns);

  // Returns: the newest complete aggregation since the last call, if any. window_ns: as of
  // pause_ns(); while it is not known the pauses grow.
  std::optional<RegionSnapshot> poll(int64_t now_ns, int64_t window_ns);

  // Stops recording if the next aggregation wanted begins so late, at begin_ns, that recording it
  // anew is cheaper than going on.
  void rest_until(int64_t begin_ns, int64_t now_ns, int64_t window_ns);

  // Stops recording. What was collected is forgotten.
  void end() noexcept { snapshots_.end(); }

  // When poll() is due (Clock::now_ns()). Precondition: recording().
  int64_t due_ns() const { return due_ns_; }

  bool recording() const { return snapshots_.recording(); }
  bool ended() const { return snapshots_.ended(); }          // the kdamond has ended
  uint64_t dropped() const { return snapshots_.dropped(); }  // as of RegionSnapshots

 private:
  RegionSnapshots snapshots_;
  int64_t pause_ns_ = 0;
  int64_t due_ns_ = 0;
};

// When a set that was asked at now_ns is asked for regions again, and the engine reads its clock a
// little later than the set.
int64_t next_refresh_ns(uint64_t refresh_ms, int64_t now_ns);

}  // namespace damon_statfs
