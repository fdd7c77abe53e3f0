// SPDX-License-Identifier: GPL-2.0-or-later
//
// regions=kernel: the sampler with none of our own rules, against what spec/damon.md says of the
// kernel's DAMON, and against upstream's selftests (its section 9) in virtual time.
#include <algorithm>
#include <array>
#include <cstdlib>

#include "unit/engine/regions/sampler_run.h"

namespace damon_statfs::test {
namespace {

class KernelRun {
 public:
  explicit KernelRun(const MonitoringAttrs& attrs, double max_cpu_percent = 100)
      : run(attrs, max_cpu_percent) {
    run.config.rules = kKernelRules;
  }
  SamplerRun* operator->() { return &run; }

  SamplerRun run;
};

// The idle time that all memory has; fails if it has several.
int64_t idle_ms_of_all(const SamplerRun& run) {
  const auto& percentiles = run.statistics.memory_idle_ms_percentiles;
  CHECK(percentiles[0] == percentiles[100]);
  return percentiles[0];
}

TEST_CASE("idle time is age + 1 nominal aggregations, however late the ticks are",
          "[sampler][kernel_rules]") {
  const int64_t late_ns = GENERATE(int64_t{0}, 1 * kNsPerMs, 40 * kNsPerMs);
  const bool hot = GENERATE(false, true);
  CAPTURE(late_ns, hot);
  KernelRun run(untuned());
  run->late_ns = late_ns;
  run->script.accessed = [&](uint64_t) { return hot; };
  run->start();
  for (int64_t nr_aggrs = 1; nr_aggrs <= 50; ++nr_aggrs) {
    run->run_aggregations(1);
    // Idle memory was so before the first aggregation, whose end makes its age 1. What is hot has
    // changed in the first one.
    CHECK(idle_ms_of_all(run.run) == (hot ? -nr_aggrs : nr_aggrs + 1) * 100);
    CHECK(run->statistics.aggr_interval_us == 100'000);
    CHECK(run->statistics.estimated_memory_bandwidth_bytes_per_s == (hot ? 204'800 * kMiB : 0));
  }
}

TEST_CASE("each sampling interval begins when the work before it has ended",
          "[sampler][kernel_rules]") {
  KernelRun run(untuned());
  run->late_ns = 2 * kNsPerMs;
  run->start();
  for (int64_t tick = 1; tick <= 40; ++tick) {
    REQUIRE(run->tick());
    CHECK(run->sampler->deadline_ns() == run->begun_ns + (tick * 7 + 5) * kNsPerMs);
  }
  CHECK(run->aggregations == 2);
}

TEST_CASE("a suspended machine has missed one tick", "[sampler][kernel_rules]") {
  KernelRun run(untuned());
  run->script.accessed = [](uint64_t) { return true; };
  run->start();
  run->run_aggregations(9);
  for (int i = 0; i < 10; ++i) REQUIRE(run->tick());
  run->clock.suspend(3600 * kNsPerSecond);
  for (int i = 0; i < 9; ++i) REQUIRE(run->tick());
  CHECK(run->aggregations == 9);
  REQUIRE(run->tick());
  CHECK(run->aggregations == 10);
  for (const Region& region : run->aggregated) CHECK(region.nr_accesses == 20);
  CHECK(idle_ms_of_all(run.run) == -1'000);
}

// Section 4: a tuned interval converts ages, which are then rounded down. 3 of 100 ms become 1 of
// 200 ms, 4 of 200 ms become 2 of 400 ms.
TEST_CASE("ages lose up to an aggregation when intervals double", "[sampler][kernel_rules]") {
  KernelRun run{MonitoringAttrs()};
  run->start();
  for (const int64_t idle_ms : {200, 300, 400, 600, 800, 1'000, 1'600, 2'000, 2'400}) {
    run->run_aggregations(1);
    CHECK(idle_ms_of_all(run.run) == idle_ms);
  }
  CHECK(run->statistics.aggr_interval_us == 400'000);
}

TEST_CASE("an idle machine's intervals grow in 614.1 s", "[sampler][kernel_rules]") {
  KernelRun run{MonitoringAttrs()};
  run->start();
  while (run->sampler->attrs().sample_us < 10'000'000) REQUIRE(run->tick());
  CHECK(run->clock.now_ns() - run->begun_ns == 614'100 * kNsPerMs);
  CHECK(run->sampler->attrs().aggr_us == 200'000'000);
}

// 7 of 30 samples are 2,333 basis points, and these 6 of 30 samples. The next aggregation has 7
// again, which is a change.
TEST_CASE("a tuning that its bounds leave without effect converts the counts all the same",
          "[sampler][kernel_rules]") {
  MonitoringAttrs attrs;
  attrs.aggr_us = 150'000;
  for (const bool kernel : {true, false}) {
    CAPTURE(kernel);
    SamplerRun run(attrs);
    if (kernel) run.config.rules = kKernelRules;
    uint64_t nr_ticks = 0;
    run.script.accessed = [&](uint64_t) { return nr_ticks % 30 < 7; };
    run.on_sampling = [&](const RegionsView&) { ++nr_ticks; };
    run.start();
    const std::array<uint32_t, 7> kernel_ages = {0, 1, 2, 0, 1, 2, 0};
    for (uint32_t i = 0; i < kernel_ages.size(); ++i) {
      run.run_aggregations(1);
      for (const Region& region : run.aggregated) {
        REQUIRE(region.nr_accesses == 7);
        REQUIRE(region.age == (kernel ? kernel_ages.at(i) : i));
      }
      CHECK(run.sampler->attrs().sample_us == 5'000);
    }
  }
}

// 14 samples of 7 ms are 98 ms; the first tuning forgets what is left over to 100 ms.
TEST_CASE("the first tuning makes aggregations of whole samples", "[sampler][kernel_rules]") {
  MonitoringAttrs attrs;
  attrs.sample_us = attrs.goal.min_sample_us = 7'000;
  KernelRun run(attrs);
  run->script.accessed = [](uint64_t) { return true; };
  run->start();
  run->run_aggregations(3);
  CHECK(run->statistics.aggr_interval_us == 100'000);
  run->run_aggregations(1);
  CHECK(run->statistics.aggr_interval_us == 98'000);
}

// A quarter of memory, in pieces, is accessed for a time after a minute. When that has ended,
// everything has one count of accesses, and the kernel merges it up to a tenth of memory.
TEST_CASE("merging averages the ages of neighbours", "[sampler][kernel_rules]") {
  for (const bool kernel : {true, false}) {
    CAPTURE(kernel);
    SamplerRun run(untuned());
    if (kernel) run.config.rules = kKernelRules;
    bool touched = false;
    run.script.accessed = [&](uint64_t address) {
      return touched && address / (8 * kMiB) % 4 == 0;
    };
    run.start();
    run.run_for(60 * kNsPerSecond);
    touched = true;
    run.run_for(20 * kNsPerSecond);
    const double hot_percent = share_below_percent(run.idle, 0);
    CHECK(hot_percent > 20);
    CHECK(hot_percent < 30);
    touched = false;
    run.run_aggregations(10);
    const double young_percent = share_below_percent(run.idle, 2'000);
    CAPTURE(young_percent);
    CHECK((kernel ? young_percent < 5 : young_percent > 20));
  }
}

TEST_CASE("max_cpu holds", "[sampler][kernel_rules]") {
  KernelRun run(untuned(), 1);
  run->script.cpu_ns_per_check = 20'000;
  run->start();
  run->run_for(10 * kNsPerSecond);
  const int64_t cpu_ns = run->clock.thread_cpu_ns();
  run->run_for(100 * kNsPerSecond);
  const int64_t used_ns = run->clock.thread_cpu_ns() - cpu_ns;
  CHECK(used_ns < kNsPerSecond * 11 / 10);
  CHECK(used_ns > kNsPerSecond / 2);
  // By longer intervals, which are told.
  CHECK(run->statistics.aggr_interval_us > 200'000);
}

// tools/testing/selftests/damon/damos_tried_regions.py
TEST_CASE("14 areas, of which every other one is accessed, are 14 regions at least",
          "[sampler][kernel_rules]") {
  KernelRun run(untuned());
  run->script.ranges = {{0, 140 * kMiB}};
  run->script.accessed = [](uint64_t address) { return address / (10 * kMiB) % 2 == 0; };
  std::vector<size_t> counts;
  run->on_aggregation = [&](const RegionsView& view) { counts.push_back(view.regions.size()); };
  run->start();
  run->run_for(10 * kNsPerSecond);
  std::sort(counts.begin(), counts.end());
  REQUIRE(counts.size() == 100);
  CHECK(counts[50] >= 14);
}

// tools/testing/selftests/damon/damon_nr_regions.py
TEST_CASE("the number of regions is within its bounds", "[sampler][kernel_rules]") {
  struct Row {
    uint64_t nr_areas, min_nr_regions, max_nr_regions;
  };
  for (const Row& row : {Row{10, 20, 100}, Row{15, 3, 10}}) {
    CAPTURE(row.nr_areas);
    MonitoringAttrs attrs = untuned();
    attrs.min_nr_regions = row.min_nr_regions;
    attrs.max_nr_regions = row.max_nr_regions;
    KernelRun run(attrs);
    run->script.ranges = {{0, row.nr_areas * 10 * kMiB}};
    run->script.accessed = [](uint64_t address) { return address / (10 * kMiB) % 2 == 0; };
    size_t least = ~size_t{0}, most = 0;
    run->on_aggregation = [&](const RegionsView& view) {
      least = std::min(least, view.regions.size());
      most = std::max(most, view.regions.size());
    };
    run->start();
    run->run_for(10 * kNsPerSecond);
    CHECK(least >= row.min_nr_regions);
    CHECK(most <= row.max_nr_regions);
  }
}

// tools/testing/selftests/damon/sysfs_update_schemes_tried_regions_wss_estimation.py
TEST_CASE("the working set of two areas that are accessed in turn", "[sampler][kernel_rules]") {
  const uint64_t area_bytes = GENERATE(uint64_t{10}, uint64_t{160}) * kMiB;
  CAPTURE(area_bytes);
  KernelRun run(untuned());
  run->script.ranges = {{0, 2 * area_bytes}, {kGiB, kGiB + 8 * kMiB}};
  run->script.accessed = [&](uint64_t address) {
    const uint64_t turn = static_cast<uint64_t>(run->clock.now_ns() / (2 * kNsPerSecond)) % 2;
    return address < 2 * area_bytes && address / area_bytes == turn;
  };
  std::vector<uint64_t> sizes;
  run->on_aggregation = [&](const RegionsView& view) {
    uint64_t size = 0;
    for (const Region& region : view.regions) {
      if (region.nr_accesses >= 5 && region.age >= 2) size += region.size_bytes();
    }
    if (size > 0) sizes.push_back(size);
  };
  run->start();
  run->run_for(60 * kNsPerSecond);
  REQUIRE(sizes.size() > 100);
  std::sort(sizes.begin(), sizes.end());
  for (const size_t percent : {size_t{50}, size_t{75}}) {
    const double error =
        static_cast<double>(sizes[sizes.size() * percent / 100]) / static_cast<double>(area_bytes) -
        1;
    CAPTURE(percent, error);
    CHECK(std::abs(error) < 0.2);
  }
}

}  // namespace
}  // namespace damon_statfs::test
