// SPDX-License-Identifier: GPL-2.0-or-later
//
// Writes to `enabled` with a mirror: each goes to the mirror's source, in order, and its errno
// comes back.
#include <cerrno>

#include "unit/fs/enabled_run.h"

namespace damon_statfs::test {
namespace {

class MirrorRun : public EnabledRun {
 public:
  MirrorRun() : EnabledRun("mirror") {
    mirror.in_write = [this] { eventually([this] { return !held.load(); }); };
  }

  // What the daemon does before the mount answers.
  bool begin() {
    return engine->start() && eventually([this] { return status().mirrors; });
  }
  int write_now(bool on) {
    Answer answer;
    file.write(&answer, on, answer.reply());
    return answered(answer) && answer.count == 1 ? answer.errno_value : -1;
  }
};

TEST_CASE("every write is handed on, also of the same value", "[enabled_file][mirror]") {
  MirrorRun run;
  REQUIRE(run.begin());
  CHECK(run.write_now(false) == 0);
  CHECK(run.write_now(true) == 0);
  CHECK(run.status().state == EngineState::kOn);
  CHECK(run.write_now(true) == 0);
  CHECK(run.write_now(false) == 0);
  CHECK(run.status().state == EngineState::kOff);
  CHECK(run.mirror.written() == "NYYN");
}

TEST_CASE("the source's errno comes back", "[enabled_file][mirror]") {
  MirrorRun run;
  REQUIRE(run.begin());
  for (const int errno_value : {EBUSY, ENOMEM, EROFS, EAGAIN}) {
    CAPTURE(errno_value);
    run.mirror.write_errno = errno_value;
    CHECK(run.write_now(true) == errno_value);
    CHECK(run.write_now(false) == errno_value);
    run.mirror.write_errno = 0;
    CHECK(run.write_now(true) == 0);
  }
}

TEST_CASE("a write while the mirror starts waits for it", "[enabled_file][mirror]") {
  for (const bool on : {true, false}) {
    CAPTURE(on);
    MirrorRun run;
    REQUIRE(run.engine->start());
    CHECK(run.write_now(on) == 0);
    CHECK(run.mirror.written() == (on ? "Y" : "N"));
  }
}

TEST_CASE("without its source: Y tries again, N has nothing to do", "[enabled_file][mirror]") {
  MirrorRun run;
  run.mirror.read_errno = ENODEV;
  CHECK(run.write_now(true) == ENODEV);
  CHECK(run.write_now(false) == 0);
  CHECK(run.mirror.written().empty());
  run.mirror.read_errno = 0;
  CHECK(run.write_now(true) == 0);
  CHECK(run.mirror.written() == "Y");
  CHECK(run.status().state == EngineState::kOn);
}

TEST_CASE("Y to a source that is on already, met at that moment", "[enabled_file][mirror]") {
  MirrorRun run;
  run.mirror.show(true);
  CHECK(run.write_now(true) == 0);
  CHECK(run.mirror.written() == "Y");
}

TEST_CASE("a source that goes during a write", "[enabled_file][mirror]") {
  MirrorRun run;
  REQUIRE(run.begin());
  run.held = true;
  Answer first, second;
  run.file.write(&first, true, first.reply());
  run.file.write(&second, false, second.reply());
  run.mirror.read_errno = ENODEV;
  run.held = false;
  REQUIRE(run.answered(second));
  CHECK(first.is(ENODEV));
  CHECK(second.is(0));  // it is off, for all that is known
  CHECK(run.status().state == EngineState::kOff);
}

TEST_CASE("a source that goes before the write reaches it", "[enabled_file][mirror]") {
  MirrorRun run;
  REQUIRE(run.begin());
  REQUIRE(run.run_to_ms(0));
  run.mirror.read_errno = EIO;
  run.clock.stop_at(run.begun_ns + 100 * kNsPerMs);
  REQUIRE(eventually([&] { return run.mirror.ended.load(); }));
  CHECK(run.write_now(true) == EIO);
}

TEST_CASE("interrupted writes to a mirror", "[enabled_file][mirror]") {
  MirrorRun run;
  REQUIRE(run.begin());
  run.held = true;
  Answer first, second, third;
  run.file.write(&first, true, first.reply());
  run.file.write(&second, false, second.reply());
  run.file.write(&third, true, third.reply());
  run.file.interrupt(&first);
  run.file.interrupt(&second);
  CHECK(first.is(EINTR));
  CHECK(second.is(EINTR));
  run.held = false;
  REQUIRE(run.answered(third));
  CHECK(third.is(0));
  CHECK(run.mirror.written() == "YY");  // the one in progress went on, the other was forgotten
}

TEST_CASE("another program's switch between two writes", "[enabled_file][mirror]") {
  MirrorRun run;
  REQUIRE(run.begin());
  CHECK(run.write_now(true) == 0);
  run.mirror.show(false);
  REQUIRE(run.run_to_ms(100));
  CHECK(run.status().state == EngineState::kOff);
  CHECK(run.write_now(true) == 0);
  CHECK(run.status().state == EngineState::kOn);
  CHECK(run.mirror.written() == "YY");
}

}  // namespace
}  // namespace damon_statfs::test
