// SPDX-License-Identifier: GPL-2.0-or-later
//
// Settings that change while monitoring is on: each takes effect, and what is known of memory by
// then is kept.
#include "damon_statfs/run_settings.h"

#include "engine/estimators.h"
#include "unit/engine/damon/kdamond_machine.h"
#include "unit/engine/engine_run.h"

namespace damon_statfs::test {
namespace {

RunSettings settings_of(const EngineRun& run) {
  return {run.config.max_cpu_percent, run.context.refresh_ms, run.context.attrs.goal};
}

TEST_CASE("while monitoring is on, settings change at once", "[run_settings]") {
  EngineRun run;
  REQUIRE(run.make().start());
  REQUIRE(run.becomes(EngineState::kOn));
  REQUIRE(run.run_to_ms(1'000));
  RunSettings settings = settings_of(run);
  settings.refresh_ms = 1'000;
  REQUIRE(run.engine->change(settings));
  REQUIRE(eventually([&] { return run.status().changes == 1; }));
  REQUIRE(run.run_to_ms(1'200));
  // Memory has not been accessed since the start, and that is still known.
  CHECK(run.statistics().memory_idle_ms_percentiles[0] == 1'100);
  CHECK(run.engine->change(settings));
}

TEST_CASE("while monitoring is off, settings are those of the next start", "[run_settings]") {
  EngineRun run;
  run.make();
  RunSettings settings = settings_of(run);
  settings.refresh_ms = 0;
  settings.goal = {400, 3, 10'000, 20'000};
  REQUIRE(run.engine->change(settings));
  settings.goal.max_sample_us = 30'000;
  REQUIRE(run.engine->change(settings));
  REQUIRE(run.engine->start());
  REQUIRE(run.becomes(EngineState::kOn));
  REQUIRE(run.run_to_ms(250));
  CHECK(run.context.attrs.sample_us == 10'000);
  CHECK(run.context.attrs.aggr_us == 200'000);
  CHECK(run.context.attrs.goal.max_sample_us == 30'000);
  CHECK(run.statistics().aggr_interval_us == 200'000);
}

TEST_CASE("one change at a time is on the way", "[run_settings]") {
  EngineRun run;
  run.script.in_prepare = [&] {
    while (run.script.prepare_errno == 0 && run.clock.now_ns() > run.begun_ns) {
      std::this_thread::yield();
    }
  };
  REQUIRE(run.make().start());
  REQUIRE(run.becomes(EngineState::kOn));
  run.clock.stop_at(run.begun_ns + 5 * kNsPerMs);  // the engine thread hangs in the next tick
  REQUIRE(eventually([&] { return run.clock.now_ns() > run.begun_ns; }));
  const RunSettings settings = settings_of(run);
  CHECK(run.engine->change(settings));
  CHECK_FALSE(run.engine->change(settings));
  CHECK_FALSE(run.engine->change(settings));
  run.engine->request_stop();  // there is room for that
  run.script.prepare_errno = EIO;
  CHECK(run.becomes(EngineState::kOff));
  CHECK(run.engine->change(settings));
}

TEST_CASE("a mirror takes settings, which mean nothing to it", "[run_settings]") {
  EngineRun run("mirror");
  REQUIRE(run.make().start());
  REQUIRE(eventually([&] { return run.status().mirrors; }));
  REQUIRE(run.engine->change(settings_of(run)));
  REQUIRE(eventually([&] { return run.status().changes == 1; }));
  CHECK(run.status().mirrors);
}

TEST_CASE("a goal bounds the sampling interval and keeps the samples", "[run_settings]") {
  MonitoringAttrs attrs;
  attrs.goal = {400, 3, 10'000, 20'000};
  CHECK(within_goal(attrs).sample_us == 10'000);
  CHECK(within_goal(attrs).aggr_us == 200'000);
  attrs = with_intervals(attrs, 1'000'000, 5'000'000);
  CHECK(within_goal(attrs).sample_us == 20'000);
  CHECK(within_goal(attrs).aggr_us == 100'000);
  attrs.goal.aggrs = 0;
  CHECK(within_goal(attrs).sample_us == 1'000'000);
}

TEST_CASE("a kdamond is given another goal, and stays ours", "[run_settings]") {
  for (const Kernel kernel : {Kernel::k6_12, Kernel::k6_15, Kernel::k7_2}) {
    for (const bool tracefs : {false, true}) {
      CAPTURE(static_cast<int>(kernel), tracefs);
      KdamondMachine machine(kernel);
      if (tracefs) machine.mount_tracefs();
      const auto set = machine.make_set();
      REQUIRE(set->open());
      REQUIRE(machine.collect(*set));
      const auto running = [&] { return machine.damon->kernel().running(0)->context.attrs; };
      for (const IntervalsGoal goal :
           {IntervalsGoal{400, 3, 20'000, 40'000}, IntervalsGoal{400, 0, 20'000, 40'000},
            IntervalsGoal{100, 2, 5'000, 1'000'000}}) {
        machine.context.attrs.goal = goal;
        for (int i = 0; i < 3; ++i) REQUIRE(machine.collect(*set));
        CHECK((kernel == Kernel::k6_12 || running().goal == goal));
        if (goal.aggrs == 0) continue;
        CHECK(running().sample_us >= goal.min_sample_us);
        CHECK(running().sample_us <= goal.max_sample_us);
        CHECK(running().aggr_us == 20 * running().sample_us);
      }
      set->close();
      CHECK(machine.is_untouched());
    }
  }
}

}  // namespace
}  // namespace damon_statfs::test
