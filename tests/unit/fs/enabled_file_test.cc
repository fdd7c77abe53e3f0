// SPDX-License-Identifier: GPL-2.0-or-later
//
// Writes to `enabled` over a real engine thread: each is answered once, in order, with what really
// happened.
#include "fs/enabled_file.h"

#include <cerrno>

#include "unit/fs/enabled_run.h"

namespace damon_statfs::test {
namespace {

TEST_CASE("Y is answered when monitoring is on, N when it is off", "[enabled_file]") {
  EnabledRun run;
  Answer on, off;
  run.file.write(&on, true, on.reply());
  REQUIRE(run.answered(on));
  CHECK(on.is(0));
  CHECK(run.status().state == EngineState::kOn);
  run.file.write(&off, false, off.reply());
  REQUIRE(run.answered(off));
  CHECK(off.is(0));
  CHECK(run.status().state == EngineState::kOff);
  CHECK(run.script.closed == 1);
}

TEST_CASE("Y does not answer before the start is done", "[enabled_file]") {
  EnabledRun run;
  run.hold_start();
  Answer on;
  run.file.write(&on, true, on.reply());
  run.file.engine_changed();
  CHECK(on.count == 0);
  CHECK(run.status().state == EngineState::kStarting);
  run.held = false;
  REQUIRE(run.answered(on));
  CHECK(on.is(0));
}

TEST_CASE("the same value: success, and nothing happens", "[enabled_file]") {
  EnabledRun run;
  Answer off;
  run.file.write(&off, false, off.reply());
  CHECK(off.is(0));
  Answer on, again;
  run.file.write(&on, true, on.reply());
  REQUIRE(run.answered(on));
  const pid_t tid = run.status().tid;
  run.file.write(&again, true, again.reply());
  CHECK(again.is(0));
  CHECK(run.status().tid == tid);
  CHECK(run.script.closed == 0);
}

TEST_CASE("a failed start answers with its reason, and N stays possible", "[enabled_file]") {
  for (const int errno_value : {EBUSY, ENODEV, EACCES, ENOMEM}) {
    CAPTURE(errno_value);
    EnabledRun run;
    run.script.open_errno = errno_value;
    Answer on, off, later;
    run.file.write(&on, true, on.reply());
    REQUIRE(run.answered(on));
    CHECK(on.is(errno_value));
    CHECK(run.status().state == EngineState::kOff);
    run.file.write(&off, false, off.reply());
    CHECK(off.is(0));
    run.script.open_errno = 0;
    run.file.write(&later, true, later.reply());
    REQUIRE(run.answered(later));
    CHECK(later.is(0));
  }
}

TEST_CASE("writers queue, and each gets its turn", "[enabled_file]") {
  EnabledRun run;
  run.hold_start();
  Answer first, second, third, fourth;
  run.file.write(&first, true, first.reply());
  run.file.write(&second, false, second.reply());
  run.file.write(&third, true, third.reply());
  run.file.write(&fourth, true, fourth.reply());
  CHECK(first.count + second.count + third.count + fourth.count == 0);
  run.held = false;
  REQUIRE(run.answered(fourth));
  for (const Answer* answer : {&first, &second, &third, &fourth}) CHECK(answer->is(0));
  CHECK(run.status().state == EngineState::kOn);
  CHECK(run.script.closed == 1);  // it was really off in between
}

TEST_CASE("an interrupted writer whose turn has not come is forgotten", "[enabled_file]") {
  EnabledRun run;
  run.hold_start();
  Answer first, second, third;
  run.file.write(&first, true, first.reply());
  run.file.write(&second, false, second.reply());
  run.file.write(&third, true, third.reply());
  run.file.interrupt(&second);
  CHECK(second.is(EINTR));
  run.held = false;
  REQUIRE(run.answered(third));
  CHECK(first.is(0));
  CHECK(third.is(0));
  CHECK(second.count == 1);
  CHECK(run.script.closed == 0);  // nobody switched it off
}

TEST_CASE("an interrupted writer in progress is answered at once, the switch completes",
          "[enabled_file]") {
  EnabledRun run;
  run.hold_start();
  Answer first, second;
  run.file.write(&first, true, first.reply());
  run.file.interrupt(&first);
  CHECK(first.is(EINTR));
  run.file.interrupt(&first);  // known no more
  run.file.write(&second, true, second.reply());
  CHECK(second.count == 0);  // waits for the switch in progress
  run.held = false;
  REQUIRE(run.answered(second));
  CHECK(second.is(0));
  CHECK(first.count == 1);
  CHECK(run.status().state == EngineState::kOn);
}

TEST_CASE("interrupting a stranger does nothing", "[enabled_file]") {
  EnabledRun run;
  Answer on;
  run.file.interrupt(&run);
  run.file.write(&on, true, on.reply());
  run.file.interrupt(&run);
  REQUIRE(run.answered(on));
  CHECK(on.is(0));
}

TEST_CASE("an interrupted, failing start", "[enabled_file]") {
  EnabledRun run;
  run.hold_start();
  run.script.prepare_errno = EIO;
  Answer first, second;
  run.file.write(&first, true, first.reply());
  run.file.write(&second, false, second.reply());
  run.file.interrupt(&first);
  run.held = false;
  REQUIRE(run.answered(second));
  CHECK(first.is(EINTR));
  CHECK(second.is(0));
  CHECK(run.status().state == EngineState::kOff);
}

TEST_CASE("abandon answers all who wait", "[enabled_file]") {
  EnabledRun run;
  run.hold_start();
  Answer first, second, third;
  run.file.write(&first, true, first.reply());
  run.file.write(&second, false, second.reply());
  run.file.write(&third, true, third.reply());
  run.file.interrupt(&third);
  run.file.abandon(ENODEV);
  CHECK(first.is(ENODEV));
  CHECK(second.is(ENODEV));
  CHECK(third.is(EINTR));
  run.held = false;
  run.file.abandon(ENODEV);
  CHECK(first.count == 1);
}

TEST_CASE("after the engine died by itself, Y starts it again", "[enabled_file]") {
  EnabledRun run;
  Answer on, again;
  run.file.write(&on, true, on.reply());
  REQUIRE(run.answered(on));
  run.script.check_errno = EIO;
  run.clock.stop_at(run.begun_ns + kNsPerSecond);
  REQUIRE(run.becomes(EngineState::kOff));
  run.file.engine_changed();  // nobody waits: nothing happens
  run.script.check_errno = 0;
  run.file.write(&again, true, again.reply());
  REQUIRE(run.answered(again));
  CHECK(again.is(0));
  CHECK(run.status().state == EngineState::kOn);
}

}  // namespace
}  // namespace damon_statfs::test
