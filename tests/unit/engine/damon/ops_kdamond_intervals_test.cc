// SPDX-License-Identifier: GPL-2.0-or-later
//
// Ages and counts mean nothing without the intervals that they were counted in, and those change
// under the reader: by the kernel's tuning, or below 6.15 by ours.
#include "engine/damon/ops_kdamond.h"
#include "support/catch.h"
#include "unit/engine/damon/kdamond_machine.h"

namespace damon_statfs::test {
namespace {

const MonitoringAttrs& running(const KdamondMachine& machine) {
  return machine.damon->kernel().running(0)->context.attrs;
}

TEST_CASE("below 6.15 the intervals are tuned from outside", "[ops_kdamond]") {
  struct Row {
    uint64_t hot_mib;  // of 400, always accessed; 16 is the goal of 4 %
    uint64_t sample_us;
  };
  const Row rows[] = {{0, 80'000},  {4, 70'000},  {8, 60'000},  {16, 40'000},
                      {20, 35'000}, {24, 30'000}, {32, 20'000}, {400, 20'000}};
  for (const Kernel kernel : {Kernel::k6_2, Kernel::k6_7, Kernel::k6_12}) {
    for (const bool tracefs : {false, true}) {
      for (const Row& row : rows) {
        CAPTURE(static_cast<int>(kernel), tracefs, row.hot_mib);
        KdamondMachine machine(kernel);
        if (tracefs) machine.mount_tracefs();
        machine.context.attrs.sample_us = 40'000;
        machine.context.attrs.aggr_us = 800'000;
        machine.damon->set_regions(hot_and_cold(row.hot_mib * kMiB, 20, 4));
        const auto set = machine.make_set();
        REQUIRE(set->open());
        const auto collected = machine.collect(*set);
        REQUIRE(collected);
        REQUIRE(collected.value());
        CHECK(collected.value()->aggr_us == 800'000);
        CHECK(collected.value()->sample_us == 40'000);
        CHECK(running(machine).sample_us == row.sample_us);
        CHECK(running(machine).aggr_us == 20 * row.sample_us);
        set->close();
        CHECK(machine.is_untouched());
      }
    }
  }
}

TEST_CASE("from 6.15 on the kernel tunes and no other program", "[ops_kdamond]") {
  for (const bool tracefs : {false, true}) {
    CAPTURE(tracefs);
    KdamondMachine machine(Kernel::k6_15);
    if (tracefs) machine.mount_tracefs();
    machine.damon->set_regions(hot_and_cold(0, 0, 4));
    const auto set = machine.make_set();
    REQUIRE(set->open());
    CHECK(running(machine).goal == machine.context.attrs.goal);
    REQUIRE(machine.collect(*set));
    CHECK(running(machine).sample_us == 5'000);
    set->close();
    for (const FakeDamon::Write& write : machine.damon->journal) CHECK(write.text != "commit");
  }
}

TEST_CASE("tuning reaches the ends of the range and stays there", "[ops_kdamond]") {
  for (const bool tracefs : {false, true}) {
    CAPTURE(tracefs);
    KdamondMachine machine(Kernel::k6_12);
    if (tracefs) machine.mount_tracefs();
    machine.context.attrs.goal.max_sample_us = 30'000;
    machine.damon->set_regions(hot_and_cold(0, 0, 4));
    const auto set = machine.make_set();
    REQUIRE(set->open());
    for (int round = 0; round < 8; ++round) {
      const auto collected = machine.collect(*set, 100 * kNsPerSecond);
      REQUIRE(collected);
      REQUIRE(collected.value());
    }
    CHECK(running(machine).sample_us == 30'000);
    machine.damon->set_regions(hot_and_cold(400 * kMiB, 20, 4));
    for (int round = 0; round < 8; ++round) {
      const auto collected = machine.collect(*set, 100 * kNsPerSecond);
      REQUIRE(collected);
      REQUIRE(collected.value());
    }
    CHECK(running(machine).sample_us == 5'000);
    set->close();
  }
}

TEST_CASE("a goal of no aggregations tunes nothing", "[ops_kdamond]") {
  for (const Kernel kernel : kKernels) {
    CAPTURE(static_cast<int>(kernel));
    KdamondMachine machine(kernel);
    machine.context.attrs.goal.aggrs = 0;
    machine.damon->set_regions(hot_and_cold(0, 0, 4));
    const auto set = machine.make_set();
    REQUIRE(set->open());
    for (int round = 0; round < 3; ++round) REQUIRE(machine.collect(*set));
    CHECK(running(machine).sample_us == 5'000);
    CHECK(running(machine).goal.aggrs == 0);
    set->close();
  }
}

// All memory is 1.6 s old whatever the intervals are: the kernel rescales ages with them.
void check_age(const KdamondMachine& machine, const Aggregation& aggregation) {
  CAPTURE(aggregation.aggr_us, aggregation.regions.back().age);
  const uint64_t age_us = aggregation.regions.back().age * aggregation.aggr_us;
  CHECK(age_us == 1'600'000);
  const int64_t old_ns = machine.clock.now_ns() - aggregation.regions.back().since_ns;
  // And the window that has just ended, and the time until it was read.
  const int64_t seen_ns = old_ns - static_cast<int64_t>(aggregation.aggr_us) * kNsPerUs;
  CHECK(seen_ns >= 1'600 * kNsPerMs);
  CHECK(seen_ns <= 1'800 * kNsPerMs);
}

TEST_CASE("the kernel tunes at any moment", "[ops_kdamond]") {
  for (const bool tracefs : {false, true}) {
    for (int64_t access = 0; access < 40; ++access) {
      CAPTURE(tracefs, access);
      KdamondMachine machine(Kernel::k7_2);
      if (tracefs) machine.mount_tracefs();
      machine.damon->set_regions(hot_and_cold(100 * kMiB, 20, 16));
      const auto set = machine.make_set();
      REQUIRE(set->open());
      REQUIRE(machine.collect(*set));
      int64_t accesses = 0;
      const auto tune = [&] {
        if (accesses++ == access) machine.tune(10'000, 200'000);
      };
      machine.damon->before_read = [&](FakeDamon&, const std::string&) { tune(); };
      machine.damon->before_write = [&](FakeDamon&, const std::string&, const std::string&) {
        tune();
      };
      for (int round = 0; round < 3; ++round) {
        const auto collected = machine.collect(*set);
        REQUIRE(collected);
        REQUIRE(collected.value());
        check_age(machine, *collected.value());
      }
      set->close();
    }
  }
}

TEST_CASE("intervals that another program has put in force", "[ops_kdamond]") {
  for (const Kernel kernel : {Kernel::k6_12, Kernel::k6_15, Kernel::k7_2}) {
    for (const bool tracefs : {false, true}) {
      for (const uint64_t aggrs : {uint64_t{0}, uint64_t{3}}) {
        CAPTURE(static_cast<int>(kernel), tracefs, aggrs);
        KdamondMachine machine(kernel);
        if (tracefs) machine.mount_tracefs();
        machine.context.attrs.goal.aggrs = aggrs;
        const auto set = machine.make_set();
        REQUIRE(set->open());
        REQUIRE(machine.collect(*set));
        REQUIRE(machine.damon->foreign_write(kIntervals + "sample_us", "10000"));
        REQUIRE(machine.damon->foreign_write(kIntervals + "aggr_us", "200000"));
        REQUIRE(machine.damon->foreign_write(kState, "commit"));
        // Where the kernel tunes, any intervals may be its own. Elsewhere they are another
        // program's.
        const bool follows = kernel >= Kernel::k6_15 && aggrs > 0;
        for (int round = 0; round < (follows ? 3 : 1); ++round) {
          const auto collected = machine.collect(*set);
          REQUIRE(collected.has_value() == follows);
          if (follows) {
            REQUIRE(collected.value());
            CHECK(collected.value()->aggr_us == 200'000);
          } else {
            CHECK(collected.error().context.find("another program") != std::string::npos);
          }
        }
        set->close();
        CHECK(machine.nr_ours() == 0);
      }
    }
  }
}

TEST_CASE("a window that takes longer than nominal is published as what it is", "[ops_kdamond]") {
  KdamondMachine machine(Kernel::k7_2);
  machine.mount_tracefs();
  machine.context.attrs.goal.aggrs = 0;
  machine.slowness = 2;
  const auto set = machine.make_set();
  REQUIRE(set->open());
  uint64_t aggr_us = 0;
  for (int round = 0; round < 30; ++round) {
    const auto collected = machine.collect(*set);
    REQUIRE(collected);
    REQUIRE(collected.value());
    aggr_us = collected.value()->aggr_us;
  }
  CHECK(aggr_us == 200'000);
  set->close();
}

}  // namespace
}  // namespace damon_statfs::test
