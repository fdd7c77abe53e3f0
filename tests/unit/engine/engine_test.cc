// SPDX-License-Identifier: GPL-2.0-or-later
//
// The engine's life: start, refresh, stop, restart, refused starts and sudden death, each as its
// owner sees it through the status.
#include "damon_statfs/engine.h"

#include <atomic>
#include <cerrno>

#include "unit/engine/engine_run.h"

namespace damon_statfs::test {
namespace {

TEST_CASE("start and stop", "[engine]") {
  EngineRun run;
  Engine& engine = run.make();
  CHECK(run.status().state == EngineState::kOff);
  CHECK(run.status().tid == -1);
  REQUIRE(engine.start());
  CHECK(run.status().state != EngineState::kOff);
  REQUIRE(run.becomes(EngineState::kOn));
  CHECK(run.status().tid == run.script.tid);
  CHECK(run.status().tid > 0);
  CHECK(run.status().tid != getpid());
  REQUIRE(eventually([&] { return run.signals() > 0; }));

  engine.request_stop();
  REQUIRE(run.becomes(EngineState::kOff));
  CHECK(run.status().tid == -1);
  CHECK(run.status().errno_value == 0);
  CHECK(run.script.closed == 1);
  REQUIRE(eventually([&] { return run.signals() > 0; }));
  CHECK(run.log.count(LogLevel::kError) == 0);
}

TEST_CASE("a source that samples in a kernel thread", "[engine]") {
  EngineRun run("fake", 12'345);
  run.script.kdamond_pid = 4711;
  Engine& engine = run.make();
  CHECK(run.status().max_call_ms == 1'500);
  REQUIRE(engine.start());
  REQUIRE(run.becomes(EngineState::kOn));
  CHECK(run.status().tid == 4711);
  CHECK(run.status().max_call_ms == 12'345);
  CHECK_FALSE(run.status().mirrors);
}

TEST_CASE("a stop does not wait for the sampling interval", "[engine]") {
  EngineRun run;
  run.context.attrs.sample_us = run.context.attrs.aggr_us = 3'600'000'000;
  Engine& engine = run.make();
  REQUIRE(engine.start());
  REQUIRE(run.becomes(EngineState::kOn));
  engine.request_stop();  // the clock is held: only the command can end the wait
  CHECK(run.becomes(EngineState::kOff));
  CHECK(run.clock.now_ns() == run.begun_ns);
}

TEST_CASE("the first snapshot: at the first boundary strictly later than refresh_ms", "[engine]") {
  EngineRun run;
  run.script.accessed = [](uint64_t) { return true; };
  REQUIRE(run.make().start());
  REQUIRE(run.becomes(EngineState::kOn));
  // Boundaries are every 100 ms; the one at exactly 5,000 ms is not later than 5,000 ms.
  REQUIRE(run.run_to_ms(5'099));
  CHECK(run.statistics().aggr_interval_us == 0);
  CHECK(run.statistics().memory_idle_ms_percentiles[0] == 0);
  REQUIRE(run.run_to_ms(5'100));
  CHECK(run.statistics().aggr_interval_us == 100'000);
  CHECK(run.statistics().estimated_memory_bandwidth_bytes_per_s == uint64_t{204'800} << 20);
  CHECK(run.statistics().memory_idle_ms_percentiles[0] == -5'100);
  // The next one counts from this one.
  REQUIRE(run.run_to_ms(10'199));
  CHECK(run.statistics().memory_idle_ms_percentiles[0] == -5'100);
  REQUIRE(run.run_to_ms(10'200));
  CHECK(run.statistics().memory_idle_ms_percentiles[0] == -10'200);
}

TEST_CASE("refresh_ms=0 publishes every aggregation", "[engine]") {
  EngineRun run;
  run.context.refresh_ms = 0;
  REQUIRE(run.make().start());
  for (int64_t ms = 100; ms <= 500; ms += 100) {
    REQUIRE(run.run_to_ms(ms));
    CHECK(run.statistics().memory_idle_ms_percentiles[100] == ms);
  }
}

TEST_CASE("aggregations longer than refresh_ms publish each", "[engine]") {
  EngineRun run;
  run.context.attrs.sample_us = 1'000'000;
  run.context.attrs.aggr_us = 20'000'000;
  REQUIRE(run.make().start());
  REQUIRE(run.run_to_ms(19'999));
  CHECK(run.statistics().aggr_interval_us == 0);
  for (int64_t ms = 20'000; ms <= 60'000; ms += 20'000) {
    REQUIRE(run.run_to_ms(ms));
    CHECK(run.statistics().memory_idle_ms_percentiles[100] == ms);
  }
}

TEST_CASE("values outlive a stop, and a restart until its first refresh", "[engine]") {
  EngineRun run;
  Engine& engine = run.make();
  REQUIRE(engine.start());
  REQUIRE(run.run_to_ms(5'100));
  engine.request_stop();
  REQUIRE(run.becomes(EngineState::kOff));
  CHECK(run.statistics().memory_idle_ms_percentiles[100] == 5'100);

  REQUIRE(engine.start());
  REQUIRE(run.becomes(EngineState::kOn));
  CHECK(run.status().tid == run.script.tid);  // new at once
  CHECK(run.statistics().memory_idle_ms_percentiles[100] == 5'100);
  // The history is not kept: what is known begins with this start, 5,100 ms after the first one.
  REQUIRE(run.run_to_ms(10'100));
  CHECK(run.statistics().memory_idle_ms_percentiles[100] == 5'100);
  REQUIRE(run.run_to_ms(10'300));
  CHECK(run.statistics().aggr_interval_us == 100'000);
  CHECK(run.script.closed == 1);
}

TEST_CASE("a start that fails publishes the reason", "[engine]") {
  for (const int errno_value : {ENODEV, EBUSY, EACCES, ENOMEM}) {
    CAPTURE(errno_value);
    EngineRun run;
    run.script.open_errno = errno_value;
    Engine& engine = run.make();
    REQUIRE(engine.start());
    REQUIRE(run.becomes(EngineState::kOff));
    CHECK(run.status().errno_value == errno_value);
    CHECK(run.status().tid == -1);
    REQUIRE(eventually([&] { return run.signals() > 0; }));
    CHECK(run.log.count(LogLevel::kWarning) == 1);
    CHECK(run.log.count(LogLevel::kError, "scripted error in open") == 1);

    run.script.open_errno = 0;  // no later retry by itself, but the next start works
    REQUIRE(engine.start());
    REQUIRE(run.becomes(EngineState::kOn));
    CHECK(run.status().errno_value == 0);
  }
}

TEST_CASE("an engine that dies by itself says so once and keeps the values", "[engine]") {
  EngineRun run;
  Engine& engine = run.make();
  REQUIRE(engine.start());
  REQUIRE(run.run_to_ms(5'100));
  run.signals();
  run.script.check_errno = EIO;
  run.clock.stop_at(run.begun_ns + 100'000 * kNsPerMs);
  REQUIRE(run.becomes(EngineState::kOff));
  CHECK(run.status().errno_value == EIO);
  CHECK(run.status().tid == -1);
  CHECK(run.statistics().memory_idle_ms_percentiles[100] == 5'100);
  REQUIRE(eventually([&] { return run.signals() > 0; }));
  CHECK(run.log.count(LogLevel::kWarning) == 1);
  CHECK(run.log.count(LogLevel::kError, "scripted error in check") == 1);
  CHECK(run.script.closed == 1);
}

TEST_CASE("exceptions of an operations set end monitoring, not the program", "[engine]") {
  EngineRun run;
  SECTION("out of memory") {
    run.script.in_prepare = [] { throw std::bad_alloc(); };
    REQUIRE(run.make().start());
    REQUIRE(run.becomes(EngineState::kOff));
    CHECK(run.status().errno_value == ENOMEM);
  }
  SECTION("anything else") {
    run.script.in_prepare = [] { throw std::runtime_error("bug"); };
    REQUIRE(run.make().start());
    REQUIRE(run.becomes(EngineState::kOff));
    CHECK(run.status().errno_value == EIO);
    CHECK(run.log.count(LogLevel::kError, "bug") == 1);
  }
}

TEST_CASE("a stop while it starts is a stop, not an error", "[engine]") {
  EngineRun run;
  run.context.attrs.min_nr_regions = 5'000;  // several portions, between which it asks
  run.context.attrs.max_nr_regions = 10'000;
  std::atomic<bool> starting{false};
  std::atomic<bool> asked{false};
  run.script.in_prepare = [&] {
    starting = true;
    eventually([&] { return asked.load(); });
  };
  Engine& engine = run.make();
  REQUIRE(engine.start());
  REQUIRE(eventually([&] { return starting.load(); }));
  engine.request_stop();
  asked = true;
  REQUIRE(run.becomes(EngineState::kOff));
  CHECK(run.status().errno_value == 0);
  CHECK(run.script.closed == 1);
  CHECK(run.log.count(LogLevel::kError) == 0);
}

TEST_CASE("a stop while it is off is forgotten", "[engine]") {
  EngineRun run;
  Engine& engine = run.make();
  for (int i = 0; i < 10; ++i) engine.request_stop();  // more than the queue holds
  REQUIRE(engine.start());
  REQUIRE(run.run_to_ms(5'100));
  CHECK(run.status().state == EngineState::kOn);
  for (int i = 0; i < 10; ++i) engine.request_stop();
  CHECK(run.becomes(EngineState::kOff));
}

TEST_CASE("a destroyed engine has stopped", "[engine]") {
  EngineRun run;
  REQUIRE(run.make().start());
  REQUIRE(run.becomes(EngineState::kOn));
  run.engine.reset();
  CHECK(run.script.closed == 1);
}

TEST_CASE("the simulated memory through the whole engine", "[engine]") {
  EngineRun run("sim");
  run.config.estimator = EstimatorChoice::kRegions;
  REQUIRE(run.make().start());
  REQUIRE(run.run_to_ms(5'100));
  // Touched every 10 ms, sampled every 5 ms: in half of the samples.
  CHECK(run.statistics().estimated_memory_bandwidth_bytes_per_s == uint64_t{102'400} << 20);
  CHECK(run.statistics().memory_idle_ms_percentiles[100] < 0);
  CHECK(run.log.count(LogLevel::kWarning, "simulated") == 1);
}

TEST_CASE("what auto has chosen is said once", "[engine]") {
  EngineRun run("auto");
  Engine& engine = run.make();
  for (int start = 0; start < 3; ++start) {
    REQUIRE(engine.start());
    REQUIRE(run.becomes(EngineState::kOn));
    engine.request_stop();
    REQUIRE(run.becomes(EngineState::kOff));
  }
  CHECK(run.log.count(LogLevel::kInfo, "ops=auto: fake (scripted)") == 1);
  CHECK(run.log.count(LogLevel::kInfo, "ops=auto") == 1);
}

TEST_CASE("a set asked for by name is no choice of auto's", "[engine]") {
  EngineRun run;
  REQUIRE(run.make().start());
  REQUIRE(run.becomes(EngineState::kOn));
  CHECK(run.log.count(LogLevel::kInfo, "ops=auto") == 0);
}

TEST_CASE("an unknown operations set", "[engine]") {
  EngineRun run("nosuch");
  REQUIRE(run.make().start());
  REQUIRE(run.becomes(EngineState::kOff));
  CHECK(run.status().errno_value == ENODEV);
}

class Counter final : public MonitoringObserver {
 public:
  void after_sampling(const RegionsView&) override { ++sampled; }
  void after_aggregation(const RegionsView& view) override {
    ++aggregated;
    regions = view.regions.size();
  }
  void refreshed(const Statistics&, const MonitoringDetails&) override { ++refreshes; }
  void before_stop() override { ++stops; }

  std::atomic<int> sampled{0}, aggregated{0}, refreshes{0}, stops{0};
  std::atomic<size_t> regions{0};
};

TEST_CASE("any number of observers see what monitoring finds", "[engine]") {
  EngineRun run;
  Counter counters[2];
  Engine& engine = run.make();
  for (Counter& counter : counters) engine.add_observer(counter);
  REQUIRE(engine.start());
  REQUIRE(run.run_to_ms(5'200));
  engine.request_stop();
  REQUIRE(run.becomes(EngineState::kOff));
  for (Counter& counter : counters) {
    CHECK(counter.aggregated == 52);
    CHECK(counter.sampled == 52 * 20);
    CHECK(counter.regions >= 10);
    CHECK(counter.refreshes == 1);
    CHECK(counter.stops == 1);
  }
}

TEST_CASE("observers see an end by an error, too", "[engine]") {
  EngineRun run;
  Counter counter;
  Engine& engine = run.make();
  engine.add_observer(counter);
  REQUIRE(engine.start());
  REQUIRE(run.run_to_ms(200));
  run.script.check_errno = EIO;
  run.clock.stop_at(run.begun_ns + 10'000 * kNsPerMs);
  REQUIRE(run.becomes(EngineState::kOff));
  CHECK(counter.stops == 1);
  CHECK(counter.refreshes == 0);
}

}  // namespace
}  // namespace damon_statfs::test
