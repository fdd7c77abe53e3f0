// SPDX-License-Identifier: GPL-2.0-or-later
//
// A start for which the machine has no thread, no descriptor or no memory left: the owner is told
// why and so is the log, nothing hangs afterwards, and the next start is as good as any.
#include <cerrno>

#include "support/fail_limits.h"
#include "support/failing_allocations.h"
#include "unit/fs/enabled_run.h"

namespace damon_statfs::test {
namespace {

// Whether monitoring can be switched on and off.
bool works(EnabledRun& run) {
  Answer on, off;
  run.file.write(&on, true, on.reply());
  const bool went_on = run.answered(on) && on.is(0);
  run.file.write(&off, false, off.reply());
  return went_on && run.answered(off) && off.is(0);
}

TEST_CASE("no thread to be had is told, to the writer and to the log", "[engine][start]") {
  EnabledRun run;
  Answer on;
  {
    const NoThreads none;
    run.file.write(&on, true, on.reply());
  }
  CHECK(on.is(EAGAIN));
  CHECK(run.status().state == EngineState::kOff);
  CHECK(run.log.count(LogLevel::kError, "monitoring is off: no thread for the engine") == 1);
  run.file.abandon(EINTR);
  CHECK(on.count == 1);
  CHECK(works(run));
}

TEST_CASE("no descriptor for the commands is told, and no later write hangs", "[engine][start]") {
  EnabledRun run;
  Answer on;
  {
    const NoDescriptors none;
    run.file.write(&on, true, on.reply());
  }
  CHECK(on.is(EMFILE));
  CHECK(run.status().state == EngineState::kOff);
  CHECK(run.log.count(LogLevel::kError, "monitoring is off: no eventfd for the engine") == 1);
  CHECK(works(run));
}

TEST_CASE("one failed allocation: one answer, and the next start works", "[engine][start]") {
  for (int64_t number = 0;; ++number) {
    CAPTURE(number);
    EnabledRun run;
    Answer on;
    int thrown = 0;
    {
      const FailingAllocation failing(number);
      try {
        run.file.write(&on, true, on.reply());
      } catch (const std::bad_alloc&) {
        ++thrown;  // the caller answers this writer
      }
      if (thrown == 0) REQUIRE(run.answered(on));
      if (!FailingAllocation::has_failed()) break;
    }
    CHECK(on.count + thrown == 1);
    if (on.count == 1 && on.errno_value != 0) {
      CHECK(on.errno_value == ENOMEM);
      CHECK(run.log.count(LogLevel::kError, "monitoring is off: ") == 1);
    }
    run.file.abandon(EINTR);
    CHECK(on.count + thrown == 1);
    CHECK(works(run));
    REQUIRE(number < 1'000);
  }
}

TEST_CASE("a command that is not for monitoring does not stand in its way", "[engine][start]") {
  EngineRun run;
  Engine& engine = run.make();
  REQUIRE(engine.start());
  REQUIRE(run.becomes(EngineState::kOn));
  engine.forward(true);  // its descriptor stays readable until it is read
  REQUIRE(run.run_to_ms(5'100));
  CHECK(run.statistics().aggr_interval_us == 100'000);
  engine.request_stop();
  CHECK(run.becomes(EngineState::kOff));
}

}  // namespace
}  // namespace damon_statfs::test
