// SPDX-License-Identifier: GPL-2.0-or-later
//
// Writes to `enabled` over a real engine thread: what the file and the engine promise each other
// fits together. The moments of one switch are in enabled_file_test.cc.
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

TEST_CASE("after the engine died by itself, Y starts it again", "[enabled_file]") {
  EnabledRun run;
  Answer on, again;
  run.file.write(&on, true, on.reply());
  REQUIRE(run.answered(on));
  run.script.check_errno = EIO;
  run.clock.stop_at(run.begun_ns + kNsPerSecond);
  REQUIRE(run.becomes(EngineState::kOff));
  run.file.engine_changed();  // no writer waits: nothing happens
  run.script.check_errno = 0;
  run.file.write(&again, true, again.reply());
  REQUIRE(run.answered(again));
  CHECK(again.is(0));
  CHECK(run.status().state == EngineState::kOn);
}

}  // namespace
}  // namespace damon_statfs::test
