// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the engine promises of its next sign of life: never before it can keep it, however long the
// intervals, and not so far away that a hang is seen late.
#include "damon_statfs/engine.h"
#include "unit/engine/engine_run.h"

namespace damon_statfs::test {
namespace {

// How far in the future the promise is, by the engine's clock.
int64_t promised_in_ms(EngineRun& run) {
  return (run.engine->newest().alive_until_ns - run.clock.now_ns()) / kNsPerMs;
}

TEST_CASE("only a thread promises anything", "[engine][heartbeat]") {
  EngineRun run;
  Engine& engine = run.make();
  CHECK(engine.newest().alive_until_ns == 0);
  REQUIRE(engine.start());
  CHECK(engine.newest().alive_until_ns > run.begun_ns);
  REQUIRE(run.becomes(EngineState::kOn));
  engine.request_stop();
  REQUIRE(run.becomes(EngineState::kOff));
  CHECK(engine.newest().alive_until_ns == 0);
  run.script.open_errno = ENODEV;
  REQUIRE(engine.start());
  REQUIRE(run.becomes(EngineState::kOff));
  CHECK(engine.newest().alive_until_ns == 0);
}

TEST_CASE("short intervals: renewed in time", "[engine][heartbeat]") {
  EngineRun run;
  REQUIRE(run.make().start());
  REQUIRE(run.becomes(EngineState::kOn));
  for (int64_t ms = 0; ms <= 600'000; ms += 777) {
    REQUIRE(run.run_to_ms(ms));
    CHECK(promised_in_ms(run) >= 5'000);
    CHECK(promised_in_ms(run) <= 6'005);
  }
}

TEST_CASE("long intervals: not before the next one is over", "[engine][heartbeat]") {
  EngineRun run;
  run.context.attrs.sample_us = 3'600'000'000;
  run.context.attrs.aggr_us = 3'600'000'000;
  REQUIRE(run.make().start());
  for (int64_t hours = 0; hours < 5; ++hours) {
    REQUIRE(run.run_to_ms(hours * 3'600'000));
    CHECK(promised_in_ms(run) >= 3'605'000);
    CHECK(promised_in_ms(run) <= 3'606'000);
  }
}

TEST_CASE("a delay for the CPU budget is part of the promise", "[engine][heartbeat]") {
  EngineRun run;
  run.config.max_cpu_percent = 0.001;
  run.script.clock = &run.clock;
  run.script.cpu_ns_per_check = kNsPerSecond;  // each paid for with more than a day
  REQUIRE(run.make().start());
  REQUIRE(run.run_to_ms(5));
  REQUIRE(eventually([&] { return promised_in_ms(run) > 86'400'000; }));
}

TEST_CASE("a set that may take long to close may take as long for a step", "[engine][heartbeat]") {
  EngineRun run("fake", 60'000);
  REQUIRE(run.make().start());
  REQUIRE(run.run_to_ms(100'000));
  CHECK(promised_in_ms(run) >= 60'000);
  CHECK(promised_in_ms(run) <= 61'005);
}

TEST_CASE("a mirror promises too, and stays quiet otherwise", "[engine][heartbeat]") {
  EngineRun run("mirror");
  run.mirror.show(true, 1);
  REQUIRE(run.make().start());
  REQUIRE(run.run_to_ms(100));
  run.signals();
  REQUIRE(run.run_to_ms(60'000));
  CHECK(promised_in_ms(run) >= 5'000);
  CHECK(promised_in_ms(run) <= 6'100);
  CHECK(run.signals() == 0);
}

TEST_CASE("a mirror whose write may take long promises no less", "[engine][heartbeat]") {
  EngineRun run("mirror", 12'000);
  run.mirror.show(true, 1);
  REQUIRE(run.make().start());
  REQUIRE(run.run_to_ms(100));
  CHECK(run.status().max_call_ms == 12'000);
  CHECK(promised_in_ms(run) >= 12'000);
  CHECK(promised_in_ms(run) <= 13'100);
}

}  // namespace
}  // namespace damon_statfs::test
