// SPDX-License-Identifier: GPL-2.0-or-later
//
// All of the algorithm together: does what it says of memory of known hotness come near the truth?
// The guest tests ask the same on real memory.
#include <algorithm>
#include <cmath>

#include "unit/sampler_run.h"

namespace damon_statfs::test {
namespace {

// The percent of memory that was idle for less than so long.
int64_t share_below(const Statistics& statistics, int64_t idle_ms) {
  const auto& percentiles = statistics.memory_idle_ms_percentiles;
  return std::count_if(percentiles.begin() + 1, percentiles.end(),
                       [&](int64_t ms) { return ms < idle_ms; });
}

// Memory that is passed over at every multiple of 5 s. All checks of one tick find the same.
class Passes {
 public:
  // Whether one was since the tick before this one.
  bool found(int64_t now_ns) {
    if (now_ns / kPeriodNs != checked_ns_ / kPeriodNs) found_ns_ = now_ns;
    checked_ns_ = now_ns;
    return found_ns_ == now_ns;
  }
  int64_t found_ns() const { return found_ns_; }  // the last tick that found one

  static constexpr int64_t kPeriodNs = 5 * kNsPerSecond;

 private:
  int64_t checked_ns_ = 0;
  int64_t found_ns_ = 0;
};

// Hot up to hot_end; touched every 5 s up to warm_end; the rest never. Sizes of the guest test.
TEST_CASE("hot, warm and cold memory", "[sampler][accuracy]") {
  const uint64_t seed = GENERATE(uint64_t{1}, uint64_t{2}, uint64_t{3});
  CAPTURE(seed);
  constexpr uint64_t kHotEnd = kGiB / 2 + 123 * 4096;
  constexpr uint64_t kWarmEnd = kGiB + 77 * 4096;
  SamplerRun run{MonitoringAttrs()};
  run.config.seed = seed;
  run.script.ranges = {{0, 2 * kGiB}, {3 * kGiB, 5 * kGiB}};
  Passes passes;
  run.script.accessed = [&](uint64_t address) {
    const bool warm_touched = passes.found(run.clock.now_ns());
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

// A third of 1.5 GiB is touched every 5 s, in pieces that alternate with memory that never is.
// DAMON's own merging averages the two into one idle time, that of neither.
TEST_CASE("warm memory in pieces among cold memory", "[sampler][accuracy]") {
  const uint64_t seed = GENERATE(uint64_t{1}, uint64_t{2}, uint64_t{3});
  const uint64_t piece_mib = GENERATE(uint64_t{4}, uint64_t{32});
  CAPTURE(seed, piece_mib);
  constexpr uint64_t kPiecesEnd = 3 * kGiB / 2;
  constexpr double kWarmPercent = 100.0 / 8;
  SamplerRun run{MonitoringAttrs()};
  run.config.seed = seed;
  run.script.ranges = {{0, 4 * kGiB}};
  Passes passes;
  run.script.accessed = [&](uint64_t address) {
    const bool touched = passes.found(run.clock.now_ns());
    const bool hot = address >= 7 * kGiB / 2;
    return hot || (touched && address < kPiecesEnd && address / (piece_mib * kMiB) % 3 == 1);
  };
  std::vector<double> off;
  run.start();
  run.run_for(60 * kNsPerSecond);
  run.on_aggregation = [&](const RegionsView& view) {
    const std::vector<IdleSize> parts = idle_sizes(view.regions, view.now_ns);
    const double warm = share_below_percent(parts, 6'000) - share_below_percent(parts, 0);
    off.push_back(std::abs(warm - kWarmPercent));
  };
  run.run_for(120 * kNsPerSecond);
  REQUIRE(off.size() > 20);
  std::sort(off.begin(), off.end());
  CAPTURE(run.sampler->attrs().sample_us, run.aggregated.size());
  CHECK(off[off.size() / 2] <= kWarmPercent / 2);
}

// Half of memory is touched every 5 s, and nothing else: the intervals grow, until an aggregation
// is longer than that and finds it accessed every time. It is not in use all the time, though.
TEST_CASE("memory touched in passes is idle since the last one, however long an aggregation is",
          "[sampler][accuracy]") {
  const uint64_t seed = GENERATE(uint64_t{1}, uint64_t{2}, uint64_t{3});
  CAPTURE(seed);
  SamplerRun run{MonitoringAttrs()};
  run.config.seed = seed;
  run.script.ranges = {{0, 4 * kGiB}};
  Passes passes;
  run.script.accessed = [&](uint64_t address) {
    const bool touched = passes.found(run.clock.now_ns());
    return touched && address < 2 * kGiB;
  };
  size_t long_aggregations = 0, right = 0;
  run.start();
  run.run_for(120 * kNsPerSecond);
  run.on_aggregation = [&](const RegionsView& view) {
    const int64_t idle_ms = (view.now_ns - passes.found_ns()) / kNsPerMs;
    if (run.aggr_ns < Passes::kPeriodNs || idle_ms <= 1'000) return;
    ++long_aggregations;
    const auto percentiles =
        make_statistics(view.regions, view.attrs.aggr_us, view.now_ns).memory_idle_ms_percentiles;
    if (percentiles[25] == idle_ms) ++right;
  };
  run.run_for(600 * kNsPerSecond);
  CHECK(long_aggregations > 20);
  CHECK(right > long_aggregations * 9 / 10);
}

}  // namespace
}  // namespace damon_statfs::test
