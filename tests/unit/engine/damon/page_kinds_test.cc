// SPDX-License-Identifier: GPL-2.0-or-later
//
// What sampled pages are, by /proc/kpageflags, and that nothing is claimed where that file is
// missing, cannot be read or is empty.
#include "engine/damon/page_kinds.h"

#include <cerrno>

#include "engine/base/folio.h"
#include "support/catch.h"
#include "support/tree_fixture.h"
#include "unit/engine/damon/kdamond_pages_run.h"

namespace damon_statfs::test {
namespace {

constexpr char kPath[] = "/proc/kpageflags";

std::vector<PageState> pages_at(std::initializer_list<uint64_t> pfns) {
  std::vector<PageState> pages;
  for (const uint64_t pfn : pfns) {
    PageState page;
    page.addr = pfn * kPage;
    pages.push_back(page);
  }
  return pages;
}

std::vector<PageKind> kinds_of(const std::vector<PageState>& pages) {
  std::vector<PageKind> kinds;
  for (const PageState& page : pages) kinds.push_back(page.kind);
  return kinds;
}

TEST_CASE("kinds of pages by their flags", "[page_kinds]") {
  TreeFixture tree;
  tree.write_words(kPath, {0, kPageLru | kPageAnon | kPageMmap, kPageLru});
  const RootedKernelFiles files(tree.root());
  PageKinds kinds(files, kPage);
  REQUIRE(kinds.open());
  std::vector<PageState> pages = pages_at({0, 1, 2, 3});
  kinds.look_at_new(pages);
  CHECK(kinds_of(pages) == std::vector{PageKind::kUntracked, PageKind::kTracked,
                                       PageKind::kUnmappedCache, PageKind::kUntracked});
}

TEST_CASE("without flags the kind of no page is known", "[page_kinds]") {
  TreeFixture tree;
  const RootedKernelFiles files(tree.root());
  PageKinds kinds(files, kPage);
  SECTION("no file") { CHECK_FALSE(kinds.open()); }
  SECTION("an empty file") {
    tree.write_words(kPath, {});
    const Result<void> opened = kinds.open();
    CHECK(failed_with(opened, ENODATA));
    CHECK(opened.error().context.find("kpageflags: empty") != std::string::npos);
  }
  std::vector<PageState> pages = pages_at({0, 1});
  kinds.look_at_new(pages);
  kinds.look_at_some(pages);
  CHECK(kinds_of(pages) == std::vector{PageKind::kUnknown, PageKind::kUnknown});
  CHECK(pages[0].tracked());
}

TEST_CASE("no figure is made of kinds that are not known", "[page_kinds]") {
  PagesRun run;  // on a machine without the file
  run.config.excluded = ExcludedPages::kUnmapped;
  run.make();
  run.kernel.is_accessed = touched(100 * (uint64_t{1} << 20), 50 * kNsPerMs);
  REQUIRE(run.sampler->start());
  REQUIRE(run.run(6));
  const auto& details = std::get<PageDetails>(run.details.by_estimator);
  CHECK(details.nr_pages > 0);
  CHECK_FALSE(details.untracked_bytes);
  CHECK_FALSE(details.unmapped_cache_bytes);
  CHECK(std::abs(run.details.share_percent[0] - 25) < 0.5);
}

}  // namespace
}  // namespace damon_statfs::test
