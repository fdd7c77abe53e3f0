// SPDX-License-Identifier: GPL-2.0-or-later
//
// The engine thread as a mirror: it shows what its source says, hands writes on, and never changes
// anything by itself.
#include <cerrno>

#include "damon_statfs/engine.h"
#include "unit/engine/engine_run.h"

namespace damon_statfs::test {
namespace {

class MirrorRun : public EngineRun {
 public:
  MirrorRun() : EngineRun("mirror") {}

  uint64_t bandwidth() { return statistics().estimated_memory_bandwidth_bytes_per_s; }
  bool mirrors() {
    return eventually([&] { return status().mirrors; });
  }
  bool has_ended() {
    return eventually([&] { return !status().mirrors && status().state == EngineState::kOff; });
  }
  bool has_forwarded(uint64_t count) {
    return eventually([&] { return status().forwarded == count; });
  }
};

TEST_CASE("a mirror begins with its source's state", "[engine][mirror]") {
  for (const bool on : {true, false}) {
    CAPTURE(on);
    MirrorRun run;
    run.mirror.show(on, 77);
    REQUIRE(run.make().start());
    REQUIRE(run.mirrors());
    CHECK(run.status().state == (on ? EngineState::kOn : EngineState::kOff));
    CHECK(run.status().tid == (on ? 4711 : -1));
    CHECK(run.bandwidth() == 77);
    CHECK(run.status().forwarded == 0);
    REQUIRE(eventually([&] { return run.signals() > 0; }));
  }
}

TEST_CASE("changes are seen within 100 ms", "[engine][mirror]") {
  MirrorRun run;
  run.mirror.show(false, 1);
  REQUIRE(run.make().start());
  REQUIRE(run.run_to_ms(0));
  run.signals();
  run.mirror.show(false, 2);
  REQUIRE(run.run_to_ms(99));
  CHECK(run.bandwidth() == 1);
  REQUIRE(run.run_to_ms(100));
  CHECK(run.bandwidth() == 2);
  CHECK(run.signals() == 0);  // no writer waits for the values
  run.mirror.show(true, 2);
  REQUIRE(run.run_to_ms(200));
  CHECK(run.status().state == EngineState::kOn);
  CHECK(run.signals() == 1);
  const int reads = run.mirror.reads;
  REQUIRE(run.run_to_ms(1'200));
  CHECK(run.mirror.reads == reads + 10);
  CHECK(run.signals() == 0);
}

TEST_CASE("a write is handed on and read back at once", "[engine][mirror]") {
  MirrorRun run;
  Engine& engine = run.make();
  REQUIRE(engine.start());
  REQUIRE(run.run_to_ms(0));
  run.signals();
  engine.forward(true);  // the clock is held: only the command can end the wait
  REQUIRE(run.has_forwarded(1));
  CHECK(run.status().state == EngineState::kOn);
  CHECK(run.status().errno_value == 0);
  REQUIRE(eventually([&] { return run.signals() > 0; }));
  engine.forward(true);
  REQUIRE(run.has_forwarded(2));
  engine.forward(false);
  REQUIRE(run.has_forwarded(3));
  CHECK(run.status().state == EngineState::kOff);
  CHECK(run.status().mirrors);
  CHECK(run.mirror.written() == "YYN");
  CHECK(run.log.count(LogLevel::kInfo, "handed") == 3);
  // The commands are taken, so it waits again.
  const int reads = run.mirror.reads;
  REQUIRE(run.run_to_ms(100));
  CHECK(run.mirror.reads <= reads + 2);
}

TEST_CASE("a refused write: its errno, and the state as it is", "[engine][mirror]") {
  MirrorRun run;
  Engine& engine = run.make();
  REQUIRE(engine.start());
  REQUIRE(run.mirrors());
  run.mirror.write_errno = EBUSY;
  engine.forward(true);
  REQUIRE(run.has_forwarded(1));
  CHECK(run.status().errno_value == EBUSY);
  CHECK(run.status().state == EngineState::kOff);
  CHECK(run.status().mirrors);
  CHECK(run.log.count(LogLevel::kError, "scripted error in write") == 1);
  run.mirror.write_errno = 0;
  engine.forward(true);
  REQUIRE(run.has_forwarded(2));
  CHECK(run.status().errno_value == 0);
}

TEST_CASE("the end of a mirror writes nothing", "[engine][mirror]") {
  MirrorRun run;
  run.mirror.show(true);
  SECTION("stopped") {
    Engine& engine = run.make();
    REQUIRE(engine.start());
    REQUIRE(run.mirrors());
    engine.request_stop();
    REQUIRE(run.has_ended());
    CHECK(run.status().errno_value == 0);
    CHECK(run.status().tid == -1);
  }
  SECTION("stopped at once") {
    Engine& engine = run.make();
    REQUIRE(engine.start());
    engine.request_stop();
    REQUIRE(run.has_ended());
  }
  SECTION("destroyed") {
    REQUIRE(run.make().start());
    REQUIRE(run.mirrors());
    run.engine.reset();
  }
  REQUIRE(eventually([&] { return run.mirror.ended.load(); }));
  CHECK(run.mirror.written().empty());
  CHECK(run.mirror.shown().status.state == EngineState::kOn);
  CHECK(run.log.count(LogLevel::kWarning) == 0);
}

TEST_CASE("a source that is not there, and comes", "[engine][mirror]") {
  MirrorRun run;
  run.mirror.read_errno = ENODEV;
  Engine& engine = run.make();
  REQUIRE(engine.start());
  REQUIRE(run.has_ended());
  CHECK(run.status().errno_value == ENODEV);
  CHECK(run.log.count(LogLevel::kError, "scripted error in read") == 1);
  run.mirror.read_errno = 0;
  REQUIRE(engine.start());
  REQUIRE(run.mirrors());
  CHECK(run.status().errno_value == 0);
}

TEST_CASE("a source that goes ends the mirror, and its values stay", "[engine][mirror]") {
  MirrorRun run;
  run.mirror.show(true, 77);
  Engine& engine = run.make();
  REQUIRE(engine.start());
  REQUIRE(run.run_to_ms(0));
  run.signals();
  run.mirror.read_errno = ENODEV;
  run.clock.stop_at(run.begun_ns + 100 * kNsPerMs);
  REQUIRE(run.has_ended());
  CHECK(run.status().errno_value == ENODEV);
  CHECK(run.status().tid == -1);
  CHECK(run.bandwidth() == 77);
  REQUIRE(eventually([&] { return run.signals() > 0; }));
  CHECK(run.log.count(LogLevel::kError, "scripted error in read") == 1);
}

}  // namespace
}  // namespace damon_statfs::test
