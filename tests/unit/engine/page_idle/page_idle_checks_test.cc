// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a check of single pages finds, on a machine of plain files: accesses, and everything that
// only looks like one because folios come, go, split and form.
#include "engine/page_idle/page_idle_checks.h"

#include <string_view>

#include "engine/base/kernel_files.h"
#include "support/fail_limits.h"
#include "support/word_array.h"
#include "unit/engine/page_idle/checked_machine.h"

namespace damon_statfs::test {
namespace {

using enum PageAccess;

TEST_CASE("the first check marks, with one write per word", "[page_idle_checks]") {
  CheckedMachine machine{0, 21, 63, 640};
  machine.clock.advance(5 * kNsPerSecond);
  CHECK(machine.check_and_mark() == Found(4, kNew));
  CHECK(machine.bitmap_word(0) == (uint64_t{1} | uint64_t{1} << 21 | uint64_t{1} << 63));
  CHECK(machine.bitmap_word(10) == 1);
  CHECK(machine.page(3).marked_ns == machine.clock.now_ns());
}

TEST_CASE("a check marks nothing, and what is not marked counts as accessed",
          "[page_idle_checks]") {
  CheckedMachine machine{5, 6};
  CHECK(machine.check_only() == Found(2, kNew));
  CHECK(machine.bitmap_word(0) == 0);
  CHECK(machine.check_only() == Found(2, kAccessed));
  machine.check_and_mark();
  CHECK(machine.bitmap_word(0) == 0x60);
  CHECK(machine.page(0).marked);
  machine.touch(6);
  CHECK(machine.check_only() == Found{kIdle, kAccessed});
  CHECK(machine.page(0).marked);
  CHECK_FALSE(machine.page(1).marked);
}

TEST_CASE("a page freed before it is marked is found out by the next check", "[page_idle_checks]") {
  CheckedMachine machine{5};
  machine.check_only();
  machine.free(5);
  CheckedPage* const pages[] = {&machine.page(0)};
  REQUIRE(machine.operations->mark_pages(pages));
  machine.touch(5);  // the kernel has set no flag
  CHECK(machine.check_only() == Found{kUntracked});
  CHECK_FALSE(machine.page(0).marked);
}

TEST_CASE("a mark that the kernel ignores is no access", "[page_idle_checks]") {
  CheckedMachine machine{5, 70};
  machine.set_flags(70, kPageLru);  // it gets no idle flag
  CHECK(machine.check_and_mark() == Found(2, kNew));
  CHECK(machine.page(0).marked);
  CHECK_FALSE(machine.page(1).marked);
  CHECK(machine.page(1).worth_a_check());
  machine.touch(70);
  CHECK(machine.check_and_mark() == Found{kIdle, kUnknown});
  CHECK(machine.page(1).tracked());
  SECTION("until it is taken") {
    machine.set_flags(70, kMarkable);
    CHECK(machine.check_and_mark() == Found{kIdle, kUnknown});
    CHECK(machine.page(1).marked);
    CHECK(machine.check_and_mark() == Found(2, kIdle));
    machine.touch(70);
    CHECK(machine.check_and_mark() == Found{kIdle, kAccessed});
  }
  SECTION("and the page may be freed and in use again") {
    machine.free(70);
    CHECK(machine.check_and_mark() == Found{kIdle, kUntracked});
    machine.set_flags(70, kMarkable);
    CHECK(machine.check_and_mark() == Found{kIdle, kNew});
  }
  SECTION("or become part of a folio") {
    machine.make_folio(0, 512);
    machine.check_and_mark();
    CHECK(machine.page(1).access == kUnknown);
    CHECK(machine.page(1).head_pfn == 0);
    CHECK(machine.page(1).marked);
  }
}

TEST_CASE("an ignored mark of a folio is one of all its pages", "[page_idle_checks]") {
  CheckedMachine machine{512, 600, 700, 5};
  machine.make_folio(512, 512, kPageLru);
  CHECK(machine.check_and_mark() == Found(4, kNew));
  machine.touch(512);
  CHECK(machine.check_and_mark() == Found{kUnknown, kUnknown, kUnknown, kIdle});
}

TEST_CASE("a mark that the kernel refuses is no access", "[page_idle_checks]") {
  CheckedMachine machine{40, 100};
  machine.check_only();
  {
    const LimitedFileSize limit(4);  // of the bitmap's first word only half can be written
    CheckedPage* const pages[] = {&machine.page(0)};
    REQUIRE(machine.operations->mark_pages(pages));
  }
  CHECK_FALSE(machine.page(0).marked);
  CHECK(machine.operations->facts().nr_dropped == 1);
  machine.mark();
  machine.touch(40);
  CHECK(machine.check_only() == Found{kAccessed, kIdle});
}

TEST_CASE("what was touched since is accessed and marked anew", "[page_idle_checks]") {
  CheckedMachine machine{5, 6, 7};
  machine.check_and_mark();
  const int64_t marked_ns = machine.clock.now_ns();
  for (int round = 0; round < 3; ++round) {
    machine.clock.advance(kNsPerSecond);
    machine.touch(6);
    CHECK(machine.check_and_mark() == Found{kIdle, kAccessed, kIdle});
    CHECK(machine.page(0).marked_ns == marked_ns);
    CHECK(machine.page(1).marked_ns == machine.clock.now_ns());
    // A plain file keeps the last write only: nothing but what was accessed is marked again.
    CHECK(machine.bitmap_word(0) == uint64_t{1} << 6);
    machine.tree.set_word(kBitmapPath, 0, 0xe0);
  }
}

TEST_CASE("an idle page's flags are not read", "[page_idle_checks]") {
  CheckedMachine machine{5};
  machine.check_and_mark();
  machine.tree.resize(kFlagsPath, 0);  // a read of the flags gets no answer now
  CHECK(machine.check_and_mark() == Found{kIdle});
  CHECK(machine.operations->facts().nr_dropped == 0);
}

TEST_CASE("page cache that nothing maps", "[page_idle_checks]") {
  const uint64_t mapped = kMarkable | kPageMmap;
  CheckedMachine machine{5, 6, 7, 8};
  machine.set_flags(6, mapped);
  machine.set_flags(7, kMarkable | kPageAnon);
  machine.set_flags(8, kFree);
  machine.check_and_mark();
  CHECK(machine.page(0).kind() == PageKind::kUnmappedCache);
  CHECK(machine.page(1).kind() == PageKind::kTracked);
  CHECK(machine.page(2).kind() == PageKind::kTracked);
  CHECK(machine.page(3).kind() == PageKind::kUntracked);
  machine.set_flags(5, mapped);
  machine.set_flags(6, kMarkable);
  SECTION("what is accessed is looked at with its check") {
    for (const uint64_t pfn : {5, 6}) machine.touch(pfn);
    CHECK(machine.check_only() == Found{kAccessed, kAccessed, kIdle, kUntracked});
  }
  SECTION("what is idle is looked at about once a minute") {
    machine.clock.advance(59 * kNsPerSecond);
    machine.check_and_mark();
    CHECK(machine.page(0).kind() == PageKind::kUnmappedCache);
    CHECK(machine.page(1).kind() == PageKind::kTracked);
    machine.clock.advance(kNsPerSecond);
    CHECK(machine.check_and_mark() == Found{kIdle, kIdle, kIdle, kUntracked});
  }
  CHECK(machine.page(0).kind() == PageKind::kTracked);
  CHECK(machine.page(1).kind() == PageKind::kUnmappedCache);
}

TEST_CASE("idle page cache stays what it was while the flags do not tell", "[page_idle_checks]") {
  CheckedMachine machine{5};
  machine.check_and_mark();
  machine.clock.advance(60 * kNsPerSecond);
  SECTION("as it is off the LRU lists for a moment") { machine.set_flags(5, kPageMmap); }
  SECTION("as there is no answer") { machine.tree.resize(kFlagsPath, 0); }
  CHECK(machine.check_and_mark() == Found{kIdle});
  CHECK(machine.page(0).kind() == PageKind::kUnmappedCache);
  CHECK(machine.operations->facts().nr_dropped == 0);
}

TEST_CASE("the kind of a folio is that of all its pages", "[page_idle_checks]") {
  CheckedMachine machine{512, 600, 601, 700};
  machine.make_folio(512, 512);
  machine.check_and_mark();
  for (size_t i = 0; i < 4; ++i) CHECK(machine.page(i).kind() == PageKind::kUnmappedCache);
  machine.make_folio(512, 512, kMarkable | kPageMmap);
  const bool idle = GENERATE(true, false);
  if (idle) machine.clock.advance(60 * kNsPerSecond);
  if (!idle) machine.touch(512);
  CHECK(machine.check_only() == Found(4, idle ? kIdle : kAccessed));
  for (size_t i = 0; i < 4; ++i) CHECK(machine.page(i).kind() == PageKind::kTracked);
}

TEST_CASE("memory that cannot be tracked", "[page_idle_checks]") {
  const uint64_t flags = GENERATE(uint64_t{0}, kFree, kPageNoPage, kPageNoPage | kPageLru,
                                  kPageHugetlb | kPageCompoundHead | kPageLru);
  CAPTURE(flags);
  CheckedMachine machine{8, 9};
  machine.set_flags(9, flags);
  CHECK(machine.check_and_mark() == Found{kNew, kUntracked});
  CHECK(machine.bitmap_word(0) == 0x100);
  CHECK(machine.check_and_mark() == Found{kIdle, kUntracked});
  machine.set_flags(9, kMarkable);
  machine.tree.set_word(kBitmapPath, 0, 0x100);
  CHECK(machine.check_and_mark() == Found{kIdle, kNew});  // it has been allocated
}

TEST_CASE("a freed page is untracked, not accessed", "[page_idle_checks]") {
  CheckedMachine machine{5};
  machine.check_and_mark();
  machine.free(5);
  CHECK(machine.check_and_mark() == Found{kUntracked});
  SECTION("and stays so") { CHECK(machine.check_and_mark() == Found{kUntracked}); }
  SECTION("until it is in use again") {
    machine.set_flags(5, kPageLru);
    CHECK(machine.check_and_mark() == Found{kNew});
    CHECK(machine.bitmap_word(0) == 0x20);
  }
}

TEST_CASE("freed and in use again between two checks: accessed", "[page_idle_checks]") {
  CheckedMachine machine{5};
  machine.check_and_mark();
  machine.free(5);
  machine.set_flags(5, kPageLru);
  CHECK(machine.check_and_mark() == Found{kAccessed});
}

TEST_CASE("pages of one folio share one answer", "[page_idle_checks]") {
  CheckedMachine machine{512, 600, 700, 1023, 100};
  machine.make_folio(512, 512);
  CHECK(machine.check_and_mark() == Found(5, kNew));
  CHECK(machine.bitmap_word(8) == 1);  // the head's bit, and none in the tails' words
  CHECK(machine.bitmap_word(9) == 0);
  CHECK(machine.bitmap_word(15) == 0);
  for (size_t i = 0; i < 4; ++i) CHECK(machine.page(i).head_pfn == 512);
  CHECK(machine.check_and_mark() == Found(5, kIdle));
  machine.touch(512);
  CHECK(machine.check_and_mark() == Found{kAccessed, kAccessed, kAccessed, kAccessed, kIdle});
  CHECK(machine.check_and_mark() == Found(5, kIdle));
}

TEST_CASE("parts of a folio that was split while idle are idle", "[page_idle_checks]") {
  CheckedMachine machine{512, 600, 700};
  machine.make_folio(512, 512);
  machine.check_and_mark();
  for (uint64_t pfn = 512; pfn < 1024; ++pfn) machine.set_flags(pfn, kMarkable);
  SECTION("and checked by themselves from then on") {
    for (const uint64_t word : {8, 9, 10}) machine.tree.set_word(kBitmapPath, word, ~uint64_t{0});
    CHECK(machine.check_and_mark() == Found(3, kIdle));
    CHECK(machine.page(1).head_pfn == 600);
    machine.touch(600);
    CHECK(machine.check_and_mark() == Found{kIdle, kAccessed, kIdle});
  }
  SECTION("also if its head was accessed since") {
    machine.tree.set_word(kBitmapPath, 8, 0);
    machine.set_flags(512, kPageLru);
    CHECK(machine.check_and_mark() == Found{kAccessed, kIdle, kIdle});
  }
}

TEST_CASE("parts of an accessed folio that was split are accessed", "[page_idle_checks]") {
  CheckedMachine machine{512, 600};
  machine.make_folio(512, 512);
  machine.check_and_mark();
  machine.touch(512);
  for (uint64_t pfn = 512; pfn < 1024; ++pfn) machine.set_flags(pfn, kPageLru);
  CHECK(machine.check_and_mark() == Found(2, kAccessed));
  CHECK(machine.page(1).head_pfn == 600);
}

TEST_CASE("pages that are collapsed into a folio follow its head", "[page_idle_checks]") {
  CheckedMachine machine{520, 600};
  machine.check_and_mark();
  machine.make_folio(512, 512, kPageLru);  // new memory, without idle flags
  for (const uint64_t word : {8, 9}) machine.tree.set_word(kBitmapPath, word, 0);
  CHECK(machine.check_only() == Found(2, kAccessed));
  CHECK(machine.page(0).head_pfn == 512);
  CHECK(machine.page(1).head_pfn == 512);
  machine.set_flags(512, kMarkable | kPageCompoundHead);
  machine.mark();
  CHECK(machine.check_and_mark() == Found(2, kIdle));
}

TEST_CASE("a folio that is freed", "[page_idle_checks]") {
  CheckedMachine machine{512, 600};
  machine.make_folio(512, 512);
  machine.check_and_mark();
  for (uint64_t pfn = 512; pfn < 1024; ++pfn) machine.free(pfn);
  CHECK(machine.check_and_mark() == Found(2, kUntracked));
  CHECK(machine.page(1).head_pfn == 600);
}

}  // namespace
}  // namespace damon_statfs::test
