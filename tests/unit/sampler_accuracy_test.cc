// SPDX-License-Identifier: GPL-2.0-or-later
//
// All of the algorithm together: does what it says of memory of known hotness come near the truth?
// The guest tests ask the same on real memory.
#include <algorithm>

#include "unit/sampler_run.h"

namespace damon_statfs::test {
namespace {

// The percent of memory that was idle for less than so long.
int64_t share_below(const Statistics& statistics, int64_t idle_ms) {
  const auto& percentiles = statistics.memory_idle_ms_percentiles;
  return std::count_if(percentiles.begin() + 1, percentiles.end(),
                       [&](int64_t ms) { return ms < idle_ms; });
}

// Hot up to hot_end; touched every 5 s up to warm_end; the rest never. Sizes of the guest test.
TEST_CASE("hot, warm and cold memory", "[sampler][accuracy]") {
  const uint64_t seed = GENERATE(uint64_t{1}, uint64_t{2}, uint64_t{3});
  CAPTURE(seed);
  constexpr uint64_t kHotEnd = kGiB / 2 + 123 * 4096;
  constexpr uint64_t kWarmEnd = kGiB + 77 * 4096;
  SamplerRun run{MonitoringAttrs()};
  run.config.seed = seed;
  run.script.ranges = {{0, 2 * kGiB}, {3 * kGiB, 5 * kGiB}};
  int64_t checked_ns = 0;
  bool warm_touched = false;
  run.script.accessed = [&](uint64_t address) {
    const int64_t now_ns = run.clock.now_ns();
    if (now_ns != checked_ns) {
      warm_touched = now_ns / (5 * kNsPerSecond) != checked_ns / (5 * kNsPerSecond);
      checked_ns = now_ns;
    }
    return address < kHotEnd || (address < kWarmEnd && warm_touched);
  };
  std::vector<int64_t> hot, warm;
  run.start();
  run.run_for(60 * kNsPerSecond);
  run.on_aggregation = [&](const RegionsView& view) {
    const Statistics statistics = make_statistics(view.regions, view.attrs.aggr_us, view.now_ns);
    hot.push_back(share_below(statistics, 1'000));
    warm.push_back(share_below(statistics, 6'000));
  };
  run.run_for(240 * kNsPerSecond);
  REQUIRE(hot.size() > 20);
  std::sort(hot.begin(), hot.end());
  std::sort(warm.begin(), warm.end());
  const int64_t hot_median = hot[hot.size() / 2];
  const int64_t warm_median = warm[warm.size() / 2];
  CAPTURE(hot_median, warm_median, run.sampler->attrs().sample_us);
  CHECK(hot_median >= 12 - 8);
  CHECK(hot_median <= 12 + 8 + 5);  // warm memory is hot for one second in five
  CHECK(warm_median >= 25 - 8);
  CHECK(warm_median <= 25 + 8);
  // The cold part, real time.
  const int64_t cold_ms = run.statistics.memory_idle_ms_percentiles[90];
  const int64_t true_ms = (run.aggregated_ns - run.begun_ns) / kNsPerMs;
  CHECK(cold_ms > true_ms / 10 * 8);
  CHECK(cold_ms <= true_ms);
}

}  // namespace
}  // namespace damon_statfs::test
