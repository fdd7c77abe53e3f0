// SPDX-License-Identifier: GPL-2.0-or-later
//
// DAMON's sampler shows its regions at each aggregation; what the files say is refreshed less
// often.
#include "engine/estimators.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <utility>
#include <vector>

#include "engine/base/memory_ranges.h"
#include "engine/pages/page_sampler.h"
#include "engine/regions/sampler.h"
#include "engine/estimate/stats.h"

namespace damon_statfs {
namespace {

// Any number that differs from start to start will do. std::random_device would wait for the
// kernel's entropy at boot.
uint64_t seed_or_arbitrary(uint64_t seed) {
  if (seed != 0) return seed;
  return static_cast<uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
}

uint64_t page_bytes() { return static_cast<uint64_t>(sysconf(_SC_PAGESIZE)); }

// estimator=regions: the sampler, and statistics of its regions.
class RegionEstimator final : public Estimator, private SamplerObserver {
 public:
  RegionEstimator(const SamplerConfig& config, const OperationsContext& context,
                  Operations& operations, RefreshObserver& observer)
      : context_(context),
        observer_(observer),
        sampler_(config, operations, *context.clock, *this) {}

  Result<void> start() override {
    BOOST_OUTCOME_TRYV(sampler_.start());
    last_refresh_ns_ = context_.clock->now_ns();
    return outcome::success();
  }
  int64_t deadline_ns() const override { return sampler_.deadline_ns(); }
  Result<void> step() override { return sampler_.step(); }
  void change(const RunSettings& settings) override { sampler_.change(settings); }
  void stop() override { sampler_.stop(); }
  uint64_t monitored_bytes() const override { return sampler_.monitored_bytes(); }

 private:
  // The kernel's rule: a refresh at the first aggregation that ends later than refresh_ms after the
  // last one, or after the start.
  void after_aggregation(const RegionsView& view) override {
    context_.log(LogLevel::kDebug,
                 fmt::format("aggregation: {} regions, sample_us={} aggr_us={}",
                             view.regions.size(), view.sample_us, view.attrs.aggr_us));
    if (view.now_ns <= last_refresh_ns_ + static_cast<int64_t>(context_.refresh_ms) * kNsPerMs)
      return;
    last_refresh_ns_ = view.now_ns;
    MonitoringDetails details;
    details.monitored_bytes = total_bytes(view.regions);
    details.sample_us = view.sample_us;
    details.aggr_us = view.attrs.aggr_us;
    details.by_estimator = RegionDetails{view.regions.size()};
    details.nr_checks = view.nr_checks;
    const std::vector<IdleSize> parts = idle_sizes(view.regions, view.now_ns);
    for (size_t i = 0; i < details.share_percent.size(); ++i) {
      details.share_percent[i] = share_below_percent(parts, MonitoringDetails::kShareLimitsMs[i]);
    }
    observer_.refreshed(make_statistics(view.regions, view.attrs.aggr_us, view.now_ns), details);
  }

  const OperationsContext& context_;
  RefreshObserver& observer_;
  int64_t last_refresh_ns_ = 0;
  Sampler sampler_;
};

}  // namespace

bool uses_pages(const OperationsSet& set, const EngineConfig& config) {
  return set.checks_pages && config.estimator != EstimatorChoice::kRegions;
}

std::unique_ptr<Estimator> make_estimator(const OperationsSet& set, const EngineConfig& config,
                                          const OperationsContext& context, Operations& operations,
                                          std::function<bool()> cancelled,
                                          RefreshObserver& observer) {
  if (uses_pages(set, config)) {
    const PageSamplerConfig pages{context.attrs,
                                  context.refresh_ms,
                                  config.max_cpu_percent,
                                  config.exclude_untracked,
                                  page_bytes(),
                                  seed_or_arbitrary(config.seed),
                                  context.log};
    return std::make_unique<PageSampler>(pages, operations, *context.clock, observer);
  }
  SamplerConfig regions;
  regions.attrs = context.attrs;
  regions.max_cpu_percent = config.max_cpu_percent;
  regions.min_region_bytes = page_bytes();
  regions.seed = seed_or_arbitrary(config.seed);
  regions.cancelled = std::move(cancelled);
  return std::make_unique<RegionEstimator>(regions, context, operations, observer);
}

}  // namespace damon_statfs
