// SPDX-License-Identifier: GPL-2.0-or-later
//
// Rules a to f of spec/damon.md section 5, one by one: what counts as an access, and what only
// looks like one.
#include "unit/engine/page_idle/page_idle_machine.h"

namespace damon_statfs::test {
namespace {

TEST_CASE("a set bit is idle, a cleared one accessed", "[page_idle]") {
  PageIdleMachine machine;
  REQUIRE(machine.operations->open());
  machine.sample({5, 6, 7});
  REQUIRE(machine.prepare());
  CHECK(machine.bitmap_word(0) == 0xe0);
  machine.touch(6);
  REQUIRE(machine.check());
  CHECK(counts_of(machine.regions) == Counts{0, 1, 0});
}

TEST_CASE("counts add up over ticks", "[page_idle]") {
  PageIdleMachine machine;
  REQUIRE(machine.operations->open());
  machine.sample({5, 700});
  for (int tick = 0; tick < 3; ++tick) {
    REQUIRE(machine.prepare());
    machine.touch(700);
    REQUIRE(machine.check());
  }
  CHECK(counts_of(machine.regions) == Counts{0, 3});
}

TEST_CASE("marks are written once per word of 64 pages", "[page_idle]") {
  PageIdleMachine machine;
  REQUIRE(machine.operations->open());
  machine.sample({0, 1, 63, 64, 127, 640});
  REQUIRE(machine.prepare());
  // A plain file keeps the last write only, so one write per mark would show.
  CHECK(machine.bitmap_word(0) == (uint64_t{3} | uint64_t{1} << 63));
  CHECK(machine.bitmap_word(1) == (uint64_t{1} | uint64_t{1} << 63));
  CHECK(machine.bitmap_word(10) == 1);
  CHECK(machine.bitmap_word(2) == 0);
}

TEST_CASE("rule a: a bit of 0 that cannot be tracked is no access", "[page_idle]") {
  const uint64_t flags = GENERATE(uint64_t{0}, uint64_t{1} << 10, kPageNoPage,
                                  kPageHugetlb | kPageCompoundHead, kPageIdle, uint64_t{1} << 7);
  CAPTURE(flags);
  PageIdleMachine machine;
  machine.set_flags(9, flags);
  REQUIRE(machine.operations->open());
  machine.sample({8, 9});
  REQUIRE(machine.prepare());
  CHECK(machine.bitmap_word(0) == 0x100);  // not even marked
  machine.touch(8);
  REQUIRE(machine.check());
  CHECK(counts_of(machine.regions) == Counts{1, 0});
}

TEST_CASE("rule a: a mark that does not take is no access", "[page_idle]") {
  PageIdleMachine machine;
  machine.set_flags(9, kPageLru);  // on a list, but isolated just now: the flag stays clear
  REQUIRE(machine.operations->open());
  machine.sample({9});
  REQUIRE(machine.prepare());
  machine.touch(9);
  REQUIRE(machine.check());
  CHECK(counts_of(machine.regions) == Counts{0});
}

TEST_CASE("rule b: tail pages are asked through their head", "[page_idle]") {
  PageIdleMachine machine;
  machine.make_folio(512, 512);
  machine.make_folio(4, 4);
  REQUIRE(machine.operations->open());
  machine.sample({7, 512 + 300});
  REQUIRE(machine.prepare());
  CHECK(machine.bitmap_word(0) == 0x10);
  CHECK(machine.bitmap_word(8) == 1);
  CHECK(machine.bitmap_word(12) == 0);  // the tail's own word: a mark there is ignored
  REQUIRE(machine.check());
  CHECK(counts_of(machine.regions) == Counts{0, 0});
  REQUIRE(machine.prepare());
  machine.touch(512);
  REQUIRE(machine.check());
  CHECK(counts_of(machine.regions) == Counts{0, 1});
}

TEST_CASE("rule b: hugetlb heads cannot be tracked", "[page_idle]") {
  PageIdleMachine machine;
  machine.make_folio(512, 512, kPageHugetlb | kPageIdle);
  REQUIRE(machine.operations->open());
  machine.sample({600});
  REQUIRE(machine.prepare());
  REQUIRE(machine.check());
  CHECK(machine.bitmap_word(8) == 0);
  CHECK(counts_of(machine.regions) == Counts{0});
}

TEST_CASE("rule c: a page that changed between mark and check is no access", "[page_idle]") {
  PageIdleMachine machine;
  machine.make_folio(512, 512);
  REQUIRE(machine.operations->open());
  SECTION("freed") {
    machine.sample({20});
    REQUIRE(machine.prepare());
    machine.touch(20);
    machine.set_flags(20, uint64_t{1} << 10);
  }
  SECTION("became the tail of another folio") {
    machine.sample({20});
    REQUIRE(machine.prepare());
    machine.touch(20);
    machine.make_folio(16, 8);
  }
  SECTION("its huge page was split") {
    machine.sample({600});
    REQUIRE(machine.prepare());
    machine.touch(512);
    for (uint64_t pfn = 512; pfn < 1024; ++pfn) machine.set_flags(pfn, kMarkable);
  }
  SECTION("unplugged") {
    machine.sample({600});
    REQUIRE(machine.prepare());
    machine.touch(512);
    machine.tree.resize(kFlagsPath, 512 * 8);
  }
  REQUIRE(machine.check());
  CHECK(counts_of(machine.regions) == Counts{0});
}

TEST_CASE("rule d: two samples in one folio share the answer", "[page_idle]") {
  PageIdleMachine machine;
  machine.make_folio(512, 512);
  REQUIRE(machine.operations->open());
  machine.sample({511, 520, 700, 1023});
  REQUIRE(machine.prepare());
  CHECK(machine.bitmap_word(8) == 1);
  machine.touch(512);
  REQUIRE(machine.check());
  CHECK(counts_of(machine.regions) == Counts{0, 1, 1, 1});

  REQUIRE(machine.prepare());
  REQUIRE(machine.check());
  CHECK(counts_of(machine.regions) == Counts{0, 1, 1, 1});
}

TEST_CASE("rule d: two regions that sample the same page", "[page_idle]") {
  PageIdleMachine machine;
  REQUIRE(machine.operations->open());
  machine.sample({77, 77});
  REQUIRE(machine.prepare());
  machine.touch(77);
  REQUIRE(machine.check());
  CHECK(counts_of(machine.regions) == Counts{1, 1});
}

TEST_CASE("portions are checked as they were prepared", "[page_idle]") {
  PageIdleMachine machine;
  REQUIRE(machine.operations->open());
  machine.sample({3, 70, 200, 900});
  const std::span<Region> regions(machine.regions);
  for (int tick = 0; tick < 2; ++tick) {
    REQUIRE(machine.region_checks->prepare_access_checks(regions.first(1)));
    REQUIRE(machine.region_checks->prepare_access_checks(regions.subspan(1)));
    machine.touch(200);
    REQUIRE(machine.region_checks->check_accesses(regions.first(1)));
    REQUIRE(machine.region_checks->check_accesses(regions.subspan(1)));
  }
  CHECK(counts_of(machine.regions) == Counts{0, 0, 2, 0});
}

}  // namespace
}  // namespace damon_statfs::test
