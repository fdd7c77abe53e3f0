// SPDX-License-Identifier: GPL-2.0-or-later
//
// DAMON's main loop without the loop: step() does the work of one sampling interval, deadline_ns()
// says when the next is due. It never waits, so tests drive it through days of virtual time.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "damon_statfs/attrs.h"
#include "damon_statfs/clock.h"
#include "damon_statfs/observer.h"
#include "damon_statfs/region_checks.h"
#include "engine/base/random.h"
#include "engine/estimate/estimator.h"
#include "engine/regions/cpu_budget.h"
#include "engine/regions/region_rules.h"
#include "engine/regions/regions.h"

namespace damon_statfs {

struct SamplerConfig {
  MonitoringAttrs attrs;
  double max_cpu_percent = 100;
  uint64_t min_region_bytes = 4096;  // the page size
  uint64_t seed = 1;
  RegionRules rules{};
  std::function<bool()> cancelled = [] { return false; };  // asked within long ticks
};

class Sampler final : public Estimator {
 public:
  // The source of checks, clock and observer outlive the sampler.
  Sampler(const SamplerConfig& config, RegionChecks& checks, const Clock& clock,
          MonitoringObserver& observer);

  Result<void> start() override;
  int64_t deadline_ns() const override { return deadline_ns_; }
  Result<void> step() override;  // one sampling interval's work
  void change(const RunSettings& settings) override;
  void stop() override;
  uint64_t monitored_bytes() const override { return monitored_bytes_; }
  OperationsFacts facts() const override { return checks_.facts(); }

  const MonitoringAttrs& attrs() const { return attrs_; }
  const Regions& regions() const { return regions_; }

 private:
  using CheckFunction = Result<void> (RegionChecks::*)(std::span<Region>);

  Result<void> fit_to_ranges(std::span<const AddressRange> ranges);
  Result<void> prepare_access_checks();
  Result<void> for_all_regions(CheckFunction function);
  void admit_lateness();
  void end_aggregation();
  void merge(uint32_t threshold);
  bool tune_intervals();
  void set_sample_us(uint64_t sample_us);
  void restart_aggregation(int64_t suspended_ns);
  Result<void> update_if_due();
  void arm_deadline();
  RegionsView view() const;

  RegionChecks& checks_;
  const Clock& clock_;
  MonitoringObserver& observer_;
  const std::function<bool()> cancelled_;
  const uint64_t min_region_bytes_;
  const RegionRules rules_;
  const uint64_t aggr_samples_;  // samples per aggregation as first configured
  Random random_;
  Splitter splitter_;
  double max_cpu_percent_;
  CpuBudget budget_;

  MonitoringAttrs attrs_;  // in force: the tuned interval, or a longer one where that is the truth
  uint64_t tuned_sample_us_;  // what the tuning, or the user, wants
  uint64_t monitored_bytes_ = 0;
  uint64_t max_region_bytes_ = 0;
  Regions regions_;

  uint64_t nr_checks_ = 0;
  uint64_t passed_samples_ = 0;
  uint64_t next_aggr_sample_ = 0;
  uint64_t next_tune_sample_ = 0;
  int64_t next_update_ns_ = 0;
  int64_t deadline_ns_ = 0;
  int64_t aggr_start_ns_ = 0;
  int64_t aggr_suspended_ns_ = 0;  // Clock::suspended_ns() when this aggregation began
};

}  // namespace damon_statfs
