// SPDX-License-Identifier: GPL-2.0-or-later
//
// All of the algorithm together: does what it says of memory of known hotness come near the truth?
// The guest tests ask the same on real memory.
#include <algorithm>
#include <cmath>

#include "unit/engine/regions/sampler_run.h"

namespace damon_statfs::test {
namespace {

// Percents of memory, of all aggregations of a run, against the truth of each moment.
class Deviations {
 public:
  void add(double found_percent, double true_percent) {
    sizes_.push_back(std::abs(found_percent - true_percent));
  }

  size_t count() const { return sizes_.size(); }
  // The largest but for this share of them.
  double largest_but(double share) {
    std::sort(sizes_.begin(), sizes_.end());
    return sizes_[static_cast<size_t>((1 - share) * static_cast<double>(sizes_.size() - 1))];
  }

 private:
  std::vector<double> sizes_;
};

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
  constexpr double kHotPercent = 100.0 * kHotEnd / (4.0 * kGiB);
  constexpr double kWarmPercent = 100.0 * (kWarmEnd - kHotEnd) / (4.0 * kGiB);
  Deviations below_1s, below_6s;
  run.start();
  run.run_for(60 * kNsPerSecond);
  run.on_aggregation = [&](const RegionsView& view) {
    const std::vector<IdleSize> parts = idle_sizes(view.regions, view.now_ns);
    const bool warm_is_young = view.now_ns - passes.found_ns() < kNsPerSecond;
    below_1s.add(share_below_percent(parts, 1'000),
                 kHotPercent + (warm_is_young ? kWarmPercent : 0));
    below_6s.add(share_below_percent(parts, 6'000), kHotPercent + kWarmPercent);
    // The cold part, but for a little that it has been joined with.
    const auto percentiles =
        make_statistics(view.regions, view.attrs.aggr_us, view.now_ns).memory_idle_ms_percentiles;
    const int64_t true_ms = (view.now_ns - run.begun_ns) / kNsPerMs;
    REQUIRE(std::abs(percentiles[50] - true_ms) <= 100);
    REQUIRE(std::abs(percentiles[100] - true_ms) <= 100);
  };
  run.run_for(120 * kNsPerSecond);
  REQUIRE(below_1s.count() == 1'200);
  // Regions are cut at random until their edges are where memory changes.
  CAPTURE(below_1s.largest_but(0), below_1s.largest_but(0.1), below_6s.largest_but(0),
          below_6s.largest_but(0.1));
  CHECK(below_1s.largest_but(0) < 2.5);
  CHECK(below_1s.largest_but(0.1) < 0.6);
  CHECK(below_6s.largest_but(0) < 2.5);
  CHECK(below_6s.largest_but(0.1) < 0.6);
}

// A third of 1.5 GiB is touched every 5 s, in pieces that alternate with memory that never is; an
// eighth of memory is hot. Returns: how far the share of memory idle for less than 6 s is off.
Deviations deviations_of_warm_pieces(uint64_t seed, uint64_t piece_mib, const RegionRules& rules) {
  constexpr uint64_t kPiecesEnd = 3 * kGiB / 2;
  constexpr double kYoungPercent = 25;
  SamplerRun run{MonitoringAttrs()};
  run.config.seed = seed;
  run.config.rules = rules;
  run.script.ranges = {{0, 4 * kGiB}};
  Passes passes;
  run.script.accessed = [&](uint64_t address) {
    const bool touched = passes.found(run.clock.now_ns());
    const bool hot = address >= 7 * kGiB / 2;
    return hot || (touched && address < kPiecesEnd && address / (piece_mib * kMiB) % 3 == 1);
  };
  Deviations below_6s;
  run.start();
  run.run_for(60 * kNsPerSecond);
  run.on_aggregation = [&](const RegionsView&) {
    below_6s.add(share_below_percent(run.idle, 6'000), kYoungPercent);
  };
  run.run_for(60 * kNsPerSecond);
  return below_6s;
}

TEST_CASE("warm memory in pieces among cold memory", "[sampler][accuracy]") {
  const uint64_t seed = GENERATE(uint64_t{1}, uint64_t{2}, uint64_t{3});
  const uint64_t piece_mib = GENERATE(uint64_t{4}, uint64_t{32});
  CAPTURE(seed, piece_mib);
  Deviations below_6s = deviations_of_warm_pieces(seed, piece_mib, RegionRules());
  REQUIRE(below_6s.count() == 600);
  CAPTURE(below_6s.largest_but(0), below_6s.largest_but(0.1), below_6s.largest_but(0.5));
  // The smaller pieces are as small as regions are when there are as many as there may be.
  CHECK(below_6s.largest_but(0.5) < (piece_mib == 4 ? 2 : 0.75));
  CHECK(below_6s.largest_but(0.1) < (piece_mib == 4 ? 8.5 : 1.75));
}

// DAMON's own merging averages the two into one idle time, that of neither.
TEST_CASE("by the kernel's rules all of that warm memory is lost at times",
          "[sampler][accuracy][kernel_rules]") {
  const uint64_t seed = GENERATE(uint64_t{1}, uint64_t{2}, uint64_t{3});
  const uint64_t piece_mib = GENERATE(uint64_t{4}, uint64_t{32});
  CAPTURE(seed, piece_mib);
  Deviations below_6s = deviations_of_warm_pieces(seed, piece_mib, kKernelRules);
  REQUIRE(below_6s.count() == 600);
  CAPTURE(below_6s.largest_but(0.1), below_6s.largest_but(0.5));
  CHECK(below_6s.largest_but(0.5) > 4);
  CHECK(below_6s.largest_but(0.1) > 12);  // of 12.5 that there are
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
  CHECK(long_aggregations == 54);
  CHECK(right == 54);
}

}  // namespace
}  // namespace damon_statfs::test
