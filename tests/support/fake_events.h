// SPDX-License-Identifier: GPL-2.0-or-later
//
// Trace records that a test writes. What it keeps is shared, because the code under test owns the
// object that it drains.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "damon_statfs/region.h"
#include "engine/damon/aggregated_events.h"

namespace damon_statfs::test {

// What has been written, and what was asked for.
struct EventsScript {
  std::vector<RegionRecord> records;
  uint64_t dropped = 0;
  bool ended = false;
  int enable_errno = 0;  // not 0: what enable() fails with

  bool enabled = false;
  int nr_enabled = 0;
  int nr_disabled = 0;
  int nr_drained = 0;
  int nr_destroyed = 0;

  // The records of one aggregation, which is what all regions of one target are. None are written
  // while they are off.
  void push_aggregation(int64_t time_ns, const std::vector<Region>& regions,
                        uint64_t target_id = 0) {
    for (const Region& region : regions) {
      push({time_ns, target_id, static_cast<uint32_t>(regions.size()), region.start, region.end,
            region.nr_accesses, region.age});
    }
  }
  void push(const RegionRecord& record) {
    if (enabled) records.push_back(record);
  }
};

class FakeEvents final : public AggregatedEvents {
 public:
  explicit FakeEvents(std::shared_ptr<EventsScript> script) : script_(std::move(script)) {}
  ~FakeEvents() override {
    script_->enabled = false;
    ++script_->nr_destroyed;
  }

  Result<void> enable() override {
    ++script_->nr_enabled;
    if (script_->enable_errno != 0) return failure(script_->enable_errno, "scripted error");
    script_->enabled = true;
    script_->records.clear();
    return outcome::success();
  }
  void disable() noexcept override {
    ++script_->nr_disabled;
    script_->enabled = false;
  }
  Drained drain() override {
    ++script_->nr_drained;
    return {std::exchange(script_->records, {}), std::exchange(script_->dropped, 0),
            script_->ended};
  }

 private:
  std::shared_ptr<EventsScript> script_;
};

}  // namespace damon_statfs::test
