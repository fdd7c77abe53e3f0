// SPDX-License-Identifier: GPL-2.0-or-later
//
// The estimator of regions that a kdamond delivers: the kernel splits, merges and ages them, so all
// that is left is to ask for them when the source says that they are due.
#pragma once

#include <cstdint>

#include "damon_statfs/attrs.h"
#include "damon_statfs/clock.h"
#include "damon_statfs/delivered_regions.h"
#include "damon_statfs/observer.h"
#include "engine/estimate/estimator.h"
#include "engine/regions/cpu_budget.h"
#include "engine/regions/regions.h"

namespace damon_statfs {

class RegionCollector final : public Estimator {
 public:
  // The source, clock and observer outlive the collector. max_cpu_percent: of one CPU, for the
  // engine thread.
  RegionCollector(const MonitoringAttrs& attrs, double max_cpu_percent, DeliveredRegions& source,
                  const Clock& clock, MonitoringObserver& observer);

  Result<void> start() override;
  int64_t deadline_ns() const override { return deadline_ns_; }
  Result<void> step() override;
  void change(const RunSettings& settings) override;
  void stop() override;
  uint64_t monitored_bytes() const override { return monitored_bytes_; }
  OperationsFacts facts() const override { return source_.facts(); }

  // Those of the newest aggregation.
  const Regions& regions() const { return regions_; }

 private:
  void take(Aggregation aggregation);
  Result<void> update_if_due();
  void arm_deadline();

  DeliveredRegions& source_;
  const Clock& clock_;
  MonitoringObserver& observer_;
  double max_cpu_percent_;
  CpuBudget budget_;

  MonitoringAttrs attrs_;  // with the intervals of the newest aggregation
  Regions regions_;
  uint64_t monitored_bytes_ = 0;
  int64_t next_update_ns_ = 0;
  int64_t deadline_ns_ = 0;
};

}  // namespace damon_statfs
