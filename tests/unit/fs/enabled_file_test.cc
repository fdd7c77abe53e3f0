// SPDX-License-Identifier: GPL-2.0-or-later
//
// Writes to `enabled`, moment by moment: what each asks of the engine, when it is answered, and
// what an interruption leaves of it.
#include "fs/enabled_file.h"

#include <cerrno>

#include "support/catch.h"
#include "support/fake_switch.h"
#include "unit/fs/answer.h"

namespace damon_statfs::test {
namespace {

struct SwitchRun {
  FakeSwitch engine;
  EnabledFile file{engine};

  void write(Answer& answer, bool on) { file.write(&answer, on, answer.reply()); }
  void becomes(EngineState state, int errno_value = 0) {
    engine.become(state, errno_value);
    file.engine_changed();
  }
};

TEST_CASE("a switch is answered when it is done, not before", "[enabled_file]") {
  SwitchRun run;
  Answer on, off;
  run.write(on, true);
  CHECK(run.engine.take_calls() == "start ");
  run.file.engine_changed();  // it is still starting
  CHECK(on.count == 0);
  run.becomes(EngineState::kOn);
  CHECK(on.is(0));
  run.write(off, false);
  CHECK(run.engine.take_calls() == "stop ");
  run.file.engine_changed();  // it is still on
  CHECK(off.count == 0);
  run.becomes(EngineState::kOff);
  CHECK(off.is(0));
  CHECK(run.engine.take_calls().empty());
}

TEST_CASE("the same value: success, and nothing happens", "[enabled_file]") {
  for (const bool on : {false, true}) {
    SwitchRun run;
    run.becomes(on ? EngineState::kOn : EngineState::kOff);
    Answer answer;
    run.write(answer, on);
    CHECK(answer.is(0));
    CHECK(run.engine.take_calls().empty());
  }
}

TEST_CASE("a start that fails at once, and one that fails later", "[enabled_file]") {
  SwitchRun run;
  Answer at_once, later, off;
  run.engine.start_errno = EAGAIN;
  run.write(at_once, true);
  CHECK(at_once.is(EAGAIN));
  run.engine.start_errno = 0;
  run.write(later, true);
  run.becomes(EngineState::kOff, EBUSY);
  CHECK(later.is(EBUSY));
  run.engine.take_calls();
  run.write(off, false);
  CHECK(off.is(0));  // the errno is that of the start, and nothing is to be stopped
  CHECK(run.engine.take_calls().empty());
}

TEST_CASE("a stop during which the engine dies has stopped it", "[enabled_file]") {
  SwitchRun run;
  run.becomes(EngineState::kOn);
  Answer off;
  run.write(off, false);
  run.becomes(EngineState::kOff, EIO);
  CHECK(off.is(0));
}

TEST_CASE("writers queue: one switch at a time, in order", "[enabled_file]") {
  SwitchRun run;
  Answer first, second, third, fourth;
  run.write(first, true);
  run.write(second, false);
  run.write(third, true);
  run.write(fourth, true);
  CHECK(run.engine.take_calls() == "start ");
  run.becomes(EngineState::kOn);
  CHECK(first.is(0));
  CHECK(run.engine.take_calls() == "stop ");
  run.becomes(EngineState::kOff);
  CHECK(second.is(0));
  CHECK(run.engine.take_calls() == "start ");
  CHECK(third.count + fourth.count == 0);
  run.becomes(EngineState::kOn);
  CHECK((third.is(0) && fourth.is(0)));
  CHECK(run.engine.take_calls().empty());
}

TEST_CASE("an interrupted writer whose turn has not come is forgotten", "[enabled_file]") {
  SwitchRun run;
  Answer first, second, third;
  run.write(first, true);
  run.write(second, false);
  run.write(third, true);
  run.file.interrupt(&second);
  CHECK(second.is(EINTR));
  run.becomes(EngineState::kOn);
  CHECK((first.is(0) && third.is(0)));
  CHECK(second.count == 1);
  CHECK(run.engine.take_calls() == "start ");
}

TEST_CASE("an interrupted writer in progress is answered at once, the switch completes",
          "[enabled_file]") {
  SwitchRun run;
  Answer first, second;
  run.write(first, true);
  run.file.interrupt(&first);
  CHECK(first.is(EINTR));
  run.file.interrupt(&first);  // known no more
  run.write(second, true);
  CHECK(second.count == 0);  // waits for the switch in progress
  run.becomes(EngineState::kOn);
  CHECK(second.is(0));
  CHECK(first.count == 1);
  CHECK(run.engine.take_calls() == "start ");
}

TEST_CASE("interrupting a stranger does nothing", "[enabled_file]") {
  SwitchRun run;
  Answer on;
  run.file.interrupt(&run);
  run.write(on, true);
  run.file.interrupt(&run);
  CHECK(on.count == 0);
  run.becomes(EngineState::kOn);
  CHECK(on.is(0));
}

TEST_CASE("abandon answers all who wait, once", "[enabled_file]") {
  SwitchRun run;
  Answer first, second, third;
  run.write(first, true);
  run.write(second, false);
  run.write(third, true);
  run.file.interrupt(&third);
  run.file.abandon(ENODEV);
  CHECK((first.is(ENODEV) && second.is(ENODEV) && third.is(EINTR)));
  run.file.abandon(ENODEV);
  run.becomes(EngineState::kOn);
  CHECK((first.count == 1 && second.count == 1 && third.count == 1));
  CHECK(run.engine.take_calls() == "start ");
}

TEST_CASE("a mirror is handed every write, each after the one before", "[enabled_file][mirror]") {
  SwitchRun run;
  run.engine.mirror(true);
  Answer first, second;
  run.write(first, true);  // it is on, which only its source may judge
  run.write(second, false);
  CHECK(run.engine.take_calls() == "Y ");
  run.file.engine_changed();
  CHECK(first.count == 0);
  run.engine.count_forwarded(EBUSY);
  run.file.engine_changed();
  CHECK(first.is(EBUSY));
  CHECK(run.engine.take_calls() == "N ");
  run.engine.count_forwarded();
  run.file.engine_changed();
  CHECK(second.is(0));
}

TEST_CASE("a start that ends in a mirror hands the write on", "[enabled_file][mirror]") {
  for (const bool starting : {false, true}) {
    SwitchRun run;
    if (starting) run.engine.become(EngineState::kStarting);
    Answer on;
    run.write(on, true);
    CHECK(run.engine.take_calls() == (starting ? "" : "start "));
    run.engine.mirror(false);
    run.file.engine_changed();
    CHECK(run.engine.take_calls() == "Y ");
    CHECK(on.count == 0);
    run.engine.count_forwarded();
    run.file.engine_changed();
    CHECK(on.is(0));
  }
}

TEST_CASE("a mirror that ends before it has counted a write", "[enabled_file][mirror]") {
  for (const int errno_value : {ENODEV, 0}) {
    SwitchRun run;
    run.engine.mirror(true);
    Answer answer;
    run.write(answer, false);
    run.becomes(EngineState::kOff, errno_value);
    CHECK(answer.is(errno_value == 0 ? EIO : errno_value));
  }
}

}  // namespace
}  // namespace damon_statfs::test
