// SPDX-License-Identifier: GPL-2.0-or-later
//
// damon_stat=yield of ops=page_idle: DAMON_STAT and our engine take turns, and what is in our
// engine's way otherwise keeps it from touching DAMON_STAT.
#include <filesystem>

#include "damon_statfs/registry.h"
#include "engine/page_idle/idle_flag_users.h"
#include "support/catch.h"
#include "unit/engine/page_idle/page_idle_machine.h"

namespace damon_statfs::test {
namespace {

constexpr char kSwitch[] = "/sys/module/damon_stat/parameters/enabled";
constexpr char kRecord[] = "/run/damon-statfs/damon_stat";

struct YieldMachine : PageIdleMachine {
  explicit YieldMachine(bool damon_stat = true) {
    tree.write("/proc/sys/kernel/random/boot_id", "this-boot\n");
    tree.write(kSwitch, damon_stat ? "Y\n" : "N\n");
    context.yield_damon_stat = true;
  }
  std::string text(const char* path) const {
    return RootedKernelFiles(tree.root()).read(path).value();
  }
  Result<std::string> probe() const { return page_idle_operations().probe(context); }
};

TEST_CASE("DAMON_STAT is off between open and close", "[page_idle][yield]") {
  YieldMachine machine;
  for (int life = 0; life < 2; ++life) {
    REQUIRE(machine.operations->open());
    CHECK(machine.text(kSwitch) == "N");
    CHECK(machine.text(kRecord).starts_with("this-boot "));
    CHECK(machine.operations->update());
    machine.operations->close();
    CHECK(machine.text(kSwitch) == "Y");
    CHECK(machine.text(kRecord).find_first_not_of(' ') == std::string::npos);
  }
  CHECK(machine.log.count(LogLevel::kWarning) == 0);
}

TEST_CASE("without the option it stays on, and open and probe name the option",
          "[page_idle][yield]") {
  YieldMachine machine;
  machine.context.yield_damon_stat = false;
  for (const std::string& reason :
       {machine.operations->open().error().context, machine.probe().error().context}) {
    CAPTURE(reason);
    CHECK(reason.find("(damon_stat)") != std::string::npos);
    CHECK(reason.find("damon_stat=yield") != std::string::npos);
  }
  CHECK(machine.text(kSwitch) == "Y");
}

TEST_CASE("what else is in the way leaves DAMON_STAT on", "[page_idle][yield]") {
  YieldMachine machine;
  UniqueFd other_daemon;
  SECTION("another daemon of ours") {
    other_daemon = std::move(lock_idle_flags(machine.tree.root()).value());
  }
  SECTION("another module") {
    machine.tree.write("/sys/module/damon_reclaim/parameters/enabled", "Y\n");
  }
  SECTION("a kdamond") {
    machine.tree.write("/sys/kernel/mm/damon/admin/kdamonds/0/state", "on\n");
  }
  SECTION("no bitmap") { machine.tree.remove(kBitmapPath); }
  const auto opened = machine.operations->open();
  REQUIRE_FALSE(opened);
  CHECK(opened.error().context.find("damon_stat=yield") == std::string::npos);
  CHECK_FALSE(machine.probe());
  CHECK(machine.text(kSwitch) == "Y");
  CHECK_FALSE(std::filesystem::exists(machine.tree.root() + kRecord));
}

TEST_CASE("the probe says what would be off meanwhile, and changes nothing", "[page_idle][yield]") {
  const YieldMachine on;
  CHECK(on.probe().value().ends_with(", with the kernel's DAMON_STAT off meanwhile"));
  CHECK(on.text(kSwitch) == "Y");
  CHECK_FALSE(std::filesystem::exists(on.tree.root() + "/run"));
  const YieldMachine off(false);
  CHECK(off.probe().value().find("DAMON_STAT") == std::string::npos);
}

TEST_CASE("another program switches DAMON_STAT on meanwhile", "[page_idle][yield]") {
  YieldMachine machine;
  REQUIRE(machine.operations->open());
  machine.tree.write(kSwitch, "Y\n");
  CHECK(machine.operations->update());
  CHECK(machine.log.count(LogLevel::kWarning, "values are unreliable until it stops") == 1);
  machine.operations->close();
  CHECK(machine.text(kSwitch) == "Y");
}

TEST_CASE("a call may take as long as DAMON_STAT's end", "[page_idle][yield]") {
  const OperationsSet set = page_idle_operations();
  OperationsContext context;
  CHECK(set.longest_call_ms(context) == 1'500);
  context.yield_damon_stat = true;
  CHECK(set.longest_call_ms(context) > 12'000);
}

TEST_CASE("the recovery before a mount, whatever set is asked for", "[registry][yield]") {
  const OperationsRegistry registry = built_in_operations();
  YieldMachine machine(false);
  machine.context.yield_damon_stat = false;
  registry.recover(machine.context);
  CHECK(machine.text(kSwitch) == "N");
  CHECK_FALSE(std::filesystem::exists(machine.tree.root() + "/run"));
  machine.tree.write(kRecord, "last-boot 77 0\n");
  registry.recover(machine.context);
  CHECK(machine.text(kSwitch) == "N");
  machine.tree.write(kRecord, "this-boot 77 0\n");
  registry.recover(machine.context);
  CHECK(machine.text(kSwitch) == "Y");
  CHECK(machine.log.count(LogLevel::kWarning, "on again") == 1);
}

TEST_CASE("with the option, auto takes none of the sets that do not yield", "[registry][yield]") {
  const OperationsRegistry registry = built_in_operations();
  YieldMachine machine;
  CHECK(registry.select("auto", machine.context).value().set->name == "page_idle");
  CHECK_FALSE(registry.means_mirror("auto", machine.context));
  for (const ProbedSet& probed : registry.probe(machine.context)) {
    CAPTURE(probed.set->name);
    CHECK(probed.usable.has_value() == (probed.set->name == "page_idle"));
    if (!probed.set->yields_damon_stat) CHECK(failed_with(probed.usable, EINVAL));
  }
  machine.context.yield_damon_stat = false;
  CHECK(registry.select("auto", machine.context).value().set->name == "damon_stat");
}

}  // namespace
}  // namespace damon_statfs::test
