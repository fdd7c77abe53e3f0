// SPDX-License-Identifier: GPL-2.0-or-later
//
// From any page to the head of its folio: without this step every sample in a huge page is wrong.
#include "engine/base/folio.h"

#include <fcntl.h>

#include <cerrno>

#include "engine/base/kernel_files.h"
#include "support/catch.h"
#include "support/tree_fixture.h"
#include "support/word_array.h"

namespace damon_statfs::test {
namespace {

constexpr char kPath[] = "/proc/kpageflags";

// Makes the pages of a folio of 2^order pages at `head`.
void make_folio(std::vector<uint64_t>& flags, uint64_t head, unsigned order, uint64_t more) {
  const uint64_t pages = uint64_t{1} << order;
  for (uint64_t i = 0; i < pages; ++i) flags[head + i] = more;
  if (order == 0) return;
  flags[head] |= kPageCompoundHead;
  for (uint64_t i = 1; i < pages; ++i) flags[head + i] |= kPageCompoundTail;
}

TEST_CASE("heads of folios of all sizes", "[folio]") {
  std::vector<uint64_t> flags(4096, 0);
  make_folio(flags, 3, 0, kPageLru);
  make_folio(flags, 4, 2, kPageLru);      // 4..7
  make_folio(flags, 8, 1, kPageLru);      // 8, 9
  make_folio(flags, 512, 9, kPageLru);    // a 2 MiB huge page
  make_folio(flags, 1024, 9, kPageLru);   // and its neighbour
  make_folio(flags, 2048, 11, kPageLru);  // 8 MiB, as some page caches have them
  TreeFixture tree;
  tree.write_words(kPath, flags);
  const auto opened = open_word_file(tree.root() + kPath, WordAccess::kRead, "").value();
  const WordFile& file = *opened;
  for (uint64_t pfn = 3; pfn < 4096; ++pfn) {
    if (flags[pfn] == 0) continue;
    uint64_t head = pfn;
    while ((flags[head] & kPageCompoundTail) != 0) --head;
    const auto folio = find_folio(file, pfn).value();
    REQUIRE(folio.has_value());
    REQUIRE(folio->head_pfn == head);
    REQUIRE(folio->trackable());
  }
}

TEST_CASE("flags that make no folio", "[folio]") {
  struct Row {
    std::vector<uint64_t> flags;
    uint64_t pfn;
    const char* what;
  };
  const uint64_t tail = kPageLru | kPageCompoundTail;
  const Row rows[] = {
      {{tail, tail, tail, tail}, 3, "tails without a head"},
      {{tail}, 0, "page 0 as a tail"},
      {{kPageLru, tail}, 1, "a tail next to a page that is no head"},
      {{kPageLru}, 1, "beyond the end"},
      {{}, 0, "an empty file"},
      {{kPageLru, kPageLru, kPageLru, tail}, 3, "a folio that was just split"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    TreeFixture tree;
    tree.write_words(kPath, row.flags);
    const auto opened = open_word_file(tree.root() + kPath, WordAccess::kRead, "").value();
    const WordFile& file = *opened;
    CHECK_FALSE(find_folio(file, row.pfn).value().has_value());
  }
}

TEST_CASE("a file cut in the middle of a word", "[folio]") {
  TreeFixture tree;
  tree.write_words(kPath, {kPageLru, kPageLru});
  tree.resize(kPath, 13);
  const auto opened = open_word_file(tree.root() + kPath, WordAccess::kRead, "").value();
  const WordFile& file = *opened;
  CHECK(find_folio(file, 0).value().has_value());
  CHECK_FALSE(find_folio(file, 1).value().has_value());
}

TEST_CASE("all bits set end somewhere", "[folio]") {
  TreeFixture tree;
  tree.write_words(kPath, std::vector<uint64_t>(1024, ~uint64_t{0}));
  const auto opened = open_word_file(tree.root() + kPath, WordAccess::kRead, "").value();
  const WordFile& file = *opened;
  for (uint64_t pfn = 0; pfn < 1024; ++pfn) {
    const auto folio = find_folio(file, pfn).value();
    CHECK((!folio || !folio->trackable()));
  }
}

TEST_CASE("which folios can be tracked", "[folio]") {
  CHECK(Folio{0, kPageLru}.trackable());
  CHECK(Folio{0, kPageLru | kPageCompoundHead}.trackable());
  CHECK_FALSE(Folio{0, 0}.trackable());
  CHECK_FALSE(Folio{0, uint64_t{1} << 10}.trackable());  // free (buddy)
  CHECK_FALSE(Folio{0, kPageNoPage}.trackable());
  CHECK_FALSE(Folio{0, kPageHugetlb | kPageCompoundHead}.trackable());
  CHECK_FALSE(Folio{0, kPageHugetlb | kPageLru}.trackable());
}

TEST_CASE("the kind of a folio", "[folio]") {
  const uint64_t swap_backed = uint64_t{1} << 14;
  struct Row {
    uint64_t flags;
    PageKind kind;
    const char* what;
  };
  const Row rows[] = {
      {kPageLru | kPageAnon | kPageMmap | swap_backed, PageKind::kTracked, "memory of a process"},
      {kPageLru | kPageAnon | swap_backed, PageKind::kTracked, "the same, in the swap cache only"},
      {kPageLru | kPageMmap, PageKind::kTracked, "a file that is mapped"},
      {kPageLru | kPageMmap | swap_backed, PageKind::kTracked, "a memfd that is mapped"},
      {kPageLru, PageKind::kUnmappedCache, "a file that is only read"},
      {kPageLru | swap_backed, PageKind::kUnmappedCache, "a file of tmpfs that is only read"},
      {kPageLru | kPageCompoundHead, PageKind::kUnmappedCache, "a large folio of a file"},
      {kPageMmap | kPageAnon, PageKind::kUntracked, "memory taken off the LRU lists"},
      {kPageLru | kPageHugetlb | kPageCompoundHead, PageKind::kUntracked, "hugetlb"},
      {0, PageKind::kUntracked, "kernel memory"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CHECK(Folio{0, row.flags}.kind() == row.kind);
  }
}

TEST_CASE("the kind of a page is that of its folio", "[folio]") {
  std::vector<uint64_t> flags(16, 0);
  make_folio(flags, 4, 2, kPageLru);
  make_folio(flags, 8, 2, kPageLru);
  flags[8] |= kPageMmap;          // the kernel may say so of the head only
  flags[13] = kPageCompoundTail;  // whose folio was split just now
  WordArray file(flags);
  const auto kind = [&](uint64_t pfn) { return find_page_kind(file, pfn).value(); };
  CHECK(kind(0) == PageKind::kUntracked);
  CHECK(kind(6) == PageKind::kUnmappedCache);
  CHECK(kind(10) == PageKind::kTracked);
  CHECK(kind(13) == std::nullopt);
  CHECK(kind(16) == std::nullopt);
  file.errno_value = EIO;
  CHECK(failed_with(find_page_kind(file, 0), EIO));
}

TEST_CASE("the bits are the kernel's", "[folio]") {
  CHECK(kPageLru == uint64_t{1} << 5);
  CHECK(kPageMmap == uint64_t{1} << 11);
  CHECK(kPageAnon == uint64_t{1} << 12);
  CHECK(kPageCompoundHead == uint64_t{1} << 15);
  CHECK(kPageCompoundTail == uint64_t{1} << 16);
  CHECK(kPageHugetlb == uint64_t{1} << 17);
  CHECK(kPageNoPage == uint64_t{1} << 20);
  CHECK(kPageIdle == uint64_t{1} << 25);
}

}  // namespace
}  // namespace damon_statfs::test
