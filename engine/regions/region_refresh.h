// SPDX-License-Identifier: GPL-2.0-or-later
//
// Makes the values of the files from regions, at the end of some aggregations. It stands between
// the estimator, whose regions it sees, and those who observe the monitoring.
#pragma once

#include <cstdint>

#include "damon_statfs/observer.h"
#include "damon_statfs/operations_context.h"
#include "engine/regions/region_rules.h"

namespace damon_statfs {

class RegionRefresh final : public MonitoringObserver {
 public:
  // Context and observer outlive the object. refresh_ms is read from the context at each
  // aggregation. rules: those that the estimator goes by.
  RegionRefresh(const OperationsContext& context, MonitoringObserver& observer,
                const RegionRules& rules = {})
      : context_(context), observer_(observer), rules_(rules) {}

  // Monitoring has started now.
  void start() { last_refresh_ns_ = context_.clock->now_ns(); }

  void after_sampling(const RegionsView& view) override { observer_.after_sampling(view); }
  void after_aggregation(const RegionsView& view) override;
  void before_stop() override { observer_.before_stop(); }

 private:
  const OperationsContext& context_;
  MonitoringObserver& observer_;
  const RegionRules rules_;
  int64_t last_refresh_ns_ = 0;
};

}  // namespace damon_statfs
