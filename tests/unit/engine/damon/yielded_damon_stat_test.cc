// SPDX-License-Identifier: GPL-2.0-or-later
//
// damon_stat=yield of ops=kdamond: DAMON_STAT is off only while our kdamond needs it to be, and is
// afterwards what it was before, whoever else uses DAMON meanwhile.
#include "engine/damon/yielded_damon_stat.h"

#include "support/catch.h"
#include "unit/engine/damon/kdamond_machine.h"

namespace damon_statfs::test {
namespace {

constexpr char kRecord[] = "damon_stat";

bool is_blank(const std::optional<std::string>& record) {
  return !record || record->find_first_not_of(" \n") == std::string::npos;
}

// How often a daemon of ours has written to DAMON_STAT's switch.
int nr_switches(const FakeDamon& damon) {
  return static_cast<int>(
      std::count_if(damon.journal.begin(), damon.journal.end(), [](const FakeDamon::Write& write) {
        return write.path == kDamonStatSwitch && !write.foreign;
      }));
}

TEST_CASE("DAMON_STAT is off while our kdamond is on, and on again afterwards", "[yield]") {
  for (const Kernel kernel : {Kernel::k6_17, Kernel::k7_2}) {
    CAPTURE(static_cast<int>(kernel));
    KdamondMachine machine(kernel);
    machine.boot_with_damon_stat();
    const auto set = machine.make_set();
    for (int life = 0; life < 2; ++life) {
      REQUIRE(set->open());
      CHECK_FALSE(machine.damon_stat_is_on());
      CHECK_FALSE(is_blank(machine.record(kRecord)));
      CHECK(machine.nr_ours() == 1);
      const auto collected = machine.collect(*set);
      REQUIRE(collected);
      CHECK(collected.value());
      set->close();
      CHECK(machine.damon_stat_is_on());
      CHECK(is_blank(machine.record(kRecord)));
      CHECK(machine.is_untouched());
    }
    CHECK(nr_switches(*machine.damon) == 4);
    CHECK(machine.log.count(LogLevel::kInfo, "off until monitoring ends") == 2);
    CHECK(machine.log.count(LogLevel::kInfo, "DAMON_STAT is on again") == 2);
    CHECK(machine.log.count(LogLevel::kWarning, "DAMON_STAT") == 0);
  }
}

TEST_CASE("without the option DAMON_STAT is refused, and the refusal names the option", "[yield]") {
  KdamondMachine machine(Kernel::k7_2);
  machine.boot_with_damon_stat();
  machine.context.yield_damon_stat = false;
  const auto life = machine.live();
  CHECK(life.open_errno == EBUSY);
  CAPTURE(life.reason);
  CHECK(life.reason.find("damon_stat, kdamond.0") != std::string::npos);
  CHECK(life.reason.find("damon_stat=yield") != std::string::npos);
  CHECK(machine.damon->nr_writes() == 0);
  CHECK_FALSE(machine.record(kRecord));
}

TEST_CASE("the option is not named where it would not help", "[yield]") {
  KdamondMachine machine(Kernel::k7_2);
  SECTION("another module") { machine.damon->set_module("damon_reclaim", true); }
  SECTION("another module beside it") {
    machine.damon->set_module("damon_stat", true);
    machine.damon->set_module("damon_reclaim", true);
  }
  SECTION("a kdamond is set up beside it") {
    machine.damon->kernel().boot_with_damon_stat();
    machine.damon->stage_foreign();
  }
  SECTION("another program's kdamond") { machine.damon->start_foreign(); }
  for (const bool yield : {false, true}) {
    CAPTURE(yield);
    machine.context.yield_damon_stat = yield;
    const auto life = machine.live();
    CAPTURE(life.reason);
    CHECK(life.open_errno == EBUSY);
    CHECK(life.reason.find("damon_stat=yield") == std::string::npos);
    CHECK(nr_switches(*machine.damon) == 0);
  }
}

TEST_CASE("DAMON_STAT that was off before stays off", "[yield]") {
  KdamondMachine machine(Kernel::k7_2);
  machine.context.yield_damon_stat = true;
  SECTION("the kernel has it") { machine.damon->set_module("damon_stat", false); }
  SECTION("the kernel does not have it") {}
  CHECK(machine.live().delivered == 2);
  machine.recover();
  CHECK_FALSE(machine.damon_stat_is_on());
  CHECK(nr_switches(*machine.damon) == 0);
  CHECK_FALSE(machine.record(kRecord));
}

TEST_CASE("DAMON_STAT is on again after a start that fails", "[yield]") {
  KdamondMachine machine(Kernel::k7_2);
  machine.boot_with_damon_stat();
  int switches = 2;
  const auto fail_write = [&](const std::string& at, const std::string& of, int errno_value) {
    machine.damon->before_write = [=](FakeDamon& damon, const std::string& path,
                                      const std::string& text) {
      if (path == at && text == of) damon.fail(path, errno_value, 1);
    };
  };
  SECTION("at the first write to DAMON") { fail_write(kNrKdamonds, "1", EIO); }
  SECTION("at switching the kdamond on") { fail_write(kState, "on", ENOMEM); }
  SECTION("for another program that has come meanwhile") {
    machine.damon->before_write = [](FakeDamon& damon, const std::string& path,
                                     const std::string& text) {
      if (path == kDamonStatSwitch && text == "Y") damon.foreign_write(kNrKdamonds, "0").value();
    };
    machine.damon->before_read = [](FakeDamon& damon, const std::string& path) {
      const bool is_off = damon.content(kDamonStatSwitch) == "N";
      if (path == kNrKdamonds && is_off) damon.stage_foreign();
    };
  }
  SECTION("at switching DAMON_STAT off") {
    fail_write(kDamonStatSwitch, "N", EACCES);
    switches = 1;
  }
  const auto life = machine.live();
  CAPTURE(life.reason);
  CHECK(life.open_errno != 0);
  CHECK(machine.damon_stat_is_on());
  CHECK(is_blank(machine.record(kRecord)));
  CHECK(machine.nr_ours() == 0);
  CHECK(nr_switches(*machine.damon) == switches);
  CHECK(machine.log.count(LogLevel::kWarning, "DAMON_STAT") == 0);
}

TEST_CASE("what cannot be recorded is not switched off", "[yield]") {
  KdamondMachine machine(Kernel::k7_2);
  machine.boot_with_damon_stat();
  machine.tree.write("/run/damon-statfs/damon_stat/x", "");
  CHECK(machine.live().open_errno != 0);
  CHECK(nr_switches(*machine.damon) == 0);
  CHECK(machine.is_untouched());
}

TEST_CASE("the wait for DAMON_STAT's end is within the longest call", "[yield]") {
  KdamondMachine machine(Kernel::k7_2);
  machine.boot_with_damon_stat(10'000'000);
  const auto life = machine.live();
  CHECK(life.delivered == 2);
  CHECK(life.open_ns >= 10 * kNsPerSecond);
  const auto limit_ns =
      static_cast<int64_t>(kdamond_operations().longest_call_ms(machine.context)) * kNsPerMs;
  CHECK(life.open_ns < limit_ns);
  CHECK(machine.damon_stat_is_on());
}

TEST_CASE("/proc shows DAMON_STAT's kdamond for an instant longer", "[yield]") {
  KdamondMachine machine(Kernel::k7_2);
  machine.boot_with_damon_stat();
  const std::string thread = "/proc/4000/stat";
  const std::string line = machine.damon->content(thread);
  REQUIRE_FALSE(line.empty());
  bool ended = false;
  int looks = 0;
  machine.damon->before_read = [&](FakeDamon& damon, const std::string& path) {
    if (!ended && damon.content(kDamonStatSwitch) == "N") {
      ended = true;
      damon.set_file(thread, line);
    }
    if (ended && path == thread && ++looks == 3) damon.remove_file(thread);
  };
  CHECK(machine.live().delivered == 2);
  CHECK(looks == 3);
}

TEST_CASE("a worker that has not ended yet is waited for", "[yield]") {
  KdamondMachine machine(Kernel::k7_2);
  machine.boot_with_damon_stat();
  int left = 0;
  machine.damon->before_write = [&](FakeDamon& damon, const std::string& path,
                                    const std::string& text) {
    if (path == kDamonStatSwitch && text == "Y" && left-- > 0) damon.fail(path, EAGAIN, 1);
  };
  SECTION("and has ended then") {
    left = 50;
    machine.live();
    CHECK(machine.damon_stat_is_on());
    CHECK(machine.log.count(LogLevel::kWarning, "DAMON_STAT") == 0);
  }
  SECTION("not for longer than a stop may take, and the next start tries again") {
    left = INT_MAX;
    const auto life = machine.live();
    CHECK(life.close_ns >= 3 * kNsPerSecond);
    CHECK(life.close_ns < 10 * kNsPerSecond);
    CHECK_FALSE(machine.damon_stat_is_on());
    CHECK(machine.log.count(LogLevel::kWarning, "the next start") == 1);
    left = 500;
    machine.recover();
    CHECK(machine.damon_stat_is_on());
    CHECK(is_blank(machine.record(kRecord)));
  }
}

// Another program that begins to use DAMON in the moment before ours switches DAMON_STAT on again.
void start_before_give_back(FakeDamon& damon, const std::string& path, const std::string& text) {
  if (path == kDamonStatSwitch && text == "Y") damon.start_foreign();
}

TEST_CASE("another program uses DAMON by then", "[yield]") {
  KdamondMachine machine(Kernel::k7_2);
  machine.boot_with_damon_stat();
  machine.damon->before_write = start_before_give_back;
  CHECK(machine.live().delivered == 2);
  machine.damon->before_write = nullptr;
  CHECK_FALSE(machine.damon_stat_is_on());
  CHECK(machine.log.count(LogLevel::kWarning, "cannot be switched on again") == 1);
  CHECK_FALSE(is_blank(machine.record(kRecord)));
  machine.recover();  // one line for each that tries
  CHECK(machine.log.count(LogLevel::kWarning, "cannot be switched on again") == 2);
  CHECK(machine.damon->kernel().running(0)->foreign);

  machine.damon->foreign_write(kState, "off").value();
  machine.damon->foreign_write(kNrKdamonds, "0").value();
  SECTION("the next start puts it right") { machine.recover(); }
  SECTION("the next stop does, too") { CHECK(machine.live().delivered == 2); }
  CHECK(machine.damon_stat_is_on());
  CHECK(is_blank(machine.record(kRecord)));
}

TEST_CASE("what another program switches on itself is on", "[yield]") {
  KdamondMachine machine(Kernel::k7_2);
  machine.boot_with_damon_stat();
  const auto set = machine.make_set();
  REQUIRE(set->open());
  CHECK(failed_with(machine.damon->foreign_write(kDamonStatSwitch, "Y"), EBUSY));
  set->close();
  machine.damon->foreign_write(kDamonStatSwitch, "Y").value();
  const int switches = nr_switches(*machine.damon);
  machine.recover();
  CHECK(machine.damon_stat_is_on());
  CHECK(nr_switches(*machine.damon) == switches);
}

TEST_CASE("a record of another boot, or of no daemon, says nothing", "[yield]") {
  for (const char* const line :
       {"another 77 0", "", "\n", "x", "7dfa1b2c-9d65-4a5e-8b06-6a2f2d1c4e11",
        "7dfa1b2c-9d65-4a5e-8b06-6a2f2d1c4e11 77", "7dfa1b2c-9d65-4a5e-8b06-6a2f2d1c4e11 x 0"}) {
    CAPTURE(line);
    KdamondMachine machine(Kernel::k7_2);
    machine.context.yield_damon_stat = true;
    machine.damon->set_module("damon_stat", false);
    machine.set_record(line, kRecord);
    machine.recover();
    CHECK(machine.live().delivered == 2);
    CHECK(nr_switches(*machine.damon) == 0);
    CHECK_FALSE(machine.damon_stat_is_on());
    CHECK(machine.log.count(LogLevel::kWarning) == 0);
  }
}

TEST_CASE("two daemons, of which one has switched DAMON_STAT off", "[yield]") {
  KdamondMachine machine(Kernel::k7_2);
  machine.boot_with_damon_stat();
  const auto nobody = [](DamonStatUse) -> Result<void> { return outcome::success(); };
  YieldedDamonStat first(machine.context, *machine.damon);
  REQUIRE(first.take(nobody));
  SECTION("the second neither needs to, nor switches it on while the first needs it off") {
    YieldedDamonStat second(machine.context, *machine.damon);
    REQUIRE(second.take(nobody));
    second.give_back();
    restore_damon_stat(machine.context, *machine.damon);
    CHECK_FALSE(machine.damon_stat_is_on());
    first.give_back();
    CHECK(machine.damon_stat_is_on());
  }
  SECTION("the second switches it on if the first could not") {
    YieldedDamonStat second(machine.context, *machine.damon);
    REQUIRE(second.take(nobody));
    machine.damon->start_foreign();
    first.give_back();
    CHECK_FALSE(machine.damon_stat_is_on());
    machine.damon->foreign_write(kState, "off").value();
    second.give_back();
    CHECK(machine.damon_stat_is_on());
  }
  SECTION("it cannot be switched off twice, and the first daemon is named") {
    machine.damon->foreign_write(kDamonStatSwitch, "Y").value();
    YieldedDamonStat second(machine.context, *machine.damon);
    const Result<void> taken = second.take(nobody);
    REQUIRE(failed_with(taken, EBUSY));
    CAPTURE(taken.error().context);
    CHECK(taken.error().context.find("keeps the kernel's DAMON_STAT off") != std::string::npos);
    CHECK(machine.damon_stat_is_on());
  }
}

TEST_CASE("an object that ends has given DAMON_STAT back", "[yield]") {
  KdamondMachine machine(Kernel::k7_2);
  machine.boot_with_damon_stat();
  {
    YieldedDamonStat taken(machine.context, *machine.damon);
    REQUIRE(taken.take([](DamonStatUse) -> Result<void> { return outcome::success(); }));
    CHECK_FALSE(machine.damon_stat_is_on());
  }
  CHECK(machine.damon_stat_is_on());
}

}  // namespace
}  // namespace damon_statfs::test
