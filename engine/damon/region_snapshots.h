// SPDX-License-Identifier: GPL-2.0-or-later
//
// Whole sets of regions out of single trace records: which records are one aggregation, whether it
// is complete, and how long it really took.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "damon_statfs/region.h"
#include "engine/damon/aggregated_events.h"

namespace damon_statfs {

// The regions of one aggregation as a kdamond saw them, ascending. since_ns is not set.
struct RegionSnapshot {
  std::vector<Region> regions;  // start, end, nr_accesses, age
  int64_t ended_ns = 0;         // when the aggregation ended, CLOCK_MONOTONIC
  int64_t window_ns = 0;        // real time since the aggregation before it; 0: not known
};

// Collects aggregations from a kdamond's events while wanted. One target only (paddr has one): an
// aggregation with several is dropped.
class RegionSnapshots {
 public:
  // monitored_bytes: what the regions of a complete aggregation add up to; 0: not known, then the
  // records' nr_regions decides. needs_window: whether an aggregation whose window_ns is not known
  // is of no use.
  RegionSnapshots(std::unique_ptr<AggregatedEvents> events, uint64_t monitored_bytes,
                  bool needs_window = true);

  // Begins to record, if it does not already. An aggregation that is under way then is not used.
  Result<void> begin();

  // Stops recording, which costs the kdamond time. What was collected is forgotten.
  void end() noexcept;

  bool recording() const { return recording_; }

  // Returns: the newest complete aggregation that has ended since the last call, if any; its
  // window_ns is known if that is needed.
  std::optional<RegionSnapshot> poll();

  bool ended() const { return ended_; }          // the kdamond has ended
  uint64_t dropped() const { return dropped_; }  // records, plus aggregations not complete, so far

 private:
  void add(const RegionRecord& record);
  bool continues(const RegionRecord& record) const;
  void finish();
  void forget_open();

  const std::unique_ptr<AggregatedEvents> events_;
  const uint64_t monitored_bytes_;
  const bool needs_window_;
  bool recording_ = false;
  bool ended_ = false;
  uint64_t dropped_ = 0;

  std::vector<Region> open_;  // of the aggregation whose records are coming in
  uint64_t open_bytes_ = 0;
  std::optional<RegionRecord> newest_record_;  // since begin(), or the last loss
  bool several_targets_ = false;               // since begin()
  int64_t last_ended_ns_ = 0;  // when the aggregation before that ended; 0: not known
  std::optional<RegionSnapshot> newest_;
};

}  // namespace damon_statfs
