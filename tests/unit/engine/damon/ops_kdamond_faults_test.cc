// SPDX-License-Identifier: GPL-2.0-or-later
//
// The interface's one lock is held, files are missing, snapshots are short: what passes is waited
// for, and what does not pass is said and leaves nothing behind.
#include "engine/damon/ops_kdamond.h"
#include "support/catch.h"
#include "unit/engine/damon/kdamond_machine.h"

namespace damon_statfs::test {
namespace {

constexpr int64_t kMaxOpenNs = 60 * kNsPerSecond;
constexpr int64_t kMaxCloseNs = 120 * kNsPerSecond;

void check_times(const KdamondMachine::Life& life) {
  CHECK(life.open_ns < kMaxOpenNs);
  CHECK(life.close_ns < kMaxCloseNs);
}

// How many of something a whole life takes.
int64_t lock_accesses_of_a_life(Kernel kernel, bool tracefs) {
  KdamondMachine machine(kernel);
  if (tracefs) machine.mount_tracefs();
  machine.live();
  REQUIRE(machine.damon->nr_lock_accesses() > 10);
  return machine.damon->nr_lock_accesses();
}

TEST_CASE("a lock that is held for a while is waited for", "[ops_kdamond]") {
  for (const Kernel kernel : {Kernel::k6_2, Kernel::k6_12, Kernel::k7_2}) {
    for (const bool tracefs : {false, true}) {
      const int64_t accesses = lock_accesses_of_a_life(kernel, tracefs);
      for (const int64_t count : {1, 5, 25}) {
        for (int64_t after = 0; after < accesses; ++after) {
          CAPTURE(static_cast<int>(kernel), tracefs, count, after);
          KdamondMachine machine(kernel);
          if (tracefs) machine.mount_tracefs();
          machine.damon->busy(count, after);
          const auto life = machine.live();
          CAPTURE(life.reason);
          CHECK(life.open_errno == 0);
          CHECK(life.collect_errno == 0);
          CHECK(life.delivered == 2);
          check_times(life);
          CHECK(machine.is_untouched());
        }
      }
    }
  }
}

TEST_CASE("a lock that is held for ever is given up on", "[ops_kdamond]") {
  for (const Kernel kernel : {Kernel::k6_12, Kernel::k7_2}) {
    const int64_t accesses = lock_accesses_of_a_life(kernel, false);
    int refused = 0, left = 0;
    for (int64_t after = 0; after < accesses; ++after) {
      CAPTURE(static_cast<int>(kernel), after);
      KdamondMachine machine(kernel);
      machine.damon->busy(INT64_MAX, after);
      const auto life = machine.live();
      check_times(life);
      CHECK((life.open_errno == 0 || life.open_errno == EBUSY));
      refused += life.open_errno == EBUSY ? 1 : 0;
      const bool left_behind = !machine.is_untouched();
      left += left_behind ? 1 : 0;
      CHECK((machine.log.count(LogLevel::kError) > 0) == left_behind);
      machine.damon->not_busy();
      const auto next = machine.live();  // takes up what could not be finished
      CAPTURE(life.reason, next.reason);
      CHECK(next.delivered == 2);
      CHECK(machine.is_untouched());
    }
    CHECK(refused > 0);
    CHECK(refused < accesses);
    CHECK(left > 0);
  }
}

TEST_CASE("a lock that is held while the intervals or the memory change", "[ops_kdamond]") {
  for (const Kernel kernel : {Kernel::k6_12, Kernel::k7_2}) {
    for (const bool tracefs : {false, true}) {
      for (const char* const held_at : {"nr_regions", "state", "nr_targets"}) {
        CAPTURE(static_cast<int>(kernel), tracefs, held_at);
        KdamondMachine machine(kernel);
        if (tracefs) machine.mount_tracefs();
        const auto set = machine.make_set();
        REQUIRE(set->open());
        // Ten seconds, three times, from the moment on at which that file is to be written.
        int64_t free_ns = 0;
        int left = 3;
        machine.damon->before_write = [&](FakeDamon& damon, const std::string& path,
                                          const std::string&) {
          const int64_t now_ns = machine.clock.now_ns();
          if (left > 0 && now_ns >= free_ns && path.ends_with(held_at)) {
            free_ns = now_ns + 10 * kNsPerSecond;
            --left;
          }
          damon.busy(now_ns < free_ns ? 1 : 0);
        };
        machine.damon->before_read = [&](FakeDamon& damon, const std::string&) {
          damon.busy(machine.clock.now_ns() < free_ns ? 1 : 0);
        };
        machine.grow();
        const int64_t end_ns = machine.clock.now_ns() + 200 * kNsPerSecond;
        while (machine.clock.now_ns() < end_ns) {
          const auto collected = machine.collect(*set, 20 * kNsPerSecond);
          CAPTURE(collected ? "" : collected.error().context);
          REQUIRE(collected);
          const auto updated = set->update();
          CAPTURE(updated ? "" : updated.error().context);
          REQUIRE(updated);
        }
        const FakeContext& running = machine.damon->kernel().running(0)->context;
        CHECK(running.ranges.size() == 2);
        // Half of the goal is accessed: below 6.15 we tune, until the interval is at its end.
        CHECK(running.attrs.sample_us == (kernel >= Kernel::k6_15 ? 5'000 : 500'000));
        set->close();
        CHECK(machine.is_untouched());
      }
    }
  }
}

TEST_CASE("each file may be missing", "[ops_kdamond]") {
  for (const Kernel kernel : {Kernel::k6_2, Kernel::k6_12, Kernel::k7_2}) {
    KdamondMachine model(kernel);
    model.live();
    std::vector<std::string> paths;
    for (const FakeDamon::Write& write : model.damon->journal) {
      if (write.path.find("/intervals_goal/") == std::string::npos) paths.push_back(write.path);
    }
    REQUIRE(paths.size() > 10);
    int refused = 0;
    for (const std::string& path : paths) {
      CAPTURE(static_cast<int>(kernel), path);
      KdamondMachine machine(kernel);
      machine.damon->vanish(path);
      const auto life = machine.live();
      check_times(life);
      if (life.open_errno != 0) {
        ++refused;
        CHECK((life.open_errno == ENODEV || life.open_errno == ENOENT));
        CAPTURE(life.reason);
        CHECK(life.reason.find(path) != std::string::npos);
      }
      machine.damon->restore_vanished();
      CHECK(machine.nr_ours() == (path == kState && life.open_errno == 0 ? 1 : 0));
    }
    CHECK(refused > 0);
  }
}

TEST_CASE("the whole directory vanishes at each step", "[ops_kdamond]") {
  for (const Kernel kernel : {Kernel::k6_12, Kernel::k7_2}) {
    for (const char* const gone : {"", "/0", "/0/contexts/0", "/0/contexts/0/schemes"}) {
      KdamondMachine model(kernel);
      model.live();
      REQUIRE(model.damon->nr_writes() > 10);
      for (size_t number = 0; number < model.damon->nr_writes(); ++number) {
        CAPTURE(static_cast<int>(kernel), gone, number);
        KdamondMachine machine(kernel);
        machine.before_write(number, [&](FakeDamon& damon) { damon.vanish(kKdamonds + gone); });
        check_times(machine.live());
        machine.damon->before_write = nullptr;
        machine.damon->restore_vanished();
        machine.live();
        CHECK(machine.nr_ours() == 0);
      }
    }
  }
}

TEST_CASE("each write may fail for want of memory", "[ops_kdamond]") {
  for (const Kernel kernel : {Kernel::k6_12, Kernel::k7_2}) {
    KdamondMachine model(kernel);
    model.live();
    int refused = 0, left = 0;
    for (size_t number = 0; number < model.damon->nr_writes(); ++number) {
      CAPTURE(static_cast<int>(kernel), number, model.damon->journal[number].path);
      KdamondMachine machine(kernel);
      const std::string path = model.damon->journal[number].path;
      machine.before_write(number, [&](FakeDamon& damon) { damon.fail(path, ENOMEM, 1); });
      const auto life = machine.live();
      check_times(life);
      CAPTURE(life.reason, life.open_errno);
      if (life.open_errno != 0) {
        ++refused;
        CHECK(life.open_errno == ENOMEM);
        CHECK(life.reason.find(path) != std::string::npos);
      }
      machine.damon->before_write = nullptr;
      if (machine.is_untouched()) continue;
      ++left;
      CHECK(machine.log.count(LogLevel::kError) > 0);  // going failed, so the next one tidies up
      machine.live();
      CHECK(machine.is_untouched());
    }
    CHECK(refused > 0);
    CHECK(left > 0);
  }
}

TEST_CASE("short snapshots are not delivered", "[ops_kdamond]") {
  for (const Kernel kernel : {Kernel::k6_2, Kernel::k6_12, Kernel::k7_2}) {
    for (const size_t shown : {size_t{0}, size_t{1}}) {
      CAPTURE(static_cast<int>(kernel), shown);
      KdamondMachine machine(kernel);
      const auto set = machine.make_set();
      REQUIRE(set->open());
      machine.damon->kernel().short_snapshots = 4;
      machine.damon->kernel().short_snapshot_regions = shown;
      for (int round = 0; round < 3; ++round) {
        const auto collected = machine.collect(*set);
        REQUIRE(collected);
        REQUIRE(collected.value());
        CHECK(collected.value()->regions.size() == 2);
      }
      CHECK(machine.damon->kernel().short_snapshots == 0);
      CHECK(machine.log.count(LogLevel::kWarning) == 0);
      set->close();
      CHECK(machine.is_untouched());
    }
  }
}

// A kernel that was locked down after the boot, and a daemon that may not read them.
TEST_CASE("trace events that may not be read are done without", "[ops_kdamond]") {
  for (const int errno_value : {EPERM, EACCES}) {
    KdamondMachine machine(Kernel::k6_12);
    machine.mount_tracefs();
    const std::string id = "/sys/kernel/tracing/events/damon/damon_aggregated/id";
    machine.damon->fail(id, errno_value, 1'000);
    const KdamondMachine::Life life = machine.live();
    CAPTURE(errno_value, life.reason);
    CHECK(life.delivered == 2);
    CHECK(machine.log.count(LogLevel::kInfo, "regions are read through tried_regions: " + id) == 1);
    CHECK(machine.log.count(LogLevel::kInfo, "not mounted") == 0);
    CHECK(machine.is_untouched());
  }
}

TEST_CASE("snapshots that stay short are said once", "[ops_kdamond]") {
  KdamondMachine machine(Kernel::k6_12);
  const auto set = machine.make_set();
  REQUIRE(set->open());
  REQUIRE(machine.collect(*set));
  machine.damon->kernel().short_snapshots = 1'000'000;
  const auto none = machine.collect(*set, 300 * kNsPerSecond);
  REQUIRE(none);
  CHECK_FALSE(none.value());
  CHECK(machine.log.count(LogLevel::kWarning) == 1);
  CHECK(set->facts().nr_dropped > 0);
  machine.damon->kernel().short_snapshots = 0;
  const auto again = machine.collect(*set);
  REQUIRE(again);
  CHECK(again.value());
  set->close();
  CHECK(machine.is_untouched());
}

TEST_CASE("records that are lost are waited for again", "[ops_kdamond]") {
  KdamondMachine machine(Kernel::k7_2);
  machine.mount_tracefs();
  machine.context.attrs.goal.aggrs = 0;
  const auto set = machine.make_set();
  REQUIRE(set->open());
  REQUIRE(machine.collect(*set));
  std::vector<Region> short_one = hot_and_cold(100 * kMiB, 20, 4);
  short_one.pop_back();
  machine.damon->set_regions(short_one);
  const auto none = machine.collect(*set, 100 * kNsPerSecond);
  REQUIRE(none);
  CHECK_FALSE(none.value());
  CHECK(machine.log.count(LogLevel::kWarning) == 1);
  const uint64_t dropped = set->facts().nr_dropped;
  CHECK(dropped > 0);
  machine.damon->set_regions(hot_and_cold(100 * kMiB, 20, 4));
  machine.grow();
  REQUIRE(set->update());  // takes new events
  CHECK(set->facts().nr_dropped == dropped);
  const auto again = machine.collect(*set);
  REQUIRE(again);
  CHECK(again.value());
  set->close();
}

TEST_CASE("a kdamond that has ended is an error", "[ops_kdamond]") {
  for (const Kernel kernel : kKernels) {
    for (const bool tracefs : {false, true}) {
      for (const uint64_t refresh_ms : {uint64_t{300}, uint64_t{5'000}}) {
        CAPTURE(static_cast<int>(kernel), tracefs, refresh_ms);
        KdamondMachine machine(kernel);
        if (tracefs) machine.mount_tracefs();
        machine.context.refresh_ms = refresh_ms;
        const auto set = machine.make_set();
        REQUIRE(set->open());
        REQUIRE(machine.collect(*set));
        machine.damon->kernel().kill(0);
        const int64_t gone_ns = machine.clock.now_ns();
        auto collected = machine.collect(*set);
        while (collected && collected.value() &&
               machine.clock.now_ns() < gone_ns + 60 * kNsPerSecond) {
          collected = machine.collect(*set);
        }
        REQUIRE_FALSE(collected);
        CAPTURE(collected.error().context);
        CHECK(collected.error().code.value() == ESRCH);
        CHECK(machine.clock.now_ns() - gone_ns <= kNsPerSecond);
        set->close();
        CHECK(machine.is_untouched());
      }
    }
  }
}

}  // namespace
}  // namespace damon_statfs::test
