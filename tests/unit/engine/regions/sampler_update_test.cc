// SPDX-License-Identifier: GPL-2.0-or-later
//
// Memory comes and goes while monitoring runs. What stays must keep its history, what comes begins
// its own.
#include "unit/engine/regions/sampler_run.h"

namespace damon_statfs::test {
namespace {

MonitoringAttrs updating_every(uint64_t update_us) {
  MonitoringAttrs attrs = untuned();
  attrs.update_us = update_us;
  return attrs;
}

// The idle time of the region at an address, as of the last aggregation.
int64_t idle_ms_at(const SamplerRun& run, uint64_t address) {
  for (const Region& region : run.aggregated) {
    if (address >= region.start && address < region.end) {
      return (run.aggregated_ns - region.since_ns) / kNsPerMs;
    }
  }
  return -1;
}

TEST_CASE("ranges are read again every update_us, of real time", "[sampler][update]") {
  SamplerRun run(updating_every(1'000'000));
  run.late_ns = GENERATE(int64_t{0}, 15 * kNsPerMs);
  int updates = 0;
  run.on_sampling = [&](const RegionsView&) {
    for (const std::string& call : run.script.calls) updates += call == "update" ? 1 : 0;
    run.script.calls.clear();
  };
  run.start();
  run.run_for(20 * kNsPerSecond + 100 * kNsPerMs);
  CHECK(updates == 20);
}

TEST_CASE("hot-added memory is followed, the rest keeps its history", "[sampler][update]") {
  SamplerRun run(updating_every(1'000'000));
  run.script.ranges = {{0, kGiB}};
  run.start();
  run.run_for(10 * kNsPerSecond);
  CHECK(idle_ms_at(run, 2 * kGiB) == -1);
  run.script.ranges = {{0, kGiB}, {2 * kGiB, 3 * kGiB}};
  const int64_t added_ns = run.clock.now_ns();
  run.run_for(5 * kNsPerSecond);
  run.run_aggregations(1);
  CHECK(total_bytes(run.sampler->regions()) == 2 * kGiB);
  CHECK(idle_ms_at(run, kMiB) == (run.aggregated_ns - run.begun_ns) / kNsPerMs);
  const int64_t since_added_ms = (run.aggregated_ns - added_ns) / kNsPerMs;
  CHECK(idle_ms_at(run, 2 * kGiB + kMiB) == since_added_ms - 1'000);  // when it was found
  CHECK(idle_ms_at(run, kGiB + kMiB) == -1);                          // the gap is not memory
}

TEST_CASE("hot-removed memory is gone, the rest keeps its history", "[sampler][update]") {
  SamplerRun run(updating_every(1'000'000));
  run.script.ranges = {{0, kGiB}, {2 * kGiB, 3 * kGiB}};
  run.start();
  run.run_for(10 * kNsPerSecond);
  run.script.ranges = {{0, kGiB / 2}};
  run.run_for(2 * kNsPerSecond);
  run.run_aggregations(1);
  CHECK(total_bytes(run.sampler->regions()) == kGiB / 2);
  CHECK(run.sampler->regions().size() >= 10);
  CHECK(idle_ms_at(run, kMiB) == (run.aggregated_ns - run.begun_ns) / kNsPerMs);
  CHECK(idle_ms_at(run, 2 * kGiB + kMiB) == -1);
}

TEST_CASE("the size limit follows the memory", "[sampler][update]") {
  SamplerRun run(updating_every(1'000'000));
  run.script.ranges = {{0, kGiB}};
  run.start();
  run.run_for(3 * kNsPerSecond);
  run.script.ranges = {{0, 64 * kGiB}};
  run.run_for(3 * kNsPerSecond);
  // At 1 GiB / 10 per region, 64 GiB could not have fewer than 640 regions.
  run.run_aggregations(1);
  CHECK(run.aggregated.size() < 30);
  CHECK(run.aggregated.size() >= 10);
}

TEST_CASE("an update without a change changes nothing", "[sampler][update]") {
  const auto accessed = [](uint64_t address) { return address % (64 * kMiB) < 16 * kMiB; };
  SamplerRun with(updating_every(5'000));
  SamplerRun without(updating_every(3'600'000'000));
  for (SamplerRun* run : {&with, &without}) {
    run->script.accessed = accessed;
    run->start();
    run->run_aggregations(50);
  }
  CHECK(ranges_of(with.aggregated) == ranges_of(without.aggregated));
  CHECK(counts_of(with.aggregated) == counts_of(without.aggregated));
}

}  // namespace
}  // namespace damon_statfs::test
