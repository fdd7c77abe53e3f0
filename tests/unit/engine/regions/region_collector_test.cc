// SPDX-License-Identifier: GPL-2.0-or-later
//
// Sources that deliver whole regions, such as the kernel's own DAMON: the estimator must show what
// they say, when they say it, and not sample by itself.
#include "engine/regions/region_collector.h"

#include <cerrno>
#include <utility>

#include "engine/estimate/stats.h"
#include "support/catch.h"
#include "support/fake_operations.h"
#include "unit/engine/regions/region_lists.h"

namespace damon_statfs::test {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;

Aggregation make_aggregation(int64_t since_ns) {
  Aggregation aggregation;
  aggregation.regions = make_regions({{0, 3 * kMiB, 0}, {3 * kMiB, 4 * kMiB, 7}});
  for (Region& region : aggregation.regions) region.since_ns = since_ns;
  aggregation.aggr_us = 200'000;
  return aggregation;
}

class CollectorRun final : public MonitoringObserver {
 public:
  explicit CollectorRun(uint64_t update_us = 60'000'000, double max_cpu_percent = 100) {
    MonitoringAttrs attrs;
    attrs.update_us = update_us;
    collector.emplace(attrs, max_cpu_percent, source, clock, *this);
  }

  void start() {
    REQUIRE(collector->start());
    begun_ns = clock.now_ns();
  }
  Result<void> step() {
    clock.wait_until(collector->deadline_ns(), -1);
    return collector->step();
  }

  void after_sampling(const RegionsView&) override { script.calls.emplace_back("sampled"); }
  void after_aggregation(const RegionsView& view) override {
    ++aggregations;
    aggregated.assign(view.regions.begin(), view.regions.end());
    statistics = make_statistics(view.regions, view.attrs.aggr_us, view.now_ns);
    sample_us = view.sample_us;
    sample_us_in_force = view.attrs.sample_us;
    nr_checks = view.nr_checks;
  }
  void before_stop() override { script.calls.emplace_back("stop"); }

  FakeClock clock;
  Script script;
  FakeDelivery source{script};
  std::optional<RegionCollector> collector;
  int64_t begun_ns = 0;
  int aggregations = 0;
  Regions aggregated;
  Statistics statistics;
  uint64_t sample_us = 0, sample_us_in_force = 0, nr_checks = 0;
};

TEST_CASE("a source of regions is asked, not sampled", "[region_collector]") {
  CollectorRun run;
  std::optional<Aggregation> next;
  run.script.collect = [&] { return std::exchange(next, std::nullopt); };
  run.start();
  REQUIRE(run.step());
  REQUIRE(run.step());
  CHECK(run.script.calls == std::vector<std::string>{"open", "collect"});
  CHECK(run.aggregations == 0);

  next = make_aggregation(run.clock.now_ns() - 900 * kNsPerMs);
  REQUIRE(run.step());
  CHECK(run.aggregations == 1);
  CHECK(ranges_of(run.aggregated) == Ranges{{0, 3 * kMiB}, {3 * kMiB, 4 * kMiB}});
  CHECK(counts_of(run.aggregated) == std::vector<uint32_t>{0, 7});
  CHECK(run.statistics.aggr_interval_us == 200'000);
  CHECK(run.statistics.memory_idle_ms_percentiles[0] == -900);
  CHECK(run.statistics.memory_idle_ms_percentiles[100] == 900);
  CHECK(run.statistics.estimated_memory_bandwidth_bytes_per_s == 7 * kMiB * 5);
  CHECK(run.nr_checks == 0);
  for (int i = 0; i < 50; ++i) REQUIRE(run.step());
  CHECK(run.aggregations == 1);
  run.collector->stop();
  CHECK(run.script.closed == 1);
  CHECK(run.script.calls.back() == "close");
  CHECK(run.script.calls[run.script.calls.size() - 2] == "stop");
}

TEST_CASE("it is asked when it says", "[region_collector]") {
  CollectorRun run;
  run.script.collect = [] { return std::optional<Aggregation>(); };
  run.script.collect_due_ns = run.clock.now_ns() + 7 * kNsPerMs;
  run.start();
  CHECK(run.collector->deadline_ns() == run.begun_ns + 7 * kNsPerMs);
  run.script.collect_due_ns = run.begun_ns + 5'007 * kNsPerMs;
  REQUIRE(run.step());
  CHECK(run.collector->deadline_ns() == run.begun_ns + 5'007 * kNsPerMs);
}

TEST_CASE("a source that is always due does not take a CPU", "[region_collector]") {
  CollectorRun run(60'000'000, 1.0);
  run.script.collect = [&] {
    run.clock.use_cpu(50 * kNsPerMs);
    return std::optional<Aggregation>();
  };
  run.start();
  const int64_t cpu_before_ns = run.clock.thread_cpu_ns();
  const int64_t limit_ns = 600 * kNsPerSecond;
  while (run.collector->deadline_ns() - run.begun_ns < limit_ns) REQUIRE(run.step());
  const int64_t used_ns = run.clock.thread_cpu_ns() - cpu_before_ns;
  CHECK(used_ns <= limit_ns / 100 + kNsPerSecond);
  CHECK(used_ns >= limit_ns / 200);
}

TEST_CASE("an interval that the source does not tell stays as it was", "[region_collector]") {
  CollectorRun run;
  run.script.collect = [&] { return std::optional(make_aggregation(0)); };
  run.start();
  REQUIRE(run.step());
  CHECK(run.sample_us == 0);
  CHECK(run.sample_us_in_force == 5'000);
}

TEST_CASE("it is updated, and its ranges are its own affair", "[region_collector]") {
  CollectorRun run(10'000);
  run.script.collect = [&] {
    run.script.collect_due_ns = run.clock.now_ns() + 5 * kNsPerMs;
    return std::optional(make_aggregation(0));
  };
  run.start();
  while (run.aggregations < 10) REQUIRE(run.step());
  CHECK(run.collector->regions().size() == 2);
  run.script.update_errno = ENODEV;
  Result<void> ended = outcome::success();
  for (int i = 0; i < 10 && ended; ++i) ended = run.step();
  REQUIRE_FALSE(ended);
  CHECK(ended.error().code.value() == ENODEV);
}

TEST_CASE("a source that cannot be opened is not closed", "[region_collector]") {
  CollectorRun run;
  run.script.open_errno = EBUSY;
  const Result<void> started = run.collector->start();
  REQUIRE_FALSE(started);
  CHECK(started.error().code.value() == EBUSY);
  CHECK(run.script.closed == 0);
}

}  // namespace
}  // namespace damon_statfs::test
