// SPDX-License-Identifier: GPL-2.0-or-later
//
// A sampler with everything it needs, driven through virtual time by the test that owns it.
#pragma once

#include <functional>

#include "engine/estimate/stats.h"
#include "engine/regions/sampler.h"
#include "support/catch.h"
#include "support/fake_operations.h"
#include "unit/engine/regions/region_lists.h"

namespace damon_statfs::test {

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kGiB = uint64_t{1} << 30;

// Attributes without tuning: 20 samples of 5 ms.
inline MonitoringAttrs untuned() {
  MonitoringAttrs attrs;
  attrs.goal.aggrs = 0;
  return attrs;
}

class SamplerRun final : public MonitoringObserver {
 public:
  explicit SamplerRun(const MonitoringAttrs& attrs, double max_cpu_percent = 100) {
    config.attrs = attrs;
    config.max_cpu_percent = max_cpu_percent;
    script.clock = &clock;
  }

  // Opens the operations set. What is changed in `script` and `config` before counts.
  void start() {
    REQUIRE(try_start());
    begun_ns = clock.now_ns();
  }
  Result<void> try_start() {
    sampler.emplace(config, operations, clock, *this);
    return sampler->start();
  }

  // One sampling interval, which wakes up late by late_ns.
  Result<void> tick() {
    clock.wait_until(sampler->deadline_ns(), -1);
    clock.advance(late_ns);
    return sampler->step();
  }
  void run_aggregations(uint64_t count) {
    const uint64_t until = aggregations + count;
    while (aggregations < until) require(tick());
  }
  void run_for(int64_t ns) {
    const int64_t until_ns = clock.now_ns() + ns;
    while (sampler->deadline_ns() <= until_ns) require(tick());
  }

  void after_sampling(const RegionsView& view) override {
    script.calls.emplace_back("sampled");
    on_sampling(view);
  }
  void after_aggregation(const RegionsView& view) override {
    script.calls.emplace_back("aggregated");
    ++aggregations;
    aggregated.assign(view.regions.begin(), view.regions.end());
    aggregated_attrs = view.attrs;
    idle = idle_sizes_of(view);
    statistics = make_statistics(view.regions, view.attrs.aggr_us, idle);
    aggr_ns = view.now_ns - aggregated_ns;
    aggregated_ns = view.now_ns;
    on_aggregation(view);
  }
  // Each region's size and idle time, by the rules in force.
  std::vector<IdleSize> idle_sizes_of(const RegionsView& view) const {
    return config.rules.real_time ? idle_sizes(view.regions, view.now_ns)
                                  : nominal_idle_sizes(view.regions, view.attrs.aggr_us);
  }
  void before_stop() override { script.calls.emplace_back("stop"); }

  // As REQUIRE, which takes longer than a tick.
  static void require(const Result<void>& done) {
    if (!done) FAIL(done.error().context);
  }

  FakeClock clock;
  Script script;
  SamplerConfig config;
  FakeOperations operations{script};
  std::optional<Sampler> sampler;
  int64_t late_ns = 0;
  int64_t begun_ns = 0;

  uint64_t aggregations = 0;
  Regions aggregated;  // what the last aggregation ended with
  MonitoringAttrs aggregated_attrs;
  std::vector<IdleSize> idle;  // the same as sizes and idle times
  Statistics statistics;
  int64_t aggregated_ns = 0;
  int64_t aggr_ns = 0;  // between the last two aggregations
  std::function<void(const RegionsView&)> on_sampling = [](const RegionsView&) {};
  std::function<void(const RegionsView&)> on_aggregation = [](const RegionsView&) {};
};

}  // namespace damon_statfs::test
