// SPDX-License-Identifier: GPL-2.0-or-later
//
// Merging, once and progressively, and the rescaling of counts and ages: spec/damon.md sections 3
// and 4. The kernel's products wrap after some weeks on large memory; ours must not.
#include "damon_statfs/clock.h"
#include "engine/regions/regions.h"
#include "support/catch.h"
#include "unit/engine/regions/region_lists.h"

namespace damon_statfs::test {
namespace {

constexpr uint64_t kNoLimit = ~uint64_t{0};

TEST_CASE("two regions merge into averages weighted by size", "[regions]") {
  Regions regions = make_regions({{0, 100, 10, 9}, {100, 300, 20, 21}});
  regions[0].last_nr_accesses = 77;
  regions[0].since_ns = 1'000;
  regions[1].since_ns = 4'000;
  regions[0].accessed_ns = 6'000;
  regions[1].accessed_ns = 5'000;
  merge_regions(regions, 10, kNoLimit);
  REQUIRE(ranges_of(regions) == Ranges{{0, 300}});
  CHECK(regions[0].nr_accesses == 16);
  CHECK(regions[0].age == 17);
  CHECK(regions[0].last_nr_accesses == 77);  // the left one's own
  CHECK(regions[0].since_ns == 3'000);
  CHECK(regions[0].accessed_ns == 6'000);  // the later one
}

//  0 100 112 | 114 122 130 | 130 156 | 156 170 | 170 184 230 | 230                10170
//   0   0       10  10         20        30       1   2          5 (too large with its left)
TEST_CASE("one pass: neighbours, threshold, size limit, gap", "[regions]") {
  Regions regions = make_regions({{0, 100, 0},
                                  {100, 112, 0},
                                  {114, 122, 10},
                                  {122, 130, 10},
                                  {130, 156, 20},
                                  {156, 170, 30},
                                  {170, 184, 1},
                                  {184, 230, 2},
                                  {230, 10170, 5}});
  merge_regions(regions, 9, 9999);
  CHECK(ranges_of(regions) ==
        Ranges{{0, 112}, {114, 130}, {130, 156}, {156, 170}, {170, 230}, {230, 10170}});
}

TEST_CASE("the pass compares with the average made so far", "[regions]") {
  // 0+2 of equal size: 1. 1 and 4 are 3 apart, where 2 and 4 would be 2 apart.
  Regions regions = make_regions({{0, 10, 0}, {10, 20, 2}, {20, 30, 4}});
  merge_regions(regions, 2, kNoLimit);
  CHECK(counts_of(regions) == std::vector<uint32_t>{1, 4});
}

TEST_CASE("the size limit is inclusive", "[regions]") {
  Regions regions = make_regions({{0, 10}, {10, 20}, {20, 31}});
  merge_regions(regions, 0, 20);
  CHECK(ranges_of(regions) == Ranges{{0, 20}, {20, 31}});
  Regions none;
  merge_regions(none, 5, 100);
  CHECK(none.empty());
}

TEST_CASE("ages of large regions after weeks do not wrap", "[regions]") {
  constexpr uint64_t kTiB = uint64_t{1} << 40;
  const uint32_t windows = 20'000'000;  // of 100 ms: 23 days
  const int64_t days = int64_t{86'400} * kNsPerSecond;
  Regions regions = make_regions({{0, kTiB, 1, windows}, {kTiB, 2 * kTiB, 1, windows + 2}});
  regions[1].since_ns = 400 * days;
  merge_regions(regions, 0, kNoLimit);
  REQUIRE(regions.size() == 1);
  CHECK(regions[0].age == windows + 1);
  CHECK(regions[0].since_ns == 200 * days);

  Regions newer_first = make_regions({{0, 3 * kTiB}, {3 * kTiB, 4 * kTiB}});
  newer_first[0].since_ns = 400 * days;
  merge_regions(newer_first, 0, kNoLimit);
  CHECK(newer_first[0].since_ns == 300 * days);
}

TEST_CASE("memory idle for long and memory idle for short stay apart", "[regions]") {
  struct Row {
    uint32_t nr_l, nr_r;
    int64_t idle_l_s, idle_r_s;
    bool joins;
  };
  const Row rows[] = {
      {0, 0, 60, 60, true},   {0, 0, 60, 30, true}, {0, 0, 30, 60, true}, {0, 0, 60, 29, false},
      {0, 0, 29, 60, false},  {0, 0, 60, 0, false}, {0, 0, 0, 0, true},   {1, 0, 1, 60, false},
      {0, 1, 60, 1, false},                         // one pass over it: not what its neighbour is
      {1, 0, 1, 1, true},     {2, 1, 1, 60, true},  // in use, however long
      {10, 0, 60, 60, false},                       // further apart than the threshold
  };
  for (const Row& row : rows) {
    CAPTURE(row.nr_l, row.nr_r, row.idle_l_s, row.idle_r_s);
    constexpr int64_t kNowNs = 1'000 * kNsPerSecond;
    Regions regions = make_regions({{0, 10, row.nr_l}, {10, 20, row.nr_r}});
    regions[0].since_ns = kNowNs - row.idle_l_s * kNsPerSecond;
    regions[1].since_ns = kNowNs - row.idle_r_s * kNsPerSecond;
    merge_alike(regions, 2, kNoLimit, kNowNs);
    CHECK(regions.size() == (row.joins ? 1 : 2));
  }
}

TEST_CASE("regions of one idle time join as far as gaps and sizes allow", "[regions]") {
  Regions regions = make_regions({{0, 10}, {10, 20}, {20, 31}, {40, 45}});
  merge_alike(regions, 0, 20, 5);
  CHECK(ranges_of(regions) == Ranges{{0, 20}, {20, 31}, {40, 45}});
}

TEST_CASE("progressive merge doubles the threshold from 0, and stops as soon as it fits",
          "[regions]") {
  // Neighbours are 1 apart (merge at T=1) or 5 and more (would merge at T=8).
  Regions regions = make_regions({{0, 10, 0}, {10, 20, 1}, {20, 30, 6}, {30, 40, 6}});
  merge_to_fit(regions, 0, kNoLimit, 2, 20);
  CHECK(ranges_of(regions) == Ranges{{0, 20}, {20, 40}});
}

TEST_CASE("progressive merge: steps of the threshold", "[regions]") {
  struct Row {
    uint32_t threshold, max_threshold, apart;
    bool merges;
  };
  const Row rows[] = {
      {0, 20, 1, true},     // 0 -> 1
      {1, 20, 8, true},     // 1 2 4 8
      {3, 20, 12, true},    // 3 6 12
      {10, 20, 20, true},   // from the half on: to the maximum
      {10, 20, 21, false},  // never above it
      {20, 20, 21, false},  // starts at it
      {0, 1, 1, true},      // maximum 1, half of it 0
      {0, 0, 1, false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.threshold, row.max_threshold, row.apart);
    Regions regions = make_regions({{0, 10, 0, 4}, {10, 20, row.apart, 4}});
    merge_to_fit(regions, row.threshold, kNoLimit, 1, row.max_threshold);
    CHECK(regions.size() == (row.merges ? 1 : 2));
    CHECK(regions[0].age == 4);  // no ageing in the repeats
  }
}

TEST_CASE("progressive merge ends where gaps or sizes forbid to fit", "[regions]") {
  Regions apart = make_regions({{0, 10}, {11, 20}, {21, 30}});
  merge_to_fit(apart, 0, kNoLimit, 1, 20);
  CHECK(apart.size() == 3);
  Regions large = make_regions({{0, 10}, {10, 20}});
  merge_to_fit(large, 0, 19, 1, 20);
  CHECK(large.size() == 2);
}

TEST_CASE("rescaling counts and ages", "[regions]") {
  struct Row {
    uint32_t nr, age;
    uint64_t sample, aggr, new_sample, new_aggr;
    uint32_t expected_nr, expected_age;
  };
  const Row rows[] = {
      {15, 20, 10, 1000, 100, 10000, 15, 2},
      {15, 2, 10, 1000, 1, 1000, 150, 2},
      {150, 2, 10, 1000, 1, 100, 150, 20},
      {7, 5, 5000, 100000, 10000, 200000, 7, 2},
      {7, 1, 5000, 100000, 10000, 200000, 7, 0},
      {7, 5, 10000, 200000, 5000, 100000, 7, 10},
      {20, 3, 5000, 100000, 7500, 150000, 20, 2},
      {1, 9, 1, 3, 1, 3, 1, 9},  // as many samples as before: nothing is lost
      {7, 9, 1, 30, 1, 30, 7, 9},
      {1, 9, 1, 14, 2, 28, 1, 4},
      {1, 9, 1, 14, 1, 13, 0, 9},  // rounded down
      {20, 9, 1, 20, 1, 20, 20, 9},
      {7, 5, 0, 100, 5, 100, 7, 5},  // any zero: nothing happens
      {7, 5, 5, 100, 5, 0, 7, 5},
  };
  for (const Row& row : rows) {
    CAPTURE(row.nr, row.age, row.sample, row.aggr, row.new_sample, row.new_aggr);
    MonitoringAttrs from;
    from.sample_us = row.sample;
    from.aggr_us = row.aggr;
    MonitoringAttrs to;
    to.sample_us = row.new_sample;
    to.aggr_us = row.new_aggr;
    Region region = make_regions({{0, 100, row.nr, row.age}})[0];
    region.since_ns = 5;
    rescale(region, from, to);
    CHECK(region.nr_accesses == row.expected_nr);
    CHECK(region.last_nr_accesses == row.expected_nr);
    CHECK(region.age == row.expected_age);
    CHECK(region.since_ns == 5);  // a point in time is not rescaled
  }
}

// The first three are upstream's; the rest is what the way through basis points loses.
TEST_CASE("rescaling as the kernel rounds", "[regions][kernel_rules]") {
  struct Row {
    uint32_t nr, age;
    uint64_t sample, aggr, new_sample, new_aggr;
    uint32_t expected_nr, expected_age;
  };
  const Row rows[] = {
      {15, 20, 10, 1000, 100, 10000, 15, 2},
      {15, 2, 10, 1000, 1, 1000, 150, 2},
      {150, 2, 10, 1000, 1, 100, 150, 20},
      {150, 2, 1, 1000, 1, 100, 15, 20},
      {7, 5, 5000, 100000, 10000, 200000, 7, 2},
      {7, 1, 5000, 100000, 10000, 200000, 7, 0},
      {7, 5, 10000, 200000, 5000, 100000, 7, 10},
      {20, 3, 5000, 100000, 7500, 150000, 20, 2},
      {1, 9, 1, 3, 1, 3, 0, 9},
      {7, 9, 1, 30, 1, 30, 6, 9},
      {1, 9, 1, 14, 2, 28, 0, 4},
      {20, 9, 1, 20, 1, 20, 20, 9},
      {19, 9, 1, 20, 1, 20, 19, 9},
      {7, 5, 0, 100, 5, 100, 7, 5},  // any zero: nothing happens
      {7, 5, 5, 100, 5, 0, 7, 5},
  };
  for (const Row& row : rows) {
    CAPTURE(row.nr, row.age, row.sample, row.aggr, row.new_sample, row.new_aggr);
    MonitoringAttrs from, to;
    from.sample_us = row.sample;
    from.aggr_us = row.aggr;
    to.sample_us = row.new_sample;
    to.aggr_us = row.new_aggr;
    Region region = make_regions({{0, 100, row.nr, row.age}})[0];
    rescale_in_bp(region, from, to);
    CHECK(region.nr_accesses == row.expected_nr);
    CHECK(region.last_nr_accesses == row.expected_nr);
    CHECK(region.age == row.expected_age);
  }
}

TEST_CASE("rescaling a huge age saturates", "[regions]") {
  const auto function = GENERATE(rescale, rescale_in_bp);
  MonitoringAttrs from, to;
  from.aggr_us = 200'000'000;
  from.sample_us = 10'000'000;
  Region region = make_regions({{0, 100, 0, 4'000'000'000}})[0];
  function(region, from, to);
  CHECK(region.age == ~uint32_t{0});
}

}  // namespace
}  // namespace damon_statfs::test
