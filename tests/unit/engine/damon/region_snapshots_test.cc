// SPDX-License-Identifier: GPL-2.0-or-later
//
// Half an aggregation looks like a machine with half its memory: only whole ones may come out, with
// the time that really passed since the one before.
#include "engine/damon/region_snapshots.h"

#include <memory>
#include <vector>

#include "damon_statfs/clock.h"
#include "support/catch.h"
#include "support/fake_events.h"
#include "unit/engine/regions/region_lists.h"

namespace damon_statfs::test {
namespace {

constexpr int64_t kWindowNs = 100 * kNsPerMs;

const std::vector<Region> kBurst = {make_region(0, 100, 3, 5), make_region(100, 250, 0, 9),
                                    make_region(300, 400, 1, 0)};
constexpr uint64_t kBurstBytes = 350;

struct Run {
  std::shared_ptr<EventsScript> script = std::make_shared<EventsScript>();
  RegionSnapshots snapshots;

  explicit Run(uint64_t monitored_bytes = 0)
      : snapshots(std::make_unique<FakeEvents>(script), monitored_bytes) {
    snapshots.begin().value();
  }

  // The n-th aggregation, whole.
  void burst(int n) { script->push_aggregation(n * kWindowNs, kBurst); }
};

// Leaves out records `first` to `last` - 1 of those that wait.
void leave_out(Run& run, int first, int last) {
  auto& records = run.script->records;
  records.erase(records.begin() + first, records.begin() + last);
}

TEST_CASE("the newest whole aggregation, with its window", "[region_snapshots]") {
  Run run;
  run.burst(1);
  CHECK_FALSE(run.snapshots.poll());  // how long it took is not known
  run.burst(2);
  run.burst(4);
  const auto snapshot = run.snapshots.poll();
  REQUIRE(snapshot);
  CHECK(snapshot->ended_ns == 4 * kWindowNs);
  CHECK(snapshot->window_ns == 2 * kWindowNs);
  REQUIRE(snapshot->regions.size() == 3);
  CHECK(snapshot->regions[1].start == 100);
  CHECK(snapshot->regions[1].end == 250);
  CHECK(snapshot->regions[1].nr_accesses == 0);
  CHECK(snapshot->regions[1].age == 9);
  CHECK(snapshot->regions[0].nr_accesses == 3);
  CHECK_FALSE(run.snapshots.poll());  // only once
  CHECK(run.snapshots.dropped() == 0);
}

TEST_CASE("an aggregation in several portions", "[region_snapshots]") {
  Run run(kBurstBytes);
  run.burst(1);
  run.burst(2);
  const auto records = run.script->records;
  for (size_t i = 0; i < records.size(); ++i) {
    run.script->records = {records[i]};
    CHECK(run.snapshots.poll().has_value() == (i == 5));
  }
}

TEST_CASE("a first burst without its front serves as a beginning", "[region_snapshots]") {
  for (const int cut : {1, 2}) {
    Run run;
    run.burst(1);
    leave_out(run, 0, cut);
    run.burst(2);
    const auto snapshot = run.snapshots.poll();
    REQUIRE(snapshot);
    CHECK(snapshot->window_ns == kWindowNs);
    CHECK(snapshot->regions.size() == 3);
    CHECK(run.snapshots.dropped() == 0);
  }
}

TEST_CASE("missing regions", "[region_snapshots]") {
  for (const int missing : {0, 1, 2}) {
    CAPTURE(missing);
    Run run;
    run.burst(1);
    run.burst(2);
    leave_out(run, 3 + missing, 4 + missing);
    run.burst(3);
    const auto snapshot = run.snapshots.poll();
    REQUIRE(snapshot);
    CHECK(snapshot->ended_ns == 3 * kWindowNs);
    CHECK(snapshot->regions.size() == 3);
    CHECK(run.snapshots.dropped() == 1);
  }
}

TEST_CASE("regions that do not add up to what is monitored", "[region_snapshots]") {
  Run run(kBurstBytes + 4096);
  run.burst(1);
  run.burst(2);
  run.burst(3);
  CHECK_FALSE(run.snapshots.poll());
  CHECK(run.snapshots.dropped() == 3);
}

TEST_CASE("another number of regions each time", "[region_snapshots]") {
  Run run;
  run.script->push_aggregation(kWindowNs, {make_region(0, 400, 0, 0)});
  CHECK_FALSE(run.snapshots.poll());
  run.script->push_aggregation(2 * kWindowNs, {make_region(0, 400, 0, 1)});
  CHECK(run.snapshots.poll()->regions.size() == 1);
  run.script->push_aggregation(3 * kWindowNs,
                               {make_region(0, 10, 0, 1), make_region(10, 400, 0, 0)});
  CHECK(run.snapshots.poll()->regions.size() == 2);
  run.script->push_aggregation(
      4 * kWindowNs, {make_region(500, 600, 0, 1)});  // other memory, by its owner's commit
  CHECK(run.snapshots.poll()->regions.size() == 1);
}

TEST_CASE("regions that overlap", "[region_snapshots]") {
  Run run;
  run.burst(1);
  run.script->push_aggregation(2 * kWindowNs,
                               {make_region(0, 100, 0, 0), make_region(50, 200, 0, 0)});
  CHECK_FALSE(run.snapshots.poll());
  CHECK(run.snapshots.dropped() == 1);
  run.burst(3);
  CHECK(run.snapshots.poll()->window_ns == kWindowNs);
}

TEST_CASE("after a loss two more are needed", "[region_snapshots]") {
  Run run;
  run.burst(1);
  run.burst(2);
  run.burst(5);
  run.script->records[6].after_loss = true;
  run.script->dropped = 17;
  CHECK(run.snapshots.poll()->ended_ns == 2 * kWindowNs);
  CHECK(run.snapshots.dropped() == 17);
  run.burst(6);
  CHECK(run.snapshots.poll()->window_ns == kWindowNs);
}

TEST_CASE("a loss in the middle", "[region_snapshots]") {
  Run run;
  run.burst(1);
  run.burst(2);
  run.burst(3);
  leave_out(run, 4, 7);  // the end of one and the front of the next, which look like one
  run.script->records[4].after_loss = true;
  CHECK_FALSE(run.snapshots.poll());
  run.burst(4);
  const auto snapshot = run.snapshots.poll();
  REQUIRE(snapshot);
  CHECK(snapshot->window_ns == kWindowNs);
  CHECK(snapshot->regions.size() == 3);
}

TEST_CASE("several targets are not one memory", "[region_snapshots]") {
  Run run;
  for (int n = 1; n < 5; ++n) {
    run.script->push_aggregation(n * kWindowNs, {make_region(0, 100, 0, 0)}, 0);
    CHECK_FALSE(run.snapshots.poll());
    run.script->push_aggregation(n * kWindowNs + 10, {make_region(200, 300, 0, 0)}, 1);
    CHECK_FALSE(run.snapshots.poll());
  }
  CHECK(run.snapshots.dropped() == 7);
}

TEST_CASE("nothing is kept from one recording to the next", "[region_snapshots]") {
  Run run;
  run.burst(1);
  CHECK_FALSE(run.snapshots.poll());
  run.snapshots.end();
  CHECK_FALSE(run.snapshots.recording());
  CHECK_FALSE(run.script->enabled);
  CHECK_FALSE(run.snapshots.poll());
  run.snapshots.begin().value();
  run.snapshots.begin().value();
  CHECK(run.script->nr_enabled == 2);
  run.burst(50);
  CHECK_FALSE(run.snapshots.poll());
  run.burst(51);
  CHECK(run.snapshots.poll()->window_ns == kWindowNs);
}

TEST_CASE("an event that cannot be switched on", "[region_snapshots]") {
  Run run;
  run.snapshots.end();
  run.script->enable_errno = ESRCH;
  CHECK(run.snapshots.begin().error().code.value() == ESRCH);
  CHECK_FALSE(run.snapshots.recording());
}

TEST_CASE("the end of the kdamond comes after its last aggregation", "[region_snapshots]") {
  Run run;
  run.burst(1);
  run.burst(2);
  run.script->ended = true;
  CHECK(run.snapshots.poll());
  CHECK(run.snapshots.ended());
}

}  // namespace
}  // namespace damon_statfs::test
