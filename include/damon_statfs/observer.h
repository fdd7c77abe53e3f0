// SPDX-License-Identifier: GPL-2.0-or-later
//
// Those who want to see what monitoring finds, as with the callbacks of the kernel's DAMON. Any
// number of observers are registered at the engine; the one that publishes snapshots is its own.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "damon_statfs/attrs.h"
#include "damon_statfs/region.h"
#include "damon_statfs/snapshot.h"

namespace damon_statfs {

// The regions at one moment, valid during the observer's call.
struct RegionsView {
  std::span<const Region> regions;  // ascending
  const MonitoringAttrs& attrs;     // in force while these counts were collected
  int64_t now_ns;                   // Clock::now_ns()
  uint64_t nr_checks;               // access checks since the start; 0: the source delivers regions
  uint64_t sample_us;               // in force; 0: the source delivers regions and does not tell
};

// All functions run in the engine thread. An estimator of pages has no regions, and calls only the
// last two.
class MonitoringObserver {
 public:
  virtual ~MonitoringObserver() = default;

  // After each sampling interval's checks; nr_accesses counts the aggregation so far.
  virtual void after_sampling(const RegionsView&) {}

  // At the end of an aggregation: merged, but not yet tuned, reset or split.
  virtual void after_aggregation(const RegionsView&) {}

  // The values of the files are new. details: those that the estimator knows.
  virtual void refreshed(const Statistics&, const MonitoringDetails&) {}

  // Before monitoring that had started ends, for whatever reason.
  virtual void before_stop() {}
};

// Hands every call on to all observers that were added, in their order.
class Observers final : public MonitoringObserver {
 public:
  // The observer outlives this object.
  void add(MonitoringObserver& observer) { observers_.push_back(&observer); }

  void after_sampling(const RegionsView& view) override {
    for (MonitoringObserver* const observer : observers_) observer->after_sampling(view);
  }
  void after_aggregation(const RegionsView& view) override {
    for (MonitoringObserver* const observer : observers_) observer->after_aggregation(view);
  }
  void refreshed(const Statistics& statistics, const MonitoringDetails& details) override {
    for (MonitoringObserver* const observer : observers_) observer->refreshed(statistics, details);
  }
  void before_stop() override {
    for (MonitoringObserver* const observer : observers_) observer->before_stop();
  }

 private:
  std::vector<MonitoringObserver*> observers_;
};

}  // namespace damon_statfs
