// SPDX-License-Identifier: GPL-2.0-or-later
//
// Setting regions up, cutting them to min_nr_regions, ageing them: spec/damon.md section 3 and its
// vectors in section 9.
#include "engine/regions/regions.h"

#include <cerrno>
#include <limits>

#include "support/catch.h"
#include "unit/engine/regions/region_lists.h"

namespace damon_statfs::test {
namespace {

constexpr int64_t kNow = 7'000;

//  before:  |4        16|   |24    32|
//  {8-28}:      |8                 28|  ->  |8 16|16 24|24 28|
TEST_CASE("set_regions fits what is there to the new ranges", "[regions]") {
  struct Row {
    Regions before;
    Ranges ranges, after;
  };
  const Row rows[] = {
      {{}, {{5, 15}, {15, 25}}, {{5, 15}, {15, 25}}},
      {make_regions({{4, 16}, {24, 32}}), {{18, 23}}, {{18, 23}}},
      {make_regions({{4, 16}, {24, 32}}), {{8, 28}}, {{8, 16}, {16, 24}, {24, 28}}},
      {make_regions({{0, 4}, {4, 17}}), {{0, 15}, {25, 40}}, {{0, 4}, {4, 15}, {25, 40}}},
      {make_regions({{0, 4}, {42, 52}}),
       {{0, 15}, {25, 40}, {44, 50}},
       {{0, 15}, {25, 40}, {44, 50}}},
      {make_regions({{10, 20}}), {{0, 100}}, {{0, 100}}},
      {make_regions({{10, 20}, {20, 30}}), {{0, 100}}, {{0, 20}, {20, 100}}},
  };
  for (Row row : rows) {
    REQUIRE(set_regions(row.before, row.ranges, 1, kNow));
    CHECK(ranges_of(row.before) == row.after);
  }
}

TEST_CASE("set_regions keeps the history of what stays", "[regions]") {
  Regions regions = make_regions({{4, 16, 9, 90}, {24, 32, 5, 50}});
  REQUIRE(set_regions(regions, Ranges{{8, 28}, {100, 200}}, 1, kNow));
  REQUIRE(ranges_of(regions) == Ranges{{8, 16}, {16, 24}, {24, 28}, {100, 200}});
  CHECK(counts_of(regions) == std::vector<uint32_t>{9, 0, 5, 0});
  CHECK(regions[0].age == 90);
  CHECK(regions[0].last_nr_accesses == 9);
  CHECK(regions[0].since_ns == 0);
  CHECK(regions[1].age == 0);
  CHECK(regions[1].since_ns == kNow);
  CHECK(regions[2].age == 50);
  CHECK(regions[3].since_ns == kNow);
}

TEST_CASE("set_regions aligns outwards and refuses bad ranges", "[regions]") {
  Regions regions;
  REQUIRE(set_regions(regions, Ranges{{5000, 9000}, {12288, 12289}}, 4096, kNow));
  CHECK(ranges_of(regions) == Ranges{{4096, 12288}, {12288, 16384}});
  const Ranges refused[] = {
      {{200, 300}, {100, 150}},     // not ascending
      {{100, 200}, {150, 300}},     // overlapping
      {{4096, 5000}, {6000, 9000}}  // overlapping once aligned
  };
  for (const Ranges& ranges : refused) {
    const Result<void> set = set_regions(regions, ranges, 4096, kNow);
    REQUIRE_FALSE(set);
    CHECK(set.error().code.value() == EINVAL);
    CHECK(regions.size() == 2);
  }
  for (const Ranges& empty : {Ranges{{4096, 4096}}, Ranges{{8192, 4096}}}) {
    CHECK_FALSE(set_regions(regions, empty, 4096, kNow));
  }
}

TEST_CASE("min_nr_regions: size limit and cuts", "[regions]") {
  struct Row {
    uint64_t total, min_bytes, min_nr, limit;
    size_t regions;
  };
  const Row rows[] = {
      {10, 1, 10, 1, 10},
      {10, 1, 15, 1, 10},
      {10, 2, 2, 6, 2},
      {10, 2, 10, 2, 5},
      {uint64_t{16} << 30, 4096, 10, 1717989376, 10},
      {uint64_t{64} << 40, 4096, 10, 7036874420224, 10},
  };
  for (const Row& row : rows) {
    CAPTURE(row.total, row.min_bytes, row.min_nr);
    Regions regions = make_regions({{0, row.total, 3, 8}});
    CHECK(apply_min_nr_regions(regions, row.min_nr, row.min_bytes) == row.limit);
    CHECK(regions.size() == row.regions);
    CHECK(is_ascending(regions));
    CHECK(total_bytes(regions) == row.total);
    for (const Region& region : regions) {
      CHECK(region.size_bytes() <= row.limit);
      CHECK(region.nr_accesses == 3);
      CHECK(region.age == 8);
    }
  }
}

// |0          10| |20 23|  L = 13/3 -> 4:  |0 4|4 8|8 10| |20 23|
TEST_CASE("cuts are of exactly the limit, from the left, and leave gaps alone", "[regions]") {
  Regions regions = make_regions({{0, 10}, {20, 23}});
  CHECK(apply_min_nr_regions(regions, 3, 1) == 4);
  CHECK(ranges_of(regions) == Ranges{{0, 4}, {4, 8}, {8, 10}, {20, 23}});
}

TEST_CASE("ageing", "[regions]") {
  struct Row {
    uint32_t nr, last, threshold, age, expected;
  };
  constexpr uint32_t kMax = std::numeric_limits<uint32_t>::max();
  const Row rows[] = {
      {10, 10, 0, 5, 6},      // no change
      {12, 10, 2, 5, 6},      // exactly the threshold
      {13, 10, 2, 5, 0},      // above it
      {10, 13, 2, 5, 0},      // in the other direction
      {0, 0, 0, 5, 6},        // idle stays idle
      {0, 0, 2, 0, 1},        //
      {0, 1, 2, 5, 0},        // accessed -> idle, below the threshold
      {1, 0, 2, 5, 0},        // idle -> accessed
      {0, 5, 100, 5, 0},      //
      {1, 2, 2, kMax, kMax},  // no wrap
  };
  for (const Row& row : rows) {
    CAPTURE(row.nr, row.last, row.threshold, row.age);
    Regions regions = make_regions({{0, 100, row.nr, row.age}});
    regions[0].last_nr_accesses = row.last;
    regions[0].since_ns = 11;
    age_regions(regions, row.threshold, kNow);
    CHECK(regions[0].age == row.expected);
    CHECK(regions[0].since_ns == (row.expected == 0 ? kNow : 11));
  }
}

TEST_CASE("what is not accessed any more is idle since the last access", "[regions]") {
  Regions regions = make_regions({{0, 100, 0}, {100, 200, 3}});
  regions[0].last_nr_accesses = 3;
  regions[0].accessed_ns = kNow - 7;
  regions[1].last_nr_accesses = 0;
  regions[1].accessed_ns = kNow + 7;
  age_regions(regions, 0, kNow);
  CHECK(regions[0].since_ns == kNow - 7);
  CHECK(regions[1].since_ns == kNow);  // began to be accessed
}

TEST_CASE("reset moves counts and leaves ages", "[regions]") {
  Regions regions = make_regions({{0, 1, 42, 1}, {1, 2, 95, 2}, {2, 3, 84, 3}, {3, 4, 0, 4}});
  reset_aggregated(regions);
  REQUIRE(regions.size() == 4);
  const uint32_t last[] = {42, 95, 84, 0};
  for (size_t i = 0; i < regions.size(); ++i) {
    CHECK(regions[i].nr_accesses == 0);
    CHECK(regions[i].last_nr_accesses == last[i]);
    CHECK(regions[i].age == i + 1);
  }
}

}  // namespace
}  // namespace damon_statfs::test
