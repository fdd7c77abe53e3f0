// SPDX-License-Identifier: GPL-2.0-or-later
//
// A daemon with damon_stat=yield is killed at any step: DAMON_STAT is what it was before after the
// next start, or after the next stop, and never on if it was off.
#include "engine/damon/yielded_damon_stat.h"
#include "support/catch.h"
#include "unit/engine/damon/kdamond_machine.h"

namespace damon_statfs::test {
namespace {

constexpr char kRecord[] = "damon_stat";

void write(FakeDamon& damon, const std::string& path, const char* text) {
  const Result<void> ignored = damon.foreign_write(path, text);
  static_cast<void>(ignored);
}

struct Before {
  Kernel kernel;
  bool on;  // DAMON_STAT
};
constexpr Before kBefore[] = {{Kernel::k6_17, true}, {Kernel::k7_2, true}, {Kernel::k7_2, false}};

void boot(KdamondMachine& machine, bool damon_stat) {
  machine.boot_with_damon_stat();
  if (!damon_stat) write(*machine.damon, kDamonStatSwitch, "N");
}

void check_as_before(const KdamondMachine& machine, bool damon_stat) {
  CHECK(machine.damon_stat_is_on() == damon_stat);
  CHECK(machine.nr_ours() == 0);
  CHECK(machine.is_untouched());
}

TEST_CASE("killed at any step, the next start puts DAMON_STAT right", "[yield]") {
  for (const auto& [kernel, damon_stat] : kBefore) {
    size_t number = 0;
    int nr_left_off = 0;
    for (;; ++number) {
      CAPTURE(static_cast<int>(kernel), damon_stat, number);
      KdamondMachine machine(kernel);
      boot(machine, damon_stat);
      if (!machine.live_until(number)) break;
      nr_left_off += machine.damon_stat_is_on() == damon_stat ? 0 : 1;
      machine.recover();
      check_as_before(machine, damon_stat);
      CHECK(machine.log.count(LogLevel::kWarning, "cannot") == 0);
      const auto next = machine.live();
      CAPTURE(next.reason);
      CHECK(next.delivered == 2);
      check_as_before(machine, damon_stat);
    }
    CHECK(number > 10);
    CHECK((nr_left_off > 10) == damon_stat);
  }
}

TEST_CASE("killed at any step, a daemon that is there already puts it right", "[yield]") {
  for (const auto& [kernel, damon_stat] : kBefore) {
    size_t number = 0;
    for (;; ++number) {
      CAPTURE(static_cast<int>(kernel), damon_stat, number);
      KdamondMachine machine(kernel);
      boot(machine, damon_stat);
      if (!machine.live_until(number)) break;
      const auto next = machine.live();
      CAPTURE(next.reason);
      CHECK(next.delivered == 2);
      check_as_before(machine, damon_stat);
    }
    CHECK(number > 10);
  }
}

TEST_CASE("killed at any step of putting it right as well", "[yield]") {
  for (const bool starts : {true, false}) {  // the recovery before a mount, or the next life
    size_t first = 0;
    for (;; ++first) {
      KdamondMachine model(Kernel::k7_2);
      model.boot_with_damon_stat();
      if (!model.live_until(first)) break;
      for (size_t second = 0;; ++second) {
        CAPTURE(starts, first, second);
        KdamondMachine machine(Kernel::k7_2);
        machine.boot_with_damon_stat();
        REQUIRE(machine.live_until(first));
        const auto again = [&] { starts ? machine.recover() : void(machine.live(1)); };
        if (!machine.ends_before(second, again)) break;
        machine.recover();
        check_as_before(machine, true);
      }
    }
    CHECK(first > 10);
  }
}

TEST_CASE("killed, and then another program uses DAMON", "[yield]") {
  int nr_theirs = 0;
  for (size_t number = 0;; ++number) {
    CAPTURE(number);
    KdamondMachine machine(Kernel::k7_2);
    machine.boot_with_damon_stat();
    if (!machine.live_until(number)) break;
    write(*machine.damon, kState, "off");
    if (machine.damon->start_foreign() < 0) continue;  // DAMON_STAT is on, or was not off yet
    ++nr_theirs;
    const Files theirs = machine.damon->staged();
    machine.recover();
    CHECK(machine.log.count(LogLevel::kWarning, "cannot be switched on again") == 1);
    CHECK(machine.live().open_errno == EBUSY);
    CHECK(machine.damon->staged() == theirs);
    write(*machine.damon, kState, "off");
    write(*machine.damon, kNrKdamonds, "0");
    machine.recover();
    check_as_before(machine, true);
    CHECK(machine.record(kRecord)->find_first_not_of(" \n") == std::string::npos);
  }
  CHECK(nr_theirs > 10);
}

TEST_CASE("killed, and then the machine is booted", "[yield]") {
  KdamondMachine machine(Kernel::k7_2);
  machine.boot_with_damon_stat();
  REQUIRE(machine.live_until(8));
  REQUIRE_FALSE(machine.damon_stat_is_on());
  machine.damon->set_file("/proc/sys/kernel/random/boot_id", "another");
  machine.recover();
  CHECK_FALSE(machine.damon_stat_is_on());  // as the new boot has it
  CHECK(machine.live().open_errno != 0);    // and what is staged is no more ours either
}

TEST_CASE("killed, and the option is not used again", "[yield]") {
  KdamondMachine machine(Kernel::k7_2);
  machine.boot_with_damon_stat();
  REQUIRE(machine.live_until(8));
  machine.context.yield_damon_stat = false;
  machine.recover();
  check_as_before(machine, true);
  CHECK(machine.log.count(LogLevel::kWarning, "had left off") == 1);
  CHECK(machine.live().open_errno == EBUSY);
}

}  // namespace
}  // namespace damon_statfs::test
