// SPDX-License-Identifier: GPL-2.0-or-later
//
// Bandwidth and percentiles: the examples of spec/damon.md section 6, the exact edges, and the
// sizes at which the kernel's numbers wrap.
#include "engine/estimate/stats.h"

#include <limits>

#include "damon_statfs/clock.h"
#include "support/catch.h"
#include "unit/engine/regions/region_lists.h"

namespace damon_statfs::test {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kGiB = uint64_t{1} << 30;
constexpr uint64_t kTiB = uint64_t{1} << 40;
constexpr int64_t kNow = 1'000'000 * kNsPerSecond;

struct Part {
  uint64_t size;
  uint32_t nr;
  int64_t ms;  // since when it has been as it is
};

Regions make_parts(std::initializer_list<Part> parts) {
  Regions regions;
  uint64_t start = 0;
  for (const Part& part : parts) {
    Region region;
    region.start = start;
    region.end = start += part.size;
    region.nr_accesses = part.nr;
    region.since_ns = kNow - part.ms * kNsPerMs;
    regions.push_back(region);
  }
  return regions;
}

// The percentiles from `first` on that have the same value: [first, end).
size_t end_of_run(const Statistics& statistics, size_t first) {
  size_t end = first;
  const auto& percentiles = statistics.memory_idle_ms_percentiles;
  while (end < percentiles.size() && percentiles[end] == percentiles[first]) ++end;
  return end;
}

// Checks runs given as {last index, value}, which have to cover p0 to p100.
struct Run {
  size_t last;
  int64_t ms;
};
void check_runs(const Statistics& statistics, std::initializer_list<Run> runs) {
  size_t first = 0;
  for (const Run& run : runs) {
    CAPTURE(first, run.last);
    REQUIRE(first < statistics.memory_idle_ms_percentiles.size());
    CHECK(statistics.memory_idle_ms_percentiles[first] == run.ms);
    CHECK(end_of_run(statistics, first) == run.last + 1);
    first = run.last + 1;
  }
  CHECK(first == 101);
}

TEST_CASE("accesses of more than a second ago are over, if it is known when they were", "[stats]") {
  struct Row {
    uint32_t nr;
    int64_t accessed_ms_ago;  // -1: not known
    int64_t expected_ms;
  };
  const Row rows[] = {
      {3, -1, -60'000},  {3, 0, -60'000},   {3, 1'000, -60'000},
      {3, 1'001, 1'001}, {3, 2'300, 2'300}, {0, 2'300, 60'000},  // in an earlier aggregation
  };
  for (const Row& row : rows) {
    CAPTURE(row.nr, row.accessed_ms_ago);
    Regions regions = make_parts({{kMiB, row.nr, 60'000}});
    if (row.accessed_ms_ago >= 0) regions[0].accessed_ns = kNow - row.accessed_ms_ago * kNsPerMs;
    CHECK(idle_sizes(regions, kNow)[0].idle_ms == row.expected_ms);
  }
}

TEST_CASE("the example of section 6", "[stats]") {
  const Regions regions = make_parts({{100 * kMiB, 20, 500},
                                      {50 * kMiB, 1, 100},
                                      {150 * kMiB, 0, 100},
                                      {300 * kMiB, 0, 1000},
                                      {424 * kMiB, 0, 6000}});
  const Statistics statistics = make_statistics(regions, 100'000, kNow);
  CHECK(statistics.aggr_interval_us == 100'000);
  CHECK(statistics.estimated_memory_bandwidth_bytes_per_s == 21'495'808'000);
  check_runs(statistics, {{9, -500}, {14, -100}, {29, 100}, {58, 1000}, {100, 6000}});
}

TEST_CASE("the order of regions does not matter", "[stats]") {
  const Regions regions = make_parts({{424 * kMiB, 0, 6000},
                                      {50 * kMiB, 1, 100},
                                      {300 * kMiB, 0, 1000},
                                      {100 * kMiB, 20, 500},
                                      {150 * kMiB, 0, 100}});
  check_runs(make_statistics(regions, 100'000, kNow),
             {{9, -500}, {14, -100}, {29, 100}, {58, 1000}, {100, 6000}});
}

TEST_CASE("percentile edges", "[stats]") {
  SECTION("three equal regions") {
    check_runs(make_statistics(make_parts({{7, 0, 1}, {7, 0, 2}, {7, 0, 3}}), 1000, kNow),
               {{33, 1}, {66, 2}, {100, 3}});
  }
  SECTION("an edge exactly on a percent belongs to the lower region") {
    check_runs(make_statistics(make_parts({{1, 0, 1}, {1, 0, 2}, {2, 0, 3}}), 1000, kNow),
               {{25, 1}, {50, 2}, {100, 3}});
  }
  SECTION("0.1 % young") {
    check_runs(make_statistics(make_parts({{1, 0, 1}, {999, 0, 10}}), 1000, kNow),
               {{0, 1}, {100, 10}});
  }
  SECTION("0.1 % old") {
    check_runs(make_statistics(make_parts({{999, 0, 1}, {1, 0, 10}}), 1000, kNow),
               {{99, 1}, {100, 10}});
  }
  SECTION("ties") {
    check_runs(make_statistics(make_parts({{10, 0, 5}, {10, 0, 5}, {10, 0, 5}}), 1000, kNow),
               {{100, 5}});
  }
  SECTION("one region") {
    check_runs(make_statistics(make_parts({{4096, 0, 77}}), 1000, kNow), {{100, 77}});
    check_runs(make_statistics(make_parts({{4096, 1, 77}}), 1000, kNow), {{100, -77}});
  }
  SECTION("the hottest for longest is percentile 0") {
    check_runs(make_statistics(make_parts({{50, 3, 100}, {50, 1, 9000}}), 100'000, kNow),
               {{50, -9000}, {100, -100}});
  }
}

TEST_CASE("1001 equal regions", "[stats]") {
  Regions regions = make_row(1001, 4096);
  for (size_t i = 0; i < regions.size(); ++i) {
    regions[i].since_ns = kNow - static_cast<int64_t>(i + 1) * kNsPerMs;
  }
  const Statistics statistics = make_statistics(regions, 1000, kNow);
  for (size_t p = 0; p <= 100; ++p) {
    CAPTURE(p);
    // The first region n (from 1) with floor(n * 100 / 1001) >= p.
    const size_t n = p == 0 ? 1 : (p * 1001 + 99) / 100;
    CHECK(statistics.memory_idle_ms_percentiles[p] == static_cast<int64_t>(n));
  }
}

TEST_CASE("milliseconds are cut towards zero", "[stats]") {
  Regions regions = make_row(1, 4096);
  regions[0].since_ns = kNow - 1'999'999;
  CHECK(make_statistics(regions, 1, kNow).memory_idle_ms_percentiles[50] == 1);
  regions[0].nr_accesses = 1;
  CHECK(make_statistics(regions, 1, kNow).memory_idle_ms_percentiles[50] == -1);
}

TEST_CASE("no regions, no numbers", "[stats]") {
  const Statistics statistics = make_statistics({}, 100'000, kNow);
  CHECK(statistics.estimated_memory_bandwidth_bytes_per_s == 0);
  check_runs(statistics, {{100, 0}});
}

TEST_CASE("bandwidth of large memory does not wrap", "[stats]") {
  struct Row {
    uint64_t size;
    uint32_t nr;
    uint64_t aggr_us, bytes_per_s;
  };
  const Row rows[] = {
      {kGiB, 20, 100'000, 204'800 * kMiB},
      {858 * kGiB, 20, 100'000, 858 * 204'800 * kMiB},
      {860 * kGiB, 20, 100'000, 860 * 204'800 * kMiB},
      {kTiB, 20, 100'000, 219'902'325'555'200},
      {64 * kTiB, 20, 100'000, 64 * uint64_t{219'902'325'555'200}},
      {kTiB, 20, 200'000'000, 109'951'162'777},
      {3, 1, 1'000'000, 3},
      {3, 1, 2'000'000, 1},
      {4096, 0, 100'000, 0},
  };
  for (const Row& row : rows) {
    CAPTURE(row.size, row.nr, row.aggr_us);
    const Regions regions = make_parts({{row.size, row.nr, 100}});
    CHECK(make_statistics(regions, row.aggr_us, kNow).estimated_memory_bandwidth_bytes_per_s ==
          row.bytes_per_s);
  }
}

TEST_CASE("percentiles of 64 TiB, and beyond 164 PiB", "[stats]") {
  for (const uint64_t size : {64 * kTiB, 1024 * 1024 * kTiB}) {
    const Regions regions = make_parts({{size / 4, 1, 100}, {size / 4 * 3, 0, 30LL * 86'400'000}});
    check_runs(make_statistics(regions, 100'000, kNow), {{25, -100}, {100, 2'592'000'000}});
  }
}

// The statistics with the kernel's idle times.
Statistics nominal_statistics(const Regions& regions, uint64_t aggr_us) {
  std::vector<IdleSize> parts = nominal_idle_sizes(regions, aggr_us);
  return make_statistics(regions, aggr_us, parts);
}

TEST_CASE("nominal idle times: the example of section 6", "[stats][kernel_rules]") {
  const Regions regions = make_regions({{0, 100 * kMiB, 20, 4},
                                        {100 * kMiB, 150 * kMiB, 1, 0},
                                        {150 * kMiB, 300 * kMiB, 0, 0},
                                        {300 * kMiB, 600 * kMiB, 0, 9},
                                        {600 * kMiB, 1024 * kMiB, 0, 59}});
  const Statistics statistics = nominal_statistics(regions, 100'000);
  CHECK(statistics.aggr_interval_us == 100'000);
  CHECK(statistics.estimated_memory_bandwidth_bytes_per_s == 21'495'808'000);
  check_runs(statistics, {{9, -500}, {14, -100}, {29, 100}, {58, 1000}, {100, 6000}});
}

TEST_CASE("nominal idle times: an aggregation is the least, and its end the grain",
          "[stats][kernel_rules]") {
  check_runs(nominal_statistics(make_regions({{0, 7, 0, 0}, {7, 14, 0, 1}, {14, 21, 0, 2}}), 1000),
             {{33, 1}, {66, 2}, {100, 3}});
  check_runs(nominal_statistics(make_regions({{0, 1, 0, 0}, {1, 1000, 0, 9}}), 1000),
             {{0, 1}, {100, 10}});
  struct Row {
    uint32_t nr, age;
    uint64_t aggr_us;
    int64_t ms;
  };
  constexpr uint32_t kMaxAge = ~uint32_t{0};
  const Row rows[] = {
      {0, 0, 100'000, 100},
      {1, 0, 100'000, -100},
      {0, 2, 1'999, 5},  // cut towards zero,
      {3, 2, 1'999, -5},
      {0, 0, 999, 0},
      {0, kMaxAge, 1'000, int64_t{1} << 32},  // where the kernel's int wraps
      {1, kMaxAge, kMaxIntervalUs, -std::numeric_limits<int64_t>::max()},
  };
  for (const Row& row : rows) {
    CAPTURE(row.nr, row.age, row.aggr_us);
    const Regions regions = make_regions({{0, 4096, row.nr, row.age}});
    CHECK(nominal_idle_sizes(regions, row.aggr_us)[0].idle_ms == row.ms);
  }
}

}  // namespace
}  // namespace damon_statfs::test
