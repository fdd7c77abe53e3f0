// SPDX-License-Identifier: GPL-2.0-or-later
//
// One estimator for each kind of source: a sample of pages, DAMON's regions, or regions that are
// delivered. A source of page checks serves the first two.
#include "engine/estimators.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "engine/pages/checked_pages.h"
#include "engine/pages/page_sampler.h"
#include "engine/regions/paged_region_checks.h"
#include "engine/regions/region_collector.h"
#include "engine/regions/region_refresh.h"
#include "engine/regions/sampler.h"

namespace damon_statfs {
namespace {

// Any number that differs from start to start will do. std::random_device would wait for the
// kernel's entropy at boot.
uint64_t seed_or_arbitrary(uint64_t seed) {
  if (seed != 0) return seed;
  return static_cast<uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
}

uint64_t page_bytes() { return static_cast<uint64_t>(sysconf(_SC_PAGESIZE)); }

// An estimator together with its source, and for regions with what makes values of them.
class OwningEstimator final : public Estimator {
 public:
  OwningEstimator(std::unique_ptr<Operations> source, std::unique_ptr<RegionRefresh> refresh,
                  std::unique_ptr<Estimator> estimator)
      : source_(std::move(source)),
        refresh_(std::move(refresh)),
        estimator_(std::move(estimator)) {}

  Result<void> start() override {
    BOOST_OUTCOME_TRYV(estimator_->start());
    if (refresh_) refresh_->start();
    return outcome::success();
  }
  int64_t deadline_ns() const override { return estimator_->deadline_ns(); }
  Result<void> step() override { return estimator_->step(); }
  void change(const RunSettings& settings) override { estimator_->change(settings); }
  void stop() override { estimator_->stop(); }
  uint64_t monitored_bytes() const override { return estimator_->monitored_bytes(); }
  OperationsFacts facts() const override { return estimator_->facts(); }

 private:
  const std::unique_ptr<Operations> source_;
  const std::unique_ptr<RegionRefresh> refresh_;  // none for pages
  const std::unique_ptr<Estimator> estimator_;
};

// What all estimators are made with.
struct EstimatorMaker {
  const EngineConfig& config;
  const OperationsContext& context;
  std::function<bool()> cancelled;
  MonitoringObserver& observer;

  std::unique_ptr<Estimator> of_pages(const OperationsSet& set) const {
    const uint64_t seed = seed_or_arbitrary(config.seed);
    std::unique_ptr<ObservedPages> pages;
    if (set.makes<ObservedPages>()) {
      pages = set.make<ObservedPages>(context);
    } else {
      pages = std::make_unique<CheckedPages>(
          CheckedPagesConfig{context.attrs, context.refresh_ms, page_bytes(), seed},
          set.make<PageChecks>(context), *context.clock);
    }
    const PageSamplerConfig sample{
        context.attrs, config.max_cpu_percent, config.excluded, page_bytes(), seed, context.log};
    auto sampler = std::make_unique<PageSampler>(sample, *pages, *context.clock, observer);
    return std::make_unique<OwningEstimator>(std::move(pages), nullptr, std::move(sampler));
  }

  std::unique_ptr<Estimator> of_delivered(std::unique_ptr<DeliveredRegions> source) const {
    auto refresh = std::make_unique<RegionRefresh>(context, observer);
    auto collector = std::make_unique<RegionCollector>(context.attrs, config.max_cpu_percent,
                                                       *source, *context.clock, *refresh);
    return std::make_unique<OwningEstimator>(std::move(source), std::move(refresh),
                                             std::move(collector));
  }

  std::unique_ptr<Estimator> of_regions(std::unique_ptr<RegionChecks> source) const {
    SamplerConfig regions;
    regions.attrs = context.attrs;
    regions.max_cpu_percent = config.max_cpu_percent;
    regions.min_region_bytes = page_bytes();
    regions.seed = seed_or_arbitrary(config.seed);
    regions.cancelled = cancelled;
    if (config.kernel_regions) regions.rules = kKernelRules;
    auto refresh = std::make_unique<RegionRefresh>(context, observer, regions.rules);
    auto sampler = std::make_unique<Sampler>(regions, *source, *context.clock, *refresh);
    return std::make_unique<OwningEstimator>(std::move(source), std::move(refresh),
                                             std::move(sampler));
  }
};

}  // namespace

Result<void> choose_pages(const OperationsSet& set, EstimatorChoice choice,
                          const OperationsContext& context) {
  if (choice == EstimatorChoice::kRegions) return failure(EINVAL, "estimator=regions");
  if (!set.makes_pages()) {
    return failure(EINVAL, fmt::format("{} delivers regions", set.name));
  }
  return set.probe_pages == nullptr ? outcome::success() : set.probe_pages(context);
}

std::unique_ptr<Estimator> make_estimator(const OperationsSet& set, bool pages,
                                          const EngineConfig& config,
                                          const OperationsContext& context,
                                          std::function<bool()> cancelled,
                                          MonitoringObserver& observer) {
  const EstimatorMaker maker{config, context, std::move(cancelled), observer};
  if (pages) return maker.of_pages(set);
  if (set.makes<DeliveredRegions>()) return maker.of_delivered(set.make<DeliveredRegions>(context));
  if (set.makes<RegionChecks>()) return maker.of_regions(set.make<RegionChecks>(context));
  return maker.of_regions(std::make_unique<PagedRegionChecks>(set.make<PageChecks>(context),
                                                              *context.clock, page_bytes()));
}

}  // namespace damon_statfs
