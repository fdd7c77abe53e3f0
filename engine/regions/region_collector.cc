// SPDX-License-Identifier: GPL-2.0-or-later
//
// The engine thread's own work is small here, and yet it is held to max_cpu: a source that is
// always due must not take a CPU.
#include "engine/regions/region_collector.h"

#include <algorithm>
#include <utility>

#include "engine/base/memory_ranges.h"

namespace damon_statfs {

RegionCollector::RegionCollector(const MonitoringAttrs& attrs, double max_cpu_percent,
                                 DeliveredRegions& source, const Clock& clock,
                                 MonitoringObserver& observer)
    : source_(source),
      clock_(clock),
      observer_(observer),
      max_cpu_percent_(max_cpu_percent),
      budget_(max_cpu_percent, clock.now_ns(), clock.thread_cpu_ns()),
      attrs_(normalised(attrs)) {}

Result<void> RegionCollector::start() {
  DAMON_STATFS_TRY(ranges, source_.open());
  monitored_bytes_ = total_bytes(ranges);
  const int64_t now_ns = clock_.now_ns();
  // What opening has cost is paid: a kdamond's trace events alone would be half a minute's budget.
  budget_ = CpuBudget(max_cpu_percent_, now_ns, clock_.thread_cpu_ns());
  next_update_ns_ = now_ns + static_cast<int64_t>(attrs_.update_us) * kNsPerUs;
  arm_deadline();
  return outcome::success();
}

Result<void> RegionCollector::step() {
  DAMON_STATFS_TRY(aggregation, source_.collect());
  if (aggregation) take(std::move(*aggregation));
  BOOST_OUTCOME_TRYV(update_if_due());
  arm_deadline();
  return outcome::success();
}

void RegionCollector::take(Aggregation aggregation) {
  regions_ = std::move(aggregation.regions);
  const uint64_t aggr_us = aggregation.aggr_us;
  const uint64_t sample_us = aggregation.sample_us != 0 ? aggregation.sample_us : attrs_.sample_us;
  attrs_ = with_intervals(attrs_, std::min(sample_us, aggr_us), aggr_us);
  constexpr uint64_t kNoChecks = 0;
  observer_.after_aggregation(
      {regions_, attrs_, clock_.now_ns(), kNoChecks, aggregation.sample_us});
}

// The goal of the intervals is the source's business, which reads it from its context.
void RegionCollector::change(const RunSettings& settings) {
  if (settings.max_cpu_percent == max_cpu_percent_) return;
  max_cpu_percent_ = settings.max_cpu_percent;
  budget_ = CpuBudget(max_cpu_percent_, clock_.now_ns(), clock_.thread_cpu_ns());
}

void RegionCollector::stop() {
  observer_.before_stop();
  source_.close();
}

Result<void> RegionCollector::update_if_due() {
  const int64_t now_ns = clock_.now_ns();
  if (now_ns < next_update_ns_) return outcome::success();
  next_update_ns_ = now_ns + static_cast<int64_t>(attrs_.update_us) * kNsPerUs;
  BOOST_OUTCOME_TRYV(source_.update());
  return outcome::success();
}

void RegionCollector::arm_deadline() {
  deadline_ns_ = std::max(source_.collect_due_ns(),
                          budget_.account_tick(clock_.now_ns(), clock_.thread_cpu_ns()));
}

}  // namespace damon_statfs
