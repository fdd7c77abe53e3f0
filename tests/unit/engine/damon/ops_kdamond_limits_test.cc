// SPDX-License-Identifier: GPL-2.0-or-later
//
// A kdamond with attributes at the ends of what is accepted: zeros, which count as the least that
// makes sense, and times that do not fit 63 bits of nanoseconds.
#include "engine/damon/ops_kdamond.h"
#include "support/catch.h"
#include "unit/engine/damon/kdamond_machine.h"

namespace damon_statfs::test {
namespace {

TEST_CASE("zeros: nothing that is staged for a kdamond is zero after our tuning", "[ops_kdamond]") {
  for (const bool tracefs : {false, true}) {
    KdamondMachine machine(Kernel::k6_12);
    if (tracefs) machine.mount_tracefs();
    machine.context.attrs.sample_us = machine.context.attrs.goal.min_sample_us = 0;
    machine.context.attrs.aggr_us = 1'000;
    machine.damon->set_regions(hot_and_cold(400 * kMiB, 1'000, 4));
    const auto set = machine.make_set();
    REQUIRE(set->open());
    for (int i = 0; i < 4; ++i) REQUIRE(machine.collect(*set));
    set->close();
    for (const FakeDamon::Write& write : machine.damon->journal) {
      if (write.path != kIntervals + "sample_us" && write.path != kIntervals + "aggr_us") continue;
      CHECK(write.text != "0");
    }
  }
}

TEST_CASE("a tuning in the far future is not one in the past", "[ops_kdamond]") {
  KdamondMachine machine(Kernel::k6_12);
  machine.mount_tracefs();
  machine.context.refresh_ms = 1'000'000'000;
  machine.context.attrs.sample_us = 250'000;
  machine.context.attrs.aggr_us = 5'000'000;
  machine.context.attrs.goal.aggrs = kMaxCount;  // times 5 s in nanoseconds: not in 63 bits
  const auto set = machine.make_set();
  REQUIRE(set->open());
  const auto collected = machine.collect(*set);
  REQUIRE(collected);
  CHECK_FALSE(collected.value());
}

TEST_CASE("the longest aggregation: patience is longer, not shorter", "[ops_kdamond]") {
  KdamondMachine machine(Kernel::k6_12);
  machine.context.refresh_ms = 1'000;
  machine.context.attrs.sample_us = machine.context.attrs.aggr_us = kMaxIntervalUs;
  machine.context.attrs.goal.aggrs = 0;
  machine.damon->set_regions({});  // never complete
  const auto set = machine.make_set();
  REQUIRE(set->open());
  const auto collected = machine.collect(*set);
  REQUIRE(collected);
  CHECK_FALSE(collected.value());
  CHECK(machine.log.count(LogLevel::kWarning) == 0);
}

}  // namespace
}  // namespace damon_statfs::test
