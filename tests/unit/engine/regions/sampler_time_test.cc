// SPDX-License-Identifier: GPL-2.0-or-later
//
// Idle time is real time: late ticks, suspended machines and tuned intervals must not show in it,
// as they do in the kernel's, which counts nominal aggregations.
#include <algorithm>
#include <cstdlib>

#include "engine/base/wide.h"
#include "unit/engine/regions/sampler_run.h"

namespace damon_statfs::test {
namespace {

constexpr int64_t kMinute = 60 * kNsPerSecond;

TEST_CASE("untouched for 60 s reads 60 s, however late the ticks are", "[sampler][time]") {
  const int64_t late_ns = GENERATE(int64_t{0}, 1 * kNsPerMs, 7 * kNsPerMs, 40 * kNsPerMs);
  CAPTURE(late_ns);
  SamplerRun run(untuned());
  run.late_ns = late_ns;
  bool hot = true;
  run.script.accessed = [&](uint64_t) { return hot; };
  run.start();
  run.run_for(kMinute);
  CHECK(run.statistics.memory_idle_ms_percentiles[100] < -50'000);  // hot for a minute
  hot = false;
  const int64_t last_touch_ns = run.clock.now_ns();
  run.run_for(kMinute);
  run.run_aggregations(1);
  const int64_t idle_ms = (run.aggregated_ns - last_touch_ns) / kNsPerMs;
  const int64_t aggr_ms = run.aggr_ns / kNsPerMs + 1;
  for (const size_t p : {size_t{0}, size_t{50}, size_t{100}}) {
    CAPTURE(p, idle_ms, aggr_ms, run.statistics.memory_idle_ms_percentiles[p]);
    CHECK(std::abs(run.statistics.memory_idle_ms_percentiles[p] - idle_ms) <= aggr_ms);
  }
}

TEST_CASE("hot time is real time, too", "[sampler][time]") {
  SamplerRun run(untuned());
  run.late_ns = 12 * kNsPerMs;
  run.script.accessed = [](uint64_t) { return true; };
  run.start();
  run.run_for(kMinute);
  run.run_aggregations(1);
  const int64_t hot_ms = (run.aggregated_ns - run.begun_ns) / kNsPerMs;
  CHECK(run.statistics.memory_idle_ms_percentiles[0] == -hot_ms);
  CHECK(run.statistics.memory_idle_ms_percentiles[100] == -hot_ms);
}

TEST_CASE("intervals that were longer are published as longer", "[sampler][time]") {
  struct Row {
    int64_t late_ns;
    uint64_t aggr_us;
  };
  const Row row =
      GENERATE(Row{0, 100'000}, Row{1 * kNsPerMs, 100'000}, Row{45 * kNsPerMs, 1'000'000});
  CAPTURE(row.late_ns);
  SamplerRun run(untuned());
  run.late_ns = row.late_ns;
  run.script.accessed = [](uint64_t) { return true; };
  run.start();
  run.run_aggregations(5);
  CHECK(run.statistics.aggr_interval_us == row.aggr_us);
  const uint64_t accessed_bytes = 20 * total_bytes(run.aggregated);
  CHECK(run.statistics.estimated_memory_bandwidth_bytes_per_s ==
        mul_div(accessed_bytes, 1'000'000, row.aggr_us));
}

TEST_CASE("a late aggregation counts what a punctual one does", "[sampler][time]") {
  MonitoringAttrs attrs = untuned();
  attrs.aggr_us = 14 * attrs.sample_us;
  SamplerRun run(attrs);
  run.late_ns = 45 * kNsPerMs;
  uint64_t nr_ticks = 0;
  run.script.accessed = [&](uint64_t) { return nr_ticks % 14 == 3; };  // in one of 14 samples
  run.on_sampling = [&](const RegionsView&) { ++nr_ticks; };
  run.start();
  for (int i = 0; i < 5; ++i) {
    run.run_aggregations(1);
    CAPTURE(i, run.aggregated_attrs.sample_us);
    for (const Region& region : run.aggregated) CHECK(region.nr_accesses == 1);
  }
  CHECK(run.aggregated_attrs.sample_us == 50'000);
}

TEST_CASE("a late tick is not followed by one at once", "[sampler][time]") {
  SamplerRun run(untuned());
  run.start();
  run.late_ns = 100 * kNsPerMs;
  REQUIRE(run.tick());
  // Checking right after preparing would find everything idle.
  CHECK(run.sampler->deadline_ns() >= run.clock.now_ns() + 5 * kNsPerMs / 2);
}

TEST_CASE("tuning loses no idle time", "[sampler][time]") {
  SamplerRun run{MonitoringAttrs()};
  run.start();
  run.run_for(10 * kMinute);
  const int64_t idle_ms = (run.aggregated_ns - run.begun_ns) / kNsPerMs;
  CHECK(run.sampler->attrs().sample_us > 1'000'000);
  CHECK(run.statistics.memory_idle_ms_percentiles[0] == idle_ms);
  CHECK(run.statistics.memory_idle_ms_percentiles[100] == idle_ms);
}

TEST_CASE("an idle machine gets the longest intervals after 614.1 s", "[sampler][time]") {
  SamplerRun run{MonitoringAttrs()};
  run.start();
  uint64_t tunings = 0;
  uint64_t sample_us = 5'000;
  while (run.sampler->attrs().sample_us < 10'000'000) {
    REQUIRE(run.tick());
    if (run.sampler->attrs().sample_us != sample_us) ++tunings;
    sample_us = run.sampler->attrs().sample_us;
    REQUIRE(run.sampler->attrs().aggr_us == 20 * sample_us);
  }
  CHECK(tunings == 11);
  CHECK(run.clock.now_ns() - run.begun_ns == 614'100 * kNsPerMs);
  CHECK(run.aggregations == 33);
}

TEST_CASE("when everything becomes hot, it takes 11 tunings back", "[sampler][time]") {
  SamplerRun run{MonitoringAttrs()};
  bool hot = false;
  run.script.accessed = [&](uint64_t) { return hot; };
  run.start();
  while (run.sampler->attrs().sample_us < 10'000'000) REQUIRE(run.tick());
  hot = true;
  const int64_t hot_ns = run.clock.now_ns();
  while (run.sampler->attrs().sample_us > 5'000) REQUIRE(run.tick());
  CHECK((run.clock.now_ns() - hot_ns) / (100 * kNsPerMs) == 11'994);
}

TEST_CASE("the samples per aggregation stay as configured", "[sampler][time]") {
  MonitoringAttrs attrs;
  attrs.sample_us = 7'000;
  attrs.aggr_us = 100'000;  // 14 samples
  SamplerRun run(attrs);
  run.script.accessed = [](uint64_t address) { return address < 60 * kMiB; };
  run.start();
  for (int i = 0; i < 60; ++i) {
    run.run_aggregations(1);
    const MonitoringAttrs& now = run.sampler->attrs();
    if (now.sample_us != 7'000) CHECK(now.aggr_us == 14 * now.sample_us);
  }
  CHECK(run.sampler->attrs().sample_us != 7'000);
}

TEST_CASE("suspended time is not idle time and restarts the aggregation", "[sampler][time]") {
  SamplerRun run(untuned());
  bool waking = false;
  run.script.accessed = [&](uint64_t) { return waking; };
  run.start();
  run.run_aggregations(100);
  for (int i = 0; i < 10; ++i) REQUIRE(run.tick());
  run.clock.suspend(3600 * kNsPerSecond);
  waking = true;  // what the resume touches
  REQUIRE(run.tick());
  waking = false;
  for (const Region& region : run.sampler->regions()) CHECK(region.nr_accesses == 0);
  const uint64_t before = run.aggregations;
  for (int i = 0; i < 19; ++i) REQUIRE(run.tick());
  CHECK(run.aggregations == before);
  REQUIRE(run.tick());
  CHECK(run.aggregations == before + 1);
  const int64_t awake_ms = (run.aggregated_ns - run.begun_ns) / kNsPerMs;
  CHECK(run.statistics.memory_idle_ms_percentiles[0] == awake_ms);
  CHECK(run.statistics.memory_idle_ms_percentiles[100] == awake_ms);
  // One suspend restarts one aggregation.
  run.run_aggregations(3);
  CHECK(run.aggr_ns == 100 * kNsPerMs);
}

TEST_CASE("days pass in seconds", "[sampler][time]") {
  SamplerRun run{MonitoringAttrs()};
  run.script.ranges = {{0, 64 * 1024 * kGiB}};
  constexpr uint64_t kHotBytes = 512 * kGiB;
  run.script.accessed = [](uint64_t address) { return address < kHotBytes; };
  run.start();
  run.run_for(3 * 24 * 60 * kMinute);
  run.run_aggregations(1);
  const auto& percentiles = run.statistics.memory_idle_ms_percentiles;
  const int64_t all_ms = (run.aggregated_ns - run.begun_ns) / kNsPerMs;
  CHECK(percentiles[0] < 0);
  CHECK(percentiles[100] <= all_ms);
  CHECK(percentiles[50] > all_ms / 10 * 9);
  CHECK(std::is_sorted(percentiles.begin(), percentiles.end()));
}

TEST_CASE("the budget changes while it samples", "[sampler]") {
  SamplerRun run(untuned(), 100);
  run.script.cpu_ns_per_check = 20'000;
  run.start();
  run.run_for(60 * kNsPerSecond);
  const uint64_t before_us = run.aggregated_attrs.sample_us;
  run.sampler->change({0.5, 5'000, run.config.attrs.goal});
  run.run_for(60 * kNsPerSecond);
  CHECK(run.aggregated_attrs.sample_us > 2 * before_us);
  run.sampler->change({100, 5'000, run.config.attrs.goal});
  run.run_for(60 * kNsPerSecond);
  CHECK(run.aggregated_attrs.sample_us == before_us);
}

TEST_CASE("the goal changes while it samples", "[sampler]") {
  MonitoringAttrs attrs;
  SamplerRun run(attrs);  // nothing is accessed: the interval becomes as long as it may
  run.start();
  IntervalsGoal goal = attrs.goal;
  goal.max_sample_us = 50'000;
  run.sampler->change({100, 5'000, goal});
  run.run_for(120 * kNsPerSecond);
  CHECK(run.aggregated_attrs.sample_us == 50'000);
  goal.max_sample_us = goal.min_sample_us = 20'000;
  run.sampler->change({100, 5'000, goal});
  run.run_aggregations(2);
  CHECK(run.aggregated_attrs.sample_us == 20'000);
  goal = {400, 0, 5'000, 10'000'000};
  run.sampler->change({100, 5'000, goal});
  run.run_for(120 * kNsPerSecond);
  CHECK(run.aggregated_attrs.sample_us == 20'000);  // no tuning any more
}

}  // namespace
}  // namespace damon_statfs::test
