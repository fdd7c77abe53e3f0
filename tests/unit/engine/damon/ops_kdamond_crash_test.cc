// SPDX-License-Identifier: GPL-2.0-or-later
//
// A kdamond goes on when its owner is killed, and nothing in the kernel says whose it was: the next
// daemon has to take up what the last one left, and nothing else.
#include "engine/damon/ops_kdamond.h"
#include "support/catch.h"
#include "unit/engine/damon/kdamond_machine.h"

namespace damon_statfs::test {
namespace {

constexpr Kernel kSome[] = {Kernel::k6_2, Kernel::k6_12, Kernel::k7_2};

void write(FakeDamon& damon, const std::string& path, const char* text) {
  const Result<void> ignored = damon.foreign_write(path, text);
  static_cast<void>(ignored);
}

TEST_CASE("killed at any step, the next daemon takes over", "[ops_kdamond]") {
  for (const Kernel kernel : kSome) {
    for (const bool tracefs : {false, true}) {
      size_t number = 0;
      for (;; ++number) {
        CAPTURE(static_cast<int>(kernel), tracefs, number);
        KdamondMachine machine(kernel);
        if (tracefs) machine.mount_tracefs();
        if (!machine.live_until(number)) break;
        const auto next = machine.live();
        CAPTURE(next.reason);
        CHECK(next.delivered == 2);
        CHECK(next.open_ns < 30 * kNsPerSecond);
        CHECK(machine.nr_ours() == 0);
        CHECK(machine.is_untouched());
      }
      CHECK(number > 10);
    }
  }
}

TEST_CASE("killed at any step of the recovery as well", "[ops_kdamond]") {
  size_t first = 0;
  for (;; ++first) {
    KdamondMachine model(Kernel::k6_12);
    if (!model.live_until(first)) break;
    size_t second = 0;
    for (;; ++second) {
      CAPTURE(first, second);
      KdamondMachine machine(Kernel::k6_12);
      REQUIRE(machine.live_until(first));
      if (!machine.live_until(second)) break;
      const auto next = machine.live();
      CAPTURE(next.reason);
      CHECK(next.delivered == 2);
      CHECK(machine.is_untouched());
    }
    CHECK(second > 10);
  }
  CHECK(first > 10);
}

struct Act {
  const char* name;
  std::function<void(FakeDamon&)> act;
};

// What another program may do with what is left behind.
std::vector<Act> acts() {
  const auto stage_in_ours = [](FakeDamon& damon) {
    write(damon, kNrContexts, "1");
    write(damon, kIntervals + "sample_us", "7000");
    write(damon, kContext + "operations", "paddr");
  };
  return {
      {"starts", [](FakeDamon& damon) { damon.start_foreign(); }},
      {"stages", [](FakeDamon& damon) { damon.stage_foreign(); }},
      {"stops and starts",
       [](FakeDamon& damon) {
         write(damon, kState, "off");
         damon.start_foreign();
       }},
      {"stops and stages",
       [](FakeDamon& damon) {
         write(damon, kState, "off");
         damon.stage_foreign();
       }},
      {"stages in ours", stage_in_ours},
  };
}

TEST_CASE("what another program has set up since is not ours", "[ops_kdamond]") {
  for (const Kernel kernel : kSome) {
    for (const Act& other : acts()) {
      int nr_theirs = 0, nr_beside_ours = 0;
      for (size_t number = 0;; ++number) {
        CAPTURE(static_cast<int>(kernel), other.name, number);
        KdamondMachine machine(kernel);
        if (!machine.live_until(number)) break;
        other.act(*machine.damon);
        const FakeDamon::Write& last = machine.damon->journal.back();
        if (last.errno_value != 0) continue;  // the kernel did not let it
        const Files theirs = machine.damon->staged();
        const RunningKdamond* const kdamond = machine.damon->kernel().running(0);
        const bool ours_is_on = kdamond != nullptr && !kdamond->foreign;
        const auto next = machine.live();
        CHECK(next.open_errno == EBUSY);
        // One of ours that has been set up anew is theirs.
        CHECK(machine.nr_ours() == (ours_is_on ? 1 : 0));
        CHECK(machine.damon->staged() == theirs);
        ++nr_theirs;
        nr_beside_ours += ours_is_on ? 1 : 0;
      }
      CAPTURE(static_cast<int>(kernel), other.name);
      CHECK(nr_theirs > 5);
      CHECK((nr_beside_ours > 0) == (std::string(other.name) == "stages in ours"));
    }
  }
}

// Kills a daemon whose kdamond is on.
void leave_running(KdamondMachine& machine) {
  const auto set = machine.make_set();
  REQUIRE(set->open());
  REQUIRE(machine.collect(*set));
  const auto left_behind = machine.record();
  machine.damon->cut_off();
  set->close();
  machine.damon->reconnect();
  machine.set_record(left_behind);
  REQUIRE(machine.nr_ours() == 1);
}

TEST_CASE("a record of another boot says nothing", "[ops_kdamond]") {
  KdamondMachine machine(Kernel::k6_12);
  leave_running(machine);
  const pid_t recorded = machine.damon->kernel().running(0)->pid;
  machine.damon = std::make_shared<FakeDamon>(Kernel::k6_12);
  machine.damon->set_clock(machine.clock);
  machine.damon->set_file("/proc/sys/kernel/random/boot_id", "another");
  REQUIRE(machine.damon->start_foreign() == recorded);
  const Files theirs = machine.damon->staged();
  CHECK(machine.live().open_errno == EBUSY);
  CHECK(machine.damon->nr_writes() == 0);
  CHECK(machine.damon->staged() == theirs);
}

TEST_CASE("our set-up under another pid is another program's", "[ops_kdamond]") {
  KdamondMachine machine(Kernel::k6_12);
  leave_running(machine);
  write(*machine.damon, kState, "off");
  write(*machine.damon, kState, "on");
  const size_t writes = machine.damon->nr_writes();
  CHECK(machine.live().open_errno == EBUSY);
  CHECK(machine.damon->nr_writes() == writes);
  CHECK(machine.damon->kernel().nr_running() == 1);
}

TEST_CASE("records that mean nothing", "[ops_kdamond]") {
  const char* const texts[] = {
      "",
      "\n",
      "x",
      "7dfa1b2c-9d65-4a5e-8b06-6a2f2d1c4e11",
      "7dfa1b2c-9d65-4a5e-8b06-6a2f2d1c4e11 1 1 99999999999999999999",
      "7dfa1b2c-9d65-4a5e-8b06-6a2f2d1c4e11 -1 2 -1",
      "\0\0\0\0",
  };
  for (const char* const text : texts) {
    for (const bool padded : {false, true}) {
      CAPTURE(text, padded);
      KdamondMachine machine(Kernel::k6_12);
      const pid_t theirs = machine.damon->start_foreign();
      std::string record = text;
      if (padded) record.resize(128, ' ');
      machine.set_record(record);
      CHECK(machine.live().open_errno == EBUSY);
      CHECK(machine.damon->nr_writes() == 0);
      CHECK(machine.damon->kernel().running(0)->pid == theirs);
      write(*machine.damon, kState, "off");
      write(*machine.damon, kNrKdamonds, "0");
      CHECK(machine.live().delivered == 2);
    }
  }
}

TEST_CASE("what cannot be recorded is not begun", "[ops_kdamond]") {
  KdamondMachine machine(Kernel::k6_12);
  SECTION("no directory") { machine.tree.write("/run/damon-statfs", ""); }
  SECTION("no file") { machine.tree.write("/run/damon-statfs/kdamond/x", ""); }
  SECTION("a link") {
    machine.tree.write("/target", "precious");
    machine.tree.link("/run/damon-statfs/kdamond", machine.tree.root() + "/target");
  }
  const auto life = machine.live();
  CHECK(life.open_errno != 0);
  CAPTURE(life.reason);
  CHECK(life.reason.find("/run/damon-statfs") != std::string::npos);
  CHECK(machine.damon->nr_writes() == 0);
}

TEST_CASE("the interface is held while the last kdamond has to be stopped", "[ops_kdamond]") {
  KdamondMachine machine(Kernel::k7_2);
  leave_running(machine);
  const pid_t left = machine.damon->kernel().running(0)->pid;
  machine.damon->busy_forever();
  const auto refused = machine.live();
  CHECK(refused.open_errno == EBUSY);
  CHECK(refused.open_ns < 30 * kNsPerSecond);
  CHECK(machine.damon->kernel().running(0)->pid == left);
  machine.damon->not_busy();
  CHECK(machine.live().delivered == 2);
  CHECK(machine.is_untouched());
}

}  // namespace
}  // namespace damon_statfs::test
