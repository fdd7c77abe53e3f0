// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the engine tells of how its values come about: who samples, and what is known before and
// after the first refresh, after a stop, and after a start that has failed.
#include <cerrno>

#include "damon_statfs/engine.h"
#include "unit/engine/engine_run.h"

namespace damon_statfs::test {
namespace {

MonitoringDetails details_of(EngineRun& run) { return run.engine->newest().details; }

TEST_CASE("nothing is known before the first refresh of each start", "[engine][details]") {
  EngineRun run;
  Engine& engine = run.make();
  for (int start = 1; start <= 2; ++start) {
    CAPTURE(start);
    const int64_t began_ms = (run.clock.now_ns() - run.begun_ns) / kNsPerMs;
    REQUIRE(engine.start());
    REQUIRE(run.becomes(EngineState::kOn));
    MonitoringDetails details = details_of(run);
    CHECK_FALSE(details.refreshed);
    CHECK(details.ops == "fake");
    CHECK(details.estimator == "regions");
    CHECK(details.monitored_bytes == uint64_t{1} << 30);
    CHECK(details.started_ns == run.begun_ns + began_ms * kNsPerMs);
    CHECK((details.sample_us == 0 && details.nr_checks == 0));
    CHECK(std::holds_alternative<std::monostate>(details.by_estimator));
    REQUIRE(run.run_to_ms(began_ms + 5'200));
    details = details_of(run);
    CHECK(details.refreshed);
    CHECK(details.sample_us == 5'000);
    CHECK(details.nr_checks > 0);
    CHECK(std::get<RegionDetails>(details.by_estimator).nr_regions > 0);
    engine.request_stop();
    REQUIRE(run.becomes(EngineState::kOff));
    CHECK(details_of(run) == details);  // as the values, it stays
  }
}

TEST_CASE("a start that has failed has monitored nothing", "[engine][details]") {
  EngineRun run;
  Engine& engine = run.make();
  REQUIRE(engine.start());
  REQUIRE(run.run_to_ms(5'200));
  engine.request_stop();
  REQUIRE(run.becomes(EngineState::kOff));
  run.script.open_errno = EBUSY;
  REQUIRE(engine.start());
  REQUIRE(eventually([&] { return run.status().errno_value == EBUSY; }));
  const MonitoringDetails details = details_of(run);
  CHECK(details.ops == "fake");
  CHECK_FALSE(details.refreshed);
  CHECK(details.started_ns == 0);
  CHECK(details.monitored_bytes == 0);
}

TEST_CASE("a snapshot says when its values were taken, and how often", "[engine][details]") {
  EngineRun run;
  Engine& engine = run.make();
  CHECK(engine.newest().taken_ns == 0);
  CHECK(engine.newest().sequence == 0);
  REQUIRE(engine.start());
  REQUIRE(run.run_to_ms(5'000));
  CHECK(engine.newest().sequence == 0);  // a heartbeat is no refresh
  REQUIRE(run.run_to_ms(5'200));
  const int64_t first_ns = engine.newest().taken_ns;
  CHECK(first_ns > run.begun_ns + 5'000 * kNsPerMs);
  CHECK(first_ns <= run.clock.now_ns());
  CHECK(engine.newest().sequence == 1);
  REQUIRE(run.run_to_ms(10'400));
  CHECK(engine.newest().sequence == 2);
  const int64_t second_ns = engine.newest().taken_ns;
  CHECK(second_ns > first_ns + 5'000 * kNsPerMs);

  engine.request_stop();
  REQUIRE(run.becomes(EngineState::kOff));
  REQUIRE(engine.start());
  REQUIRE(run.becomes(EngineState::kOn));
  CHECK(engine.newest().taken_ns == second_ns);  // as the values, it stays
  CHECK(engine.newest().sequence == 2);
}

TEST_CASE("a mirror's values are taken when they change", "[engine][details]") {
  EngineRun run("mirror");
  run.mirror.show(true, 77);
  REQUIRE(run.make().start());
  REQUIRE(eventually([&] { return run.status().mirrors; }));
  REQUIRE(run.run_to_ms(1'000));
  const Snapshot first = run.engine->newest();
  CHECK(first.sequence == 1);
  CHECK(first.taken_ns >= run.begun_ns);
  run.mirror.show(false, 77);
  REQUIRE(run.run_to_ms(2'000));
  CHECK(run.engine->newest().sequence == 1);
  CHECK(run.engine->newest().taken_ns == first.taken_ns);
  run.mirror.show(true, 78);
  REQUIRE(run.run_to_ms(3'000));
  CHECK(run.engine->newest().sequence == 2);
  CHECK(run.engine->newest().taken_ns > first.taken_ns);
}

TEST_CASE("whose thread samples", "[engine][details]") {
  for (const bool kernel : {false, true}) {
    EngineRun run;
    if (kernel) run.script.kdamond_pid = 4711;
    Engine& engine = run.make();
    REQUIRE(engine.start());
    REQUIRE(run.becomes(EngineState::kOn));
    CHECK(run.status().is_kdamond == kernel);
    engine.request_stop();
    REQUIRE(run.becomes(EngineState::kOff));
    CHECK_FALSE(run.status().is_kdamond);
  }
}

TEST_CASE("delivered regions: the source's sampling interval, or none", "[engine][details]") {
  for (const uint64_t sample_us : {uint64_t{0}, uint64_t{7'000}}) {
    CAPTURE(sample_us);
    EngineRun run("delivery");
    run.script.collect = [&] {
      run.script.collect_due_ns = run.clock.now_ns() + 1'000 * kNsPerMs;
      Aggregation aggregation;
      aggregation.regions.resize(1);
      aggregation.regions[0].end = uint64_t{1} << 20;
      aggregation.aggr_us = 140'000;
      aggregation.sample_us = sample_us;
      return std::optional(aggregation);
    };
    REQUIRE(run.make().start());
    REQUIRE(run.run_to_ms(7'000));
    const MonitoringDetails details = details_of(run);
    CHECK(details.refreshed);
    CHECK(details.sample_us == sample_us);
    CHECK(details.aggr_us == 140'000);
    CHECK(details.nr_checks == 0);
  }
}

// 51 aggregations after the start; the kernel's age is 1 at the end of the first one.
TEST_CASE("kernel_regions: idle time is age + 1 aggregations", "[engine][kernel_rules]") {
  const bool kernel_regions = GENERATE(false, true);
  CAPTURE(kernel_regions);
  EngineRun run;
  run.config.kernel_regions = kernel_regions;
  REQUIRE(run.make().start());
  REQUIRE(run.run_to_ms(5'200));
  CHECK(run.statistics().memory_idle_ms_percentiles[100] == (kernel_regions ? 5'200 : 5'100));
}

TEST_CASE("a mirror is told by name", "[engine][details]") {
  EngineRun run("mirror");
  run.mirror.show(true, 77);
  REQUIRE(run.make().start());
  REQUIRE(eventually([&] { return run.status().mirrors; }));
  const MonitoringDetails details = details_of(run);
  CHECK(details.ops == "mirror");
  CHECK(details.estimator == "kernel");
  CHECK_FALSE(details.refreshed);
  CHECK(run.status().is_kdamond);
  CHECK(run.status().tid == 4711);
  run.mirror.show(false);
  REQUIRE(run.run_to_ms(200));
  CHECK_FALSE(run.status().is_kdamond);
}

}  // namespace
}  // namespace damon_statfs::test
