// SPDX-License-Identifier: GPL-2.0-or-later
//
// The engine thread has to stay under max_cpu whatever a check costs, and the published intervals
// have to be the ones it then really works with.
#include "engine/regions/cpu_budget.h"

#include <algorithm>

#include "unit/engine/regions/sampler_run.h"

namespace damon_statfs::test {
namespace {

TEST_CASE("the next tick waits until used CPU time fits", "[cpu_budget]") {
  CpuBudget budget(1, 0, 0);
  CHECK(budget.account_tick(0, 0) == 0);
  CHECK(budget.account_tick(0, kNsPerMs) == 100 * kNsPerMs);
  CHECK(budget.account_tick(50 * kNsPerMs, 2 * kNsPerMs) == 200 * kNsPerMs);
  // After a long rest, one second's worth is in credit: 10 ms of CPU.
  const int64_t later_ns = 3600 * kNsPerSecond;
  CHECK(budget.account_tick(later_ns, 12 * kNsPerMs) == later_ns);
  CHECK(budget.account_tick(later_ns, 13 * kNsPerMs) == later_ns + 100 * kNsPerMs);
}

TEST_CASE("the shortest sampling interval that fits", "[cpu_budget]") {
  CpuBudget budget(10, 0, 0);
  int64_t cpu_ns = 0;
  const auto aggregation = [&](int64_t cost_ns) {
    for (int i = 0; i < 20; ++i) budget.account_tick(0, cpu_ns += cost_ns);
    return budget.end_aggregation_min_sample_us();
  };
  // Ten times what a tick costs, and an eighth more.
  CHECK(aggregation(3 * kNsPerMs) == 33'750);
  CHECK(aggregation(29 * kNsPerMs / 10) == 33'750);  // a little cheaper: as it was
  CHECK(aggregation(10 * kNsPerMs) == 112'500);
  CHECK(aggregation(kNsPerMs) == 11'250);
  CHECK(aggregation(0) == 0);
  CHECK(budget.end_aggregation_min_sample_us() == 0);  // no tick at all
}

TEST_CASE("an absurdly small budget does not wrap", "[cpu_budget]") {
  const double percent = GENERATE(1e-6, 1e-9, 1e-12);
  CAPTURE(percent);
  CpuBudget budget(percent, 0, 0);
  int64_t previous_ns = 0;
  for (int64_t tick = 1; tick <= 5; ++tick) {
    const int64_t next_ns = budget.account_tick(0, tick * 100 * kNsPerMs);
    CHECK(next_ns >= previous_ns);
    CHECK(next_ns > 365LL * 86'400 * kNsPerSecond / 100);
    previous_ns = next_ns;
  }
}

// How much CPU time may have been used at the moment a tick begins.
void check_within_budget(const SamplerRun& run, double max_percent) {
  const auto elapsed_ns =
      static_cast<double>(run.sampler->deadline_ns() - run.begun_ns) + kNsPerSecond;
  REQUIRE(static_cast<double>(run.clock.thread_cpu_ns()) <= elapsed_ns * max_percent / 100 + 1000);
}

TEST_CASE("the engine stays within max_cpu at any cost per check", "[cpu_budget]") {
  const double max_percent = GENERATE(0.1, 1.0, 30.0);
  const int64_t cost_ns = GENERATE(int64_t{300}, int64_t{20'000}, int64_t{2'000'000});
  const uint64_t aggrs = GENERATE(uint64_t{0}, uint64_t{3});
  CAPTURE(max_percent, cost_ns, aggrs);
  MonitoringAttrs attrs;
  attrs.goal.aggrs = aggrs;
  SamplerRun run(attrs, max_percent);
  run.script.ranges = {{0, 16 * kGiB}};
  run.script.accessed = [](uint64_t address) { return address / kGiB % 2 == 0; };
  run.script.cpu_ns_per_check = cost_ns;
  run.start();
  while (run.aggregations < 40) {
    REQUIRE(run.tick());
    check_within_budget(run, max_percent);
  }
  // The intervals are stretched, and true: aggr_us is what an aggregation takes.
  const MonitoringAttrs& published = run.aggregated_attrs;
  CHECK(published.aggr_us == 20 * published.sample_us);
  const auto tick_cost_ns = static_cast<double>(cost_ns) * 10;  // ten regions at least
  CHECK(static_cast<double>(published.sample_us) * 1000 * max_percent / 100 >= tick_cost_ns * 0.99);
  const double real_per_published =
      static_cast<double>(run.aggr_ns) / 1000 / static_cast<double>(published.aggr_us);
  CAPTURE(real_per_published, published.sample_us);
  CHECK(real_per_published > 0.999);
  CHECK(real_per_published < 1.001);
}

TEST_CASE("the intervals recover when checks become cheap", "[cpu_budget]") {
  SamplerRun run(untuned(), 1);
  run.script.cpu_ns_per_check = 50'000;
  run.start();
  run.run_aggregations(10);
  // A hundred times 50 us of ten regions at least, and of forty at most.
  CHECK(run.sampler->attrs().sample_us >= 50'000);
  CHECK(run.sampler->attrs().sample_us <= 225'000);
  run.script.cpu_ns_per_check = 10;
  run.run_aggregations(5);
  CHECK(run.sampler->attrs().sample_us == 5'000);
  CHECK(run.sampler->attrs().aggr_us == 100'000);
}

TEST_CASE("cheap checks cost no interval", "[cpu_budget]") {
  SamplerRun run(untuned(), 1);
  run.script.cpu_ns_per_check = 100;
  run.start();
  run.run_aggregations(50);
  CHECK(run.sampler->attrs() == untuned());
  CHECK(run.clock.now_ns() - run.begun_ns < 5'001 * kNsPerMs);
}

}  // namespace
}  // namespace damon_statfs::test
