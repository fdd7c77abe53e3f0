// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the kdamond set does on a machine where no other program interferes: its set-up on every
// kernel, what it delivers and how it goes.
#include "engine/damon/ops_kdamond.h"

#include "support/catch.h"
#include "unit/engine/damon/kdamond_machine.h"

namespace damon_statfs::test {
namespace {

uint64_t total_size(const std::vector<Region>& regions) {
  uint64_t bytes = 0;
  for (const Region& region : regions) bytes += region.size_bytes();
  return bytes;
}

TEST_CASE("every kernel: set up, read, and left as it was", "[ops_kdamond]") {
  for (const Kernel kernel : kKernels) {
    for (const bool tracefs : {false, true}) {
      CAPTURE(static_cast<int>(kernel), tracefs);
      KdamondMachine machine(kernel);
      if (tracefs) machine.mount_tracefs();
      const auto set = machine.make_set();
      const Result<std::vector<AddressRange>> opened = set->open();
      REQUIRE(opened);
      CHECK(opened.value() == std::vector<AddressRange>{{kRamStart, kRamEnd}});
      const RunningKdamond* const kdamond = machine.damon->kernel().running(0);
      REQUIRE(kdamond != nullptr);
      CHECK(set->facts().kdamond_pid == kdamond->pid);
      CHECK(kdamond->context.operations == "paddr");
      CHECK(kdamond->context.ranges == opened.value());
      CHECK(kdamond->context.schemes.size() == (tracefs ? 0 : 1));
      for (int round = 0; round < 3; ++round) {
        const auto collected = machine.collect(*set);
        REQUIRE(collected);
        REQUIRE(collected.value());
        CHECK(total_size(collected.value()->regions) == 400 * kMiB);
      }
      set->close();
      CHECK(machine.is_untouched());
      CHECK(machine.damon->kernel().nr_running() == 0);
      CHECK(machine.log.count(LogLevel::kWarning) == 0);
    }
  }
}

TEST_CASE("the attributes are those of the mount", "[ops_kdamond]") {
  const Kernel kernel = GENERATE(Kernel::k6_12, Kernel::k6_15, Kernel::k7_2);
  KdamondMachine machine(kernel);
  machine.context.attrs = {6'000, 60'000, 30'000'000, 7, 77, {300, 5, 2'000, 9'000'000}};
  const auto set = machine.make_set();
  REQUIRE(set->open());
  MonitoringAttrs running = machine.damon->kernel().running(0)->context.attrs;
  running.update_us = machine.context.attrs.update_us;  // carries our mark
  if (kernel < Kernel::k6_15) running.goal = machine.context.attrs.goal;
  CHECK(running == machine.context.attrs);
  set->close();
}

TEST_CASE("the chosen memory is monitored", "[ops_kdamond]") {
  KdamondMachine machine(Kernel::k6_12);
  machine.damon->set_file("/proc/iomem",
                          "00001000-0009ffff : System RAM\n00100000-3fffffff : System RAM\n");
  const auto set = machine.make_set();
  REQUIRE(set->open());
  CHECK(machine.damon->kernel().running(0)->context.ranges ==
        std::vector<AddressRange>{{0x1000, 0xa0000}, {0x100000, 0x40000000}});
  set->close();
}

TEST_CASE("a kernel without the interface", "[ops_kdamond]") {
  KdamondMachine machine(Kernel::none);
  const auto life = machine.live();
  CHECK(life.open_errno == ENODEV);
  CAPTURE(life.reason);
  CHECK(life.reason.find(kNrKdamonds) != std::string::npos);
}

TEST_CASE("a kernel without physical memory monitoring", "[ops_kdamond]") {
  KdamondMachine machine(Kernel::k6_12);
  machine.damon->before_read = [](FakeDamon& kernel, const std::string& path) {
    if (path.ends_with("avail_operations")) kernel.set_file(path, "vaddr\nfvaddr");
  };
  const auto life = machine.live();
  CHECK(life.open_errno == ENODEV);
  CAPTURE(life.reason);
  CHECK(life.reason.find("paddr") != std::string::npos);
  CHECK(machine.is_untouched());
}

TEST_CASE("without the rights", "[ops_kdamond]") {
  KdamondMachine machine(Kernel::k6_12);
  machine.damon->fail(kNrKdamonds, EACCES, 1'000);
  CHECK(machine.live().open_errno == EACCES);
  CHECK(machine.is_untouched());
}

TEST_CASE("who holds DAMON is named and left alone", "[ops_kdamond]") {
  KdamondMachine machine(Kernel::k6_17);
  std::string named;
  SECTION("a kdamond") { named = std::to_string(machine.damon->start_foreign()); }
  SECTION("one of virtual addresses") {
    named = std::to_string(machine.damon->start_foreign("vaddr"));
  }
  SECTION("one that is not on yet") {
    machine.damon->stage_foreign();
    named = "nr_kdamonds";
  }
  for (const char* const module : {"damon_stat", "damon_reclaim", "damon_lru_sort"}) {
    SECTION(module) {
      machine.damon->set_module(module, true);
      named = module;
    }
  }
  const Files before = machine.damon->staged();
  const auto life = machine.live();
  CHECK(life.open_errno == EBUSY);
  CAPTURE(named, life.reason);
  CHECK(life.reason.find(named) != std::string::npos);
  CHECK(machine.damon->nr_writes() == 0);
  CHECK(machine.damon->staged() == before);
}

TEST_CASE("ages of our kdamond become points in time", "[ops_kdamond]") {
  for (const bool tracefs : {false, true}) {
    CAPTURE(tracefs);
    KdamondMachine machine(Kernel::k6_12);
    if (tracefs) machine.mount_tracefs();
    machine.context.attrs.goal.aggrs = 0;
    machine.damon->set_regions(hot_and_cold(100 * kMiB, 20, 9));
    const auto set = machine.make_set();
    REQUIRE(set->open());
    const auto collected = machine.collect(*set);
    REQUIRE(collected);
    REQUIRE(collected.value());
    CHECK(collected.value()->aggr_us == 100'000);
    const int64_t since_ns = collected.value()->regions[0].since_ns;
    const int64_t old_ns = machine.clock.now_ns() - since_ns;
    CHECK(old_ns >= 1'000 * kNsPerMs);  // nine windows before the one that has just ended
    CHECK(old_ns <= 1'050 * kNsPerMs);
    set->close();
  }
}

TEST_CASE("values come as often as they are wanted", "[ops_kdamond]") {
  for (const bool tracefs : {false, true}) {
    for (const uint64_t refresh_ms : {uint64_t{500}, uint64_t{5'000}, uint64_t{60'000}}) {
      CAPTURE(tracefs, refresh_ms);
      KdamondMachine machine(Kernel::k7_2);
      if (tracefs) machine.mount_tracefs();
      machine.context.attrs.goal.aggrs = 0;
      machine.context.refresh_ms = refresh_ms;
      const auto set = machine.make_set();
      REQUIRE(set->open());
      REQUIRE(machine.collect(*set, 200 * kNsPerSecond));
      const int64_t first_ns = machine.clock.now_ns();
      constexpr int kRounds = 5;
      for (int round = 0; round < kRounds; ++round) {
        const auto collected = machine.collect(*set, 200 * kNsPerSecond);
        REQUIRE(collected);
        REQUIRE(collected.value());
      }
      const int64_t each_ms = (machine.clock.now_ns() - first_ns) / kRounds / kNsPerMs;
      CHECK(each_ms >= static_cast<int64_t>(refresh_ms));
      CHECK(each_ms <= static_cast<int64_t>(refresh_ms) + 150);
      set->close();
    }
  }
}

TEST_CASE("the events are off while the set does not wait for them", "[ops_kdamond]") {
  KdamondMachine machine(Kernel::k7_2);
  machine.mount_tracefs();
  machine.context.attrs.goal.aggrs = 0;
  const auto set = machine.make_set();
  REQUIRE(set->open());
  CHECK(machine.events_pid == set->facts().kdamond_pid);
  REQUIRE(machine.collect(*set));
  CHECK_FALSE(machine.events->enabled);
  CHECK(machine.events->nr_enabled == 1);
  set->close();
  CHECK(machine.events->nr_destroyed == 1);
}

TEST_CASE("events that cannot be opened are done without", "[ops_kdamond]") {
  KdamondMachine machine(Kernel::k7_2);
  machine.mount_tracefs();
  machine.open_events_errno = EACCES;
  const auto life = machine.live();
  CAPTURE(life.reason);
  CHECK(life.delivered == 2);
  CHECK(machine.is_untouched());
}

TEST_CASE("memory that appears is monitored from the next update on", "[ops_kdamond]") {
  for (const bool tracefs : {false, true}) {
    CAPTURE(tracefs);
    KdamondMachine machine(Kernel::k7_2);
    if (tracefs) machine.mount_tracefs();
    const auto set = machine.make_set();
    REQUIRE(set->open());
    REQUIRE(machine.collect(*set));
    machine.damon->set_file("/proc/iomem",
                            "10000000-28ffffff : System RAM\n40000000-43ffffff : System RAM\n");
    const Result<std::vector<AddressRange>> updated = set->update();
    REQUIRE(updated);
    CHECK(updated.value().size() == 2);
    CHECK(machine.damon->kernel().running(0)->context.ranges == updated.value());
    std::vector<Region> more = hot_and_cold(100 * kMiB, 20, 4);
    more.push_back({});
    more.back().start = 0x40000000;
    more.back().end = 0x44000000;
    machine.damon->set_regions(more);
    const auto collected = machine.collect(*set);
    REQUIRE(collected);
    REQUIRE(collected.value());
    CHECK(collected.value()->regions.size() == 3);
    set->close();
    CHECK(machine.is_untouched());
  }
}

}  // namespace
}  // namespace damon_statfs::test
