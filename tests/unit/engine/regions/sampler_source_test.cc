// SPDX-License-Identifier: GPL-2.0-or-later
//
// The seam for sources that deliver whole regions, such as the kernel's own DAMON: the engine must
// publish what they say and not sample by itself.
#include <cerrno>

#include "unit/engine/regions/sampler_run.h"

namespace damon_statfs::test {
namespace {

Aggregation make_aggregation(int64_t since_ns) {
  Aggregation aggregation;
  aggregation.regions = make_regions({{0, 3 * kMiB, 0}, {3 * kMiB, 4 * kMiB, 7}});
  for (Region& region : aggregation.regions) region.since_ns = since_ns;
  aggregation.aggr_us = 200'000;
  return aggregation;
}

TEST_CASE("a source of regions is asked, not sampled", "[sampler][source]") {
  SamplerRun run(untuned());
  std::optional<Aggregation> next;
  run.script.collect = [&] { return std::exchange(next, std::nullopt); };
  run.start();
  REQUIRE(run.tick());
  REQUIRE(run.tick());
  CHECK(run.script.calls == std::vector<std::string>{"open", "collect"});
  CHECK(run.aggregations == 0);

  next = make_aggregation(run.clock.now_ns() - 900 * kNsPerMs);
  REQUIRE(run.tick());
  CHECK(run.aggregations == 1);
  CHECK(ranges_of(run.aggregated) == Ranges{{0, 3 * kMiB}, {3 * kMiB, 4 * kMiB}});
  CHECK(counts_of(run.aggregated) == std::vector<uint32_t>{0, 7});
  CHECK(run.statistics.aggr_interval_us == 200'000);
  CHECK(run.statistics.memory_idle_ms_percentiles[0] == -900);
  CHECK(run.statistics.memory_idle_ms_percentiles[100] == 900);
  CHECK(run.statistics.estimated_memory_bandwidth_bytes_per_s == 7 * kMiB * 5);
  for (int i = 0; i < 50; ++i) REQUIRE(run.tick());
  CHECK(run.aggregations == 1);
  run.sampler->stop();
  CHECK(run.script.closed == 1);
}

TEST_CASE("it is asked when it says", "[sampler][source]") {
  SamplerRun run(untuned());
  run.script.collect = [] { return std::optional<Aggregation>(); };
  run.script.collect_due_ns = run.clock.now_ns() + 7 * kNsPerMs;
  run.start();
  CHECK(run.sampler->deadline_ns() == run.begun_ns + 7 * kNsPerMs);
  run.script.collect_due_ns = run.begun_ns + 5'007 * kNsPerMs;
  REQUIRE(run.tick());
  CHECK(run.sampler->deadline_ns() == run.begun_ns + 5'007 * kNsPerMs);
}

TEST_CASE("it is updated, and its ranges are its own affair", "[sampler][source]") {
  MonitoringAttrs attrs = untuned();
  attrs.update_us = 10'000;
  SamplerRun run(attrs);
  run.script.collect = [&] {
    run.script.collect_due_ns = run.clock.now_ns() + 5 * kNsPerMs;
    return std::optional(make_aggregation(0));
  };
  run.start();
  run.run_aggregations(10);
  CHECK(run.sampler->regions().size() == 2);
  run.script.update_errno = ENODEV;
  Result<void> ended = outcome::success();
  for (int i = 0; i < 10 && ended; ++i) ended = run.tick();
  REQUIRE_FALSE(ended);
  CHECK(ended.error().code.value() == ENODEV);
}

}  // namespace
}  // namespace damon_statfs::test
