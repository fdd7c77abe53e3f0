// SPDX-License-Identifier: GPL-2.0-or-later
//
// Several kdamonds of ours at once: made by one write, each with its own set-up, and all of them
// gone in the end, also if the daemon was killed in between.
#include "engine/damon/damon_admin.h"

#include <memory>

#include "engine/damon/kdamond_orphan.h"
#include "unit/engine/damon/kdamond_machine.h"

namespace damon_statfs::test {
namespace {

constexpr uint64_t kMark = 60'000'123;

// Two kdamonds: one over many single pages, one over all of the memory.
struct TwoKdamonds {
  explicit TwoKdamonds(Kernel kernel) : machine(kernel) {
    machine.damon->kernel().regions.reset();  // the regions of each are its ranges
    for (uint64_t page = 0; page < 20; ++page) {
      const uint64_t start = kRamStart + page * 64 * 4'096;
      pages.ranges.push_back({start, start + 4'096});
    }
    pages.attrs.sample_us = pages.attrs.aggr_us = 1'000'000;
    pages.stat_scheme = whole.stat_scheme = true;
    pages.apply_interval_us = 1'000'000;
    whole.ranges = {{kRamStart, kRamEnd}};
    whole.apply_interval_us = whole.attrs.sample_us;
  }

  // One life of a daemon that does not clean up. Every step is recorded before it is taken.
  Result<void> start() {
    FakeDamon& damon = *machine.damon;
    const std::string root = machine.tree.root();
    DAMON_STATFS_TRY(record, KdamondRecord::open(root, damon, machine.clock));
    DAMON_STATFS_TRY(boot, boot_id(damon));
    KdamondOwnership ownership{boot, kMark, false, -1, 77};
    ownership.more_pids = {-1};
    BOOST_OUTCOME_TRYV(record.write(ownership));
    admin.emplace(damon, machine.clock, kMark, 2);
    BOOST_OUTCOME_TRYV(admin->make());
    ownership.marked = true;
    BOOST_OUTCOME_TRYV(record.write(ownership));
    BOOST_OUTCOME_TRYV(admin->kdamond(0).stage(pages));
    BOOST_OUTCOME_TRYV(admin->kdamond(1).stage(whole));
    DAMON_STATFS_TRY(pid, admin->kdamond(0).turn_on());
    ownership.pid = pids[0] = pid;
    BOOST_OUTCOME_TRYV(record.write(ownership));
    DAMON_STATFS_TRY(more, admin->kdamond(1).turn_on());
    ownership.more_pids[0] = pids[1] = more;
    return record.write(ownership);
  }

  Result<void> stop() {
    for (size_t i = 0; i < 2; ++i) {
      BOOST_OUTCOME_TRYV(admin->kdamond(i).turn_off(pids[i], kNsPerSecond));
    }
    return admin->release();
  }

  // What the next daemon does.
  Result<void> recover() {
    FakeDamon& damon = *machine.damon;
    DAMON_STATFS_TRY(record, KdamondRecord::open(machine.tree.root(), damon, machine.clock));
    return stop_orphan(machine.context, damon, record);
  }

  KdamondMachine machine;
  KdamondSetup pages, whole;
  std::optional<DamonAdmin> admin;
  pid_t pids[2] = {-1, -1};
};

TEST_CASE("two kdamonds from the start to the end", "[damon_admin]") {
  for (const Kernel kernel : kKernels) {
    CAPTURE(static_cast<int>(kernel));
    TwoKdamonds two(kernel);
    FakeDamon& damon = *two.machine.damon;
    REQUIRE(two.start());
    CHECK(two.pids[0] != two.pids[1]);
    CHECK(damon.content(kNrKdamonds) == "2");
    REQUIRE(damon.kernel().nr_running() == 2);
    CHECK(damon.kernel().running(0)->context.ranges == two.pages.ranges);
    CHECK(damon.kernel().running(0)->context.attrs.sample_us == 1'000'000);
    CHECK(damon.kernel().running(1)->context.ranges == two.whole.ranges);
    CHECK(damon.kernel().running(1)->context.attrs.sample_us == 5'000);
    for (size_t i = 0; i < 2; ++i) {
      const Kdamond& kdamond = two.admin->kdamond(i);
      CHECK(kdamond.is_on().value());
      CHECK(kdamond.is_marked().value());
      CHECK(kdamond.is_pid(two.pids[i]).value());
      CHECK_FALSE(kdamond.is_pid(two.pids[1 - i]).value());
      CHECK(kdamond.verify(i == 0 ? two.pages : two.whole));
    }
    CHECK(two.admin->kdamond(0).tried_regions().value().size() == 20);
    CHECK(two.admin->kdamond(1).tried_regions().value().size() == 1);
    REQUIRE(two.stop());
    CHECK(two.machine.is_untouched());
  }
}

TEST_CASE("each of two has regions and tuned intervals of its own", "[damon_admin]") {
  TwoKdamonds two(Kernel::k7_2);
  two.whole.attrs.goal = {};
  REQUIRE(two.start());
  FakeKdamonds& kernel = two.machine.damon->kernel();
  kernel.regions_of[1] = hot_and_cold(8 * kMiB, 20, 4);
  kernel.tune(1, 10'000, 200'000);
  CHECK(two.admin->kdamond(1).tuned_intervals().value() == KdamondIntervals{10'000, 200'000});
  CHECK(two.admin->kdamond(0).tuned_intervals().value() == KdamondIntervals{1'000'000, 1'000'000});
  const auto whole = two.admin->kdamond(1).tried_regions();
  REQUIRE(whole);
  REQUIRE(whole.value().size() == 2);
  CHECK(whole.value()[0].nr_accesses == 20);
  CHECK(whole.value()[1].age == 2);  // twice as long a window
  CHECK(two.admin->kdamond(0).tried_regions().value().size() == 20);
  REQUIRE(two.stop());
  CHECK(two.machine.is_untouched());
}

TEST_CASE("one of two is switched off and on while the other runs", "[damon_admin]") {
  TwoKdamonds two(Kernel::k6_12);
  REQUIRE(two.start());
  const FakeKdamonds& kernel = two.machine.damon->kernel();
  REQUIRE(two.admin->kdamond(1).turn_off(two.pids[1], kNsPerSecond));
  CHECK(kernel.nr_running() == 1);
  CHECK_FALSE(two.admin->kdamond(1).may_be_on());
  CHECK(two.admin->kdamond(1).is_marked().value());
  KdamondSetup changed = two.pages;
  changed.ranges[3].start += 8'192;
  changed.ranges[3].end += 8'192;
  REQUIRE(two.admin->kdamond(0).commit(two.pages, changed));
  CHECK(kernel.running(0)->context.ranges == changed.ranges);
  const Result<pid_t> again = two.admin->kdamond(1).turn_on();
  REQUIRE(again);
  two.pids[1] = again.value();
  CHECK(kernel.running(0)->pid == two.pids[0]);
  CHECK(kernel.running(1)->pid == two.pids[1]);
  REQUIRE(two.stop());
  CHECK(two.machine.is_untouched());
}

TEST_CASE("two kdamonds of a daemon that was killed at any write", "[damon_admin]") {
  for (const Kernel kernel : {Kernel::k6_2, Kernel::k7_2}) {
    for (size_t number = 0;; ++number) {
      CAPTURE(static_cast<int>(kernel), number);
      REQUIRE(number < 1'000);
      TwoKdamonds two(kernel);
      KdamondMachine& machine = two.machine;
      std::optional<std::string> left_behind;
      bool killed = false;
      machine.before_write(number, [&](FakeDamon& damon) {
        left_behind = machine.record();
        killed = true;
        damon.cut_off();
      });
      if (two.start()) static_cast<void>(two.stop());
      machine.damon->before_write = nullptr;
      machine.damon->reconnect();
      if (!killed) break;
      machine.set_record(left_behind);
      const Result<void> recovered = two.recover();
      CAPTURE(recovered ? "" : recovered.error().context);
      CHECK(recovered);
      CHECK(machine.damon->kernel().nr_running() == 0);
      CHECK(machine.is_untouched());
      CHECK(machine.record()->find_first_not_of(" \n") == std::string::npos);
      CHECK_FALSE(two.recover().has_error());
    }
  }
}

TEST_CASE("another program's kdamonds are neither joined nor removed", "[damon_admin]") {
  TwoKdamonds two(Kernel::k6_12);
  FakeDamon& damon = *two.machine.damon;
  SECTION("they were there before") {
    REQUIRE(damon.foreign_write(kNrKdamonds, "2"));
    CHECK(failed_with(two.start(), EBUSY));
    CHECK_FALSE(two.admin->made());
    CHECK(damon.content(kNrKdamonds) == "2");
  }
  SECTION("the daemon was killed, and one of ours has become another program's") {
    REQUIRE(two.start());
    const std::string foreign = FakeDamon::admin("1/contexts/0/");
    REQUIRE(damon.foreign_write(FakeDamon::admin("1/state"), "off"));
    REQUIRE(damon.foreign_write(foreign + "monitoring_attrs/intervals/update_us", "60000000"));
    REQUIRE(damon.foreign_write(FakeDamon::admin("1/state"), "on"));
    REQUIRE(two.recover());
    CHECK(damon.kernel().running(0) == nullptr);
    CHECK(damon.kernel().running(1) != nullptr);
    CHECK(damon.content(foreign + "operations") == "paddr");
  }
  SECTION("it is off, and keeps its directory") {
    REQUIRE(two.start());
    REQUIRE(damon.foreign_write(FakeDamon::admin("1/state"), "off"));
    const std::string foreign = FakeDamon::admin("1/contexts/0/");
    REQUIRE(damon.foreign_write(foreign + "monitoring_attrs/intervals/update_us", "60000000"));
    REQUIRE(two.recover());
    CHECK(damon.content(kNrKdamonds) == "2");
    CHECK(damon.content(kNrContexts) == "0");
    CHECK(damon.content(foreign + "operations") == "paddr");
  }
}

}  // namespace
}  // namespace damon_statfs::test
