// SPDX-License-Identifier: GPL-2.0-or-later
//
// The order of what one tick does, what observers see at which point, errors and cancelling:
// spec/damon.md section 2, with publishing at aggregation boundaries only.
#include "engine/regions/sampler.h"

#include <algorithm>
#include <cerrno>

#include "unit/engine/regions/sampler_run.h"

namespace damon_statfs::test {
namespace {

using Calls = std::vector<std::string>;

TEST_CASE("the order of operations", "[sampler]") {
  MonitoringAttrs attrs = untuned();
  attrs.aggr_us = 10'000;
  attrs.update_us = 15'000;
  SamplerRun run(attrs);
  run.start();
  CHECK(run.script.calls == Calls{"open", "prepare"});
  run.script.calls.clear();
  REQUIRE(run.tick());
  CHECK(run.script.calls == Calls{"check", "sampled", "prepare"});
  run.script.calls.clear();
  REQUIRE(run.tick());
  CHECK(run.script.calls == Calls{"check", "sampled", "aggregated", "prepare"});
  run.script.calls.clear();
  REQUIRE(run.tick());
  CHECK(run.script.calls == Calls{"check", "sampled", "update", "prepare"});
  run.script.calls.clear();
  run.sampler->stop();
  CHECK(run.script.calls == Calls{"stop", "close"});
}

TEST_CASE("ticks are one sampling interval apart", "[sampler]") {
  SamplerRun run(untuned());
  run.start();
  for (int64_t tick = 1; tick <= 50; ++tick) {
    CHECK(run.sampler->deadline_ns() == run.begun_ns + tick * 5 * kNsPerMs);
    REQUIRE(run.tick());
  }
  CHECK(run.aggregations == 2);
}

TEST_CASE("every tick checks another page of each region", "[sampler]") {
  SamplerRun run(untuned());
  std::vector<uint64_t> before;
  bool inside = true;
  int repeats = 0;
  run.on_sampling = [&](const RegionsView& view) {
    std::vector<uint64_t> now;
    for (const Region& region : view.regions) {
      now.push_back(region.sampling_addr);
      inside = inside && region.sampling_addr >= region.start && region.sampling_addr < region.end;
    }
    repeats += now == before ? 1 : 0;
    before = now;
  };
  run.start();
  run.run_aggregations(5);
  CHECK(inside);
  CHECK(repeats == 0);
}

TEST_CASE("the published counts are those of one whole aggregation", "[sampler]") {
  SamplerRun run(untuned());
  run.script.ranges = {{0, kGiB}};
  run.script.accessed = [](uint64_t) { return true; };
  bool whole = true;
  run.on_aggregation = [&](const RegionsView& view) {
    for (const Region& region : view.regions) whole = whole && region.nr_accesses == 20;
  };
  run.start();
  for (int i = 0; i < 10; ++i) {
    run.run_aggregations(1);
    CHECK(run.statistics.estimated_memory_bandwidth_bytes_per_s == 204'800 * kMiB);
  }
  CHECK(whole);
}

TEST_CASE("publishing comes after the merge, before reset and split", "[sampler]") {
  SamplerRun run(untuned());
  run.script.ranges = {{0, kGiB}};
  size_t after_merge = 0;
  run.on_aggregation = [&](const RegionsView& view) { after_merge = view.regions.size(); };
  run.start();
  for (int i = 0; i < 20; ++i) {
    run.run_aggregations(1);
    // All alike, so it merges to the fewest there may be; then it is split again.
    CHECK(after_merge <= 20);
    CHECK(run.sampler->regions().size() > after_merge);
    for (const Region& region : run.sampler->regions()) CHECK(region.nr_accesses == 0);
  }
}

TEST_CASE("publishing comes before the tuning", "[sampler]") {
  SamplerRun run{MonitoringAttrs()};
  std::vector<uint64_t> published;
  run.on_aggregation = [&](const RegionsView& view) { published.push_back(view.attrs.aggr_us); };
  run.start();
  run.run_aggregations(7);
  CHECK(published ==
        std::vector<uint64_t>{100'000, 100'000, 100'000, 200'000, 200'000, 200'000, 400'000});
}

TEST_CASE("the number of regions stays within its limits", "[sampler]") {
  MonitoringAttrs attrs = untuned();
  attrs.max_nr_regions = GENERATE(uint64_t{20}, uint64_t{100}, uint64_t{1000});
  CAPTURE(attrs.max_nr_regions);
  SamplerRun run(attrs);
  run.script.ranges = {{0, 16 * kGiB}};
  // Hot in stripes of 16 MiB, so that there is always something to split and merge.
  run.script.accessed = [](uint64_t address) { return address / (16 * kMiB) % 3 == 0; };
  size_t least = ~size_t{0};
  size_t most = 0;
  run.on_sampling = [&](const RegionsView& view) {
    least = std::min(least, view.regions.size());
    most = std::max(most, view.regions.size());
  };
  run.start();
  run.run_aggregations(100);
  CHECK(least >= attrs.min_nr_regions);
  CHECK(most <= attrs.max_nr_regions);
  CHECK(most > attrs.max_nr_regions / 2);
  CHECK(is_ascending(run.sampler->regions()));
  CHECK(total_bytes(run.sampler->regions()) == 16 * kGiB);
}

TEST_CASE("ageing happens once per aggregation, also in progressive merges", "[sampler]") {
  const bool hot = GENERATE(false, true);
  CAPTURE(hot);
  MonitoringAttrs attrs = untuned();
  attrs.min_nr_regions = 10;
  attrs.max_nr_regions = 12;
  SamplerRun run(attrs);
  // More ranges than there may be regions: merges are repeated up to the largest threshold.
  run.script.ranges.clear();
  for (uint64_t i = 0; i < 20; ++i) run.script.ranges.push_back({2 * i * kMiB, (2 * i + 1) * kMiB});
  run.script.accessed = [&](uint64_t) { return hot; };
  run.start();
  for (uint32_t i = 1; i <= 50; ++i) {
    run.run_aggregations(1);
    REQUIRE(run.aggregated.size() == 20);
    // What is hot was not before the first aggregation.
    for (const Region& region : run.aggregated) REQUIRE(region.age == (hot ? i - 1 : i));
  }
}

TEST_CASE("errors of the operations set end monitoring", "[sampler]") {
  struct Row {
    const char* call;
    std::atomic<int> Script::*errno_of;
  };
  const Row rows[] = {{"check", &Script::check_errno},
                      {"prepare", &Script::prepare_errno},
                      {"update", &Script::update_errno}};
  for (const Row& row : rows) {
    CAPTURE(row.call);
    MonitoringAttrs attrs = untuned();
    attrs.update_us = 5'000;
    SamplerRun run(attrs);
    run.start();
    REQUIRE(run.tick());
    run.script.*row.errno_of = EIO;
    const Result<void> ended = run.tick();
    REQUIRE_FALSE(ended);
    CHECK(ended.error().code.value() == EIO);
    CHECK(ended.error().context == std::string("scripted error in ") + row.call);
    run.sampler->stop();
    CHECK(run.script.closed == 1);
  }
}

TEST_CASE("a failed start leaves nothing open", "[sampler]") {
  SECTION("open fails: there is nothing to close") {
    SamplerRun run(untuned());
    run.script.open_errno = ENODEV;
    CHECK(run.try_start().error().code.value() == ENODEV);
    CHECK(run.script.closed == 0);
  }
  SECTION("the first marks fail") {
    SamplerRun run(untuned());
    run.script.prepare_errno = EIO;
    CHECK(run.try_start().error().code.value() == EIO);
    CHECK(run.script.closed == 1);
  }
  SECTION("bad ranges") {
    SamplerRun run(untuned());
    run.script.ranges = {{8192, 4096}};
    CHECK(run.try_start().error().code.value() == EINVAL);
    CHECK(run.script.closed == 1);
  }
}

TEST_CASE("a long tick is left early when cancelled", "[sampler]") {
  MonitoringAttrs attrs = untuned();
  attrs.min_nr_regions = 50'000;
  attrs.max_nr_regions = 100'000;
  SamplerRun run(attrs);
  bool cancelled = false;
  int checks = 0;
  run.config.cancelled = [&] { return cancelled; };
  run.script.accessed = [&](uint64_t) {
    ++checks;
    return false;
  };
  run.start();
  REQUIRE(run.sampler->regions().size() >= 40'000);
  cancelled = true;
  const Result<void> ended = run.tick();
  REQUIRE_FALSE(ended);
  CHECK(ended.error().code.value() == ECANCELED);
  CHECK(checks < 5'000);
}

}  // namespace
}  // namespace damon_statfs::test
