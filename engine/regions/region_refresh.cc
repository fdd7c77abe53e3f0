// SPDX-License-Identifier: GPL-2.0-or-later
//
// The kernel's rule: a refresh at the first aggregation that ends later than refresh_ms after the
// last one, or after the start.
#include "engine/regions/region_refresh.h"

#include <fmt/format.h>

#include <span>
#include <vector>

#include "engine/estimate/stats.h"
#include "engine/regions/regions.h"

namespace damon_statfs {
namespace {

MonitoringDetails details_of(const RegionsView& view, std::span<const IdleSize> parts) {
  MonitoringDetails details;
  details.monitored_bytes = total_bytes(view.regions);
  details.sample_us = view.sample_us;
  details.aggr_us = view.attrs.aggr_us;
  details.by_estimator = RegionDetails{view.regions.size()};
  details.nr_checks = view.nr_checks;
  for (size_t i = 0; i < details.share_percent.size(); ++i) {
    details.share_percent[i] = share_below_percent(parts, MonitoringDetails::kShareLimitsMs[i]);
  }
  return details;
}

}  // namespace

void RegionRefresh::after_aggregation(const RegionsView& view) {
  context_.log(LogLevel::kDebug,
               fmt::format("aggregation: {} regions, sample_us={} aggr_us={}", view.regions.size(),
                           view.sample_us, view.attrs.aggr_us));
  observer_.after_aggregation(view);
  const int64_t refresh_ns = static_cast<int64_t>(context_.refresh_ms) * kNsPerMs;
  if (view.now_ns <= last_refresh_ns_ + refresh_ns) return;
  last_refresh_ns_ = view.now_ns;
  const uint64_t aggr_us = view.attrs.aggr_us;
  std::vector<IdleSize> parts = rules_.real_time ? idle_sizes(view.regions, view.now_ns)
                                                 : nominal_idle_sizes(view.regions, aggr_us);
  const Statistics statistics = make_statistics(view.regions, aggr_us, parts);
  observer_.refreshed(statistics, details_of(view, parts));
}

}  // namespace damon_statfs
