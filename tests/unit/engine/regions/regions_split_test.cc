// SPDX-License-Identifier: GPL-2.0-or-later
//
// Splitting: how many pieces, where the cuts may be, what the children inherit: spec/damon.md
// section 3, "Split".
#include <array>

#include "engine/regions/regions.h"
#include "support/catch.h"
#include "unit/engine/regions/region_lists.h"

namespace damon_statfs::test {
namespace {

// The number of regions after splitting `before` regions of 1,000 bytes once.
size_t split_once(Splitter& splitter, Random& random, size_t before, uint64_t max) {
  Regions regions = make_row(before, 1000);
  splitter.split(regions, max, 1, random);
  CHECK(is_ascending(regions));
  CHECK(total_bytes(regions) == before * 1000);
  return regions.size();
}

TEST_CASE("how many regions a split makes", "[regions][split]") {
  struct Row {
    size_t previous, before, max, after;
  };
  const Row rows[] = {
      {1, 10, 1000, 20},      // two pieces each
      {10, 10, 1000, 30},     // unchanged since the last split: three
      {332, 332, 1000, 996},  // below a third
      {333, 333, 1000, 666},  // not below a third: two
      {1, 500, 1000, 1000},   // exactly the half
      {1, 1000, 1000, 1000},  // reached: nothing
      {1, 1200, 1000, 1200},  // above (max was lowered): nothing
      {1, 760, 1000, 950},    // above the half: every 4th
      {1, 501, 1000, 752},    // every 2nd
      {1, 999, 1000, 1000},   // every 1000th; the first is one
      {1, 990, 1000, 1000},   // every 100th
      {1, 760, 1500, 1140},   // upstream's kunit: 750 is the half
  };
  for (const Row& row : rows) {
    CAPTURE(row.previous, row.before, row.max);
    Splitter splitter;
    Random random(3);
    split_once(splitter, random, row.previous, 3);  // max 3: remembered, and little split
    CHECK(split_once(splitter, random, row.before, row.max) == row.after);
  }
}

TEST_CASE("the number is remembered in every case", "[regions][split]") {
  Splitter splitter;
  Random random(3);
  CHECK(split_once(splitter, random, 10, 10) == 10);    // full: nothing
  CHECK(split_once(splitter, random, 10, 1000) == 30);  // but remembered
  CHECK(split_once(splitter, random, 10, 12) == 12);    // partial, every 6th
  CHECK(split_once(splitter, random, 10, 1000) == 30);
  CHECK(split_once(splitter, random, 11, 1000) == 22);
}

TEST_CASE("a partial split goes round", "[regions][split]") {
  Splitter splitter;
  Random random(5);
  std::vector<int> cuts(8, 0);
  for (int round = 0; round < 4; ++round) {  // step = 10/2 = 5: three rounds of 2, 1, ... cuts
    Regions regions = make_row(8, 1000);
    splitter.split(regions, 10, 1, random);
    for (size_t i = 0; i < 8; ++i) {
      for (const Region& region : regions) cuts[i] += region.start / 1000 == i ? 1 : 0;
      cuts[i] -= 1;
    }
  }
  // Rotations 0 to 3 of 5: indices 0 5, 1 6, 2 7, 3.
  CHECK(cuts == std::vector<int>{1, 1, 1, 1, 0, 1, 1, 1});
}

TEST_CASE("a partial split cuts regions of twice the minimum, too", "[regions][split]") {
  // The kernel skips those below 2 * min_sz only. At k < 5 of 10 there is no place to cut, so a
  // few rounds are needed.
  Splitter splitter;
  Random random(5);
  bool cut = false;
  for (int round = 0; round < 64 && !cut; ++round) {
    Regions regions = make_row(8, 8192);
    splitter.split(regions, 10, 4096, random);
    cut = regions.size() > 8;
  }
  CHECK(cut);
}

TEST_CASE("cuts are multiples of a tenth, and of the minimum", "[regions][split]") {
  Random random(17);
  std::array<int, 10> tenths{};
  for (int i = 0; i < 9000; ++i) {
    Splitter splitter;
    Regions regions = make_row(1, 1000);
    splitter.split(regions, 1000, 1, random);
    REQUIRE(regions.size() == 2);
    REQUIRE(regions[0].end % 100 == 0);
    ++tenths[regions[0].end / 100];
  }
  for (size_t tenth = 1; tenth < 10; ++tenth) {
    CAPTURE(tenth);
    CHECK(tenths[tenth] > 800);
    CHECK(tenths[tenth] < 1200);
  }
}

//  |0                1000|  ->  |0      700|700 1000|  ->  |0 140|140 700|700 1000|
TEST_CASE("of three pieces, the left part is cut again", "[regions][split]") {
  Random random(23);
  for (int i = 0; i < 200; ++i) {
    Splitter splitter;
    Regions one = make_row(1, 1000);
    splitter.split(one, 1, 1, random);
    splitter.split(one, 1000, 1, random);
    REQUIRE(one.size() == 3);
    CHECK(one[2].size_bytes() % 100 == 0);
    CHECK(one[0].size_bytes() * 10 % one[1].end == 0);
  }
}

// Upstream uses a minimum of 5, which its own later rule, a power of two, excludes.
TEST_CASE("upstream's sizes", "[regions][split]") {
  Random random(29);
  for (int i = 0; i < 100; ++i) {
    Splitter splitter;
    Regions small = make_regions({{0, 22}});
    splitter.split(small, 1000, 1, random);
    CHECK(small.size() <= 2);
    Regions regions = make_regions({{0, 220}, {300, 400}, {500, 700}});
    splitter.split(regions, 1000, 4, random);
    CHECK(regions.size() <= 12);
    CHECK(total_bytes(regions) == 520);
    for (const Region& region : regions) CHECK(region.size_bytes() % 4 == 0);
  }
}

TEST_CASE("too small to split", "[regions][split]") {
  for (uint64_t pages = 1; pages <= 3; ++pages) {
    Random random(pages);
    bool was_cut = false;
    for (int i = 0; i < 64; ++i) {
      Splitter splitter;
      Regions regions = make_row(2, pages * 4096);
      splitter.split(regions, 1000, 4096, random);
      for (const Region& region : regions) CHECK(region.size_bytes() % 4096 == 0);
      was_cut = was_cut || regions.size() > 2;
    }
    CAPTURE(pages);
    CHECK(was_cut == (pages == 3));
  }
}

TEST_CASE("children inherit counts and age", "[regions][split]") {
  Random random(31);
  Splitter splitter;
  Regions regions = make_regions({{0, 100, 42, 10}});
  regions[0].last_nr_accesses = 15;
  regions[0].since_ns = 77;
  splitter.split(regions, 1000, 1, random);
  REQUIRE(regions.size() == 2);
  for (const Region& region : regions) {
    CHECK(region.nr_accesses == 42);
    CHECK(region.last_nr_accesses == 15);
    CHECK(region.age == 10);
    CHECK(region.since_ns == 77);
  }
}

TEST_CASE("cuts of the largest regions do not wrap", "[regions][split]") {
  Random random(37);
  Splitter splitter;
  Regions regions = make_regions({{0, uint64_t{1} << 62}});
  splitter.split(regions, 1000, 4096, random);
  CHECK(regions.size() == 2);
  CHECK(is_ascending(regions));
  CHECK(total_bytes(regions) == uint64_t{1} << 62);
}

}  // namespace
}  // namespace damon_statfs::test
