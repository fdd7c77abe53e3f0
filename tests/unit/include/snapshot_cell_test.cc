// SPDX-License-Identifier: GPL-2.0-or-later
//
// The one object that the engine thread writes and the FUSE thread reads at the same time. Run it
// under ThreadSanitizer, too.
#include "damon_statfs/snapshot_cell.h"

#include <algorithm>
#include <thread>

#include "support/catch.h"

namespace damon_statfs {
namespace {

// A snapshot all of whose numbers are `number`.
Snapshot uniform(int64_t number) {
  Snapshot snapshot;
  snapshot.status.errno_value = static_cast<int>(number);
  snapshot.statistics.aggr_interval_us = static_cast<uint64_t>(number);
  snapshot.statistics.estimated_memory_bandwidth_bytes_per_s = static_cast<uint64_t>(number);
  snapshot.statistics.memory_idle_ms_percentiles.fill(number);
  return snapshot;
}

// Returns: the number that a snapshot is of, or -1 if it is of several.
int64_t number_of(const Snapshot& snapshot) {
  const auto& percentiles = snapshot.statistics.memory_idle_ms_percentiles;
  const int64_t number = percentiles.front();
  const bool whole = std::all_of(percentiles.begin(), percentiles.end(),
                                 [&](int64_t other) { return other == number; }) &&
                     snapshot.status.errno_value == static_cast<int>(number) &&
                     snapshot.statistics.aggr_interval_us == static_cast<uint64_t>(number);
  return whole ? number : -1;
}

TEST_CASE("a new cell is off and zero", "[snapshot_cell]") {
  SnapshotCell cell;
  const Snapshot& snapshot = cell.newest();
  CHECK(snapshot.status.state == EngineState::kOff);
  CHECK(snapshot.status.tid == -1);
  CHECK(number_of(snapshot) == 0);
}

TEST_CASE("readers get the newest", "[snapshot_cell]") {
  SnapshotCell cell;
  cell.publish(uniform(1));
  CHECK(number_of(cell.newest()) == 1);
  CHECK(number_of(cell.newest()) == 1);
  for (int64_t number = 2; number < 100'000; ++number) cell.publish(uniform(number));
  CHECK(number_of(cell.newest()) == 99'999);  // also if no reader has come for long
  cell.publish(uniform(100'000));
  CHECK(number_of(cell.newest()) == 100'000);
}

TEST_CASE("what was returned stays as it is until the next call", "[snapshot_cell]") {
  SnapshotCell cell;
  cell.publish(uniform(1));
  const Snapshot& held = cell.newest();
  for (int64_t number = 2; number < 1000; ++number) {
    cell.publish(uniform(number));
    REQUIRE(number_of(held) == 1);
  }
}

TEST_CASE("a writer and a reader at full speed", "[snapshot_cell]") {
  constexpr int64_t kLast = 200'000;
  SnapshotCell cell;
  std::thread writer([&] {
    for (int64_t number = 1; number <= kLast; ++number) {
      cell.publish(uniform(number));
      if (number % 64 == 0) std::this_thread::yield();
    }
  });
  int64_t previous = 0;
  int64_t seen = 0;
  bool whole = true;
  bool forward = true;
  while (previous < kLast && whole && forward) {
    const int64_t number = number_of(cell.newest());
    whole = number >= 0;
    forward = number >= previous;
    if (number != previous) ++seen;
    previous = number;
  }
  writer.join();
  CHECK(whole);
  CHECK(forward);
  CHECK(seen > 10);
  CHECK(number_of(cell.newest()) == kLast);
}

TEST_CASE("a slow reader never sees its snapshot change", "[snapshot_cell]") {
  constexpr int64_t kLast = 50'000;
  SnapshotCell cell;
  std::thread writer([&] {
    for (int64_t number = 1; number <= kLast; ++number) cell.publish(uniform(number));
  });
  bool stable = true;
  int64_t number = 0;
  while (number < kLast && stable) {
    const Snapshot& held = cell.newest();
    number = number_of(held);
    for (int i = 0; i < 20; ++i) stable = stable && number >= 0 && number_of(held) == number;
  }
  writer.join();
  CHECK(stable);
}

}  // namespace
}  // namespace damon_statfs
