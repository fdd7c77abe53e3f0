// SPDX-License-Identifier: GPL-2.0-or-later
//
// What checks tell of a page's past, and what becomes of it when the sample has other pages.
#include "engine/pages/round_page.h"

#include "damon_statfs/clock.h"
#include "support/catch.h"

namespace damon_statfs::test {
namespace {

constexpr int64_t kStartNs = 1'000 * kNsPerSecond;
constexpr uint64_t kPageBytes = 4096;

// Checks of a page one after the other, each with what it finds.
struct Checks {
  RoundPage page;
  int64_t now_ns = kStartNs;

  void check(PageAccess found, int64_t after_s = 1) {
    now_ns += after_s * kNsPerSecond;
    page.access = found;
    page.note_check(now_ns);
  }
  double idle_s() const {
    return static_cast<double>(page.idle_ns(now_ns)) / static_cast<double>(kNsPerSecond);
  }
};

TEST_CASE("the first check tells nothing of the past", "[round_page]") {
  for (const PageAccess found : {PageAccess::kUntracked, PageAccess::kNew}) {
    Checks checks;
    checks.page.since_ns = kStartNs;
    checks.check(found);
    CHECK_FALSE(checks.page.accessed);
    CHECK(checks.page.observed_ns == checks.now_ns);
    CHECK(checks.idle_s() == 1);
    CHECK(checks.page.tracked() == (found == PageAccess::kNew));
  }
}

TEST_CASE("an access is taken to be in the middle between two checks", "[round_page]") {
  Checks checks;
  checks.page.since_ns = kStartNs;
  checks.check(PageAccess::kNew);
  checks.check(PageAccess::kAccessed, 4);
  CHECK(checks.page.accessed);
  CHECK(checks.idle_s() == -2);
  checks.check(PageAccess::kAccessed, 10);
  CHECK(checks.idle_s() == -12);  // since the first access of the row
  checks.check(PageAccess::kIdle, 3);
  CHECK_FALSE(checks.page.accessed);
  CHECK(checks.idle_s() == 8);  // since the last access: 5 before the check before
  checks.check(PageAccess::kIdle, 60);
  CHECK(checks.idle_s() == 68);
}

TEST_CASE("memory that is allocated was accessed then", "[round_page]") {
  Checks checks;
  checks.page.since_ns = kStartNs;
  checks.check(PageAccess::kUntracked);
  checks.check(PageAccess::kUntracked, 100);
  CHECK(checks.idle_s() == 101);
  checks.check(PageAccess::kNew, 2);
  CHECK(checks.page.accessed);
  CHECK(checks.idle_s() == -1);
}

TEST_CASE("memory that is freed is idle since its last use", "[round_page]") {
  Checks checks;
  checks.check(PageAccess::kNew);
  checks.check(PageAccess::kAccessed, 2);
  checks.check(PageAccess::kUntracked, 2);
  CHECK_FALSE(checks.page.accessed);
  CHECK_FALSE(checks.page.tracked());
  CHECK(checks.idle_s() == 3);
}

TEST_CASE("note_mark() only remembers when it was", "[round_page]") {
  Checks checks;
  checks.page.since_ns = kStartNs;
  checks.check(PageAccess::kNew);
  checks.page.access = PageAccess::kAccessed;
  checks.page.note_mark(kStartNs + 100 * kNsPerSecond);
  CHECK_FALSE(checks.page.accessed);
  CHECK(checks.page.since_ns == kStartNs);
  checks.now_ns = kStartNs + 100 * kNsPerSecond;
  checks.check(PageAccess::kAccessed, 2);
  CHECK(checks.idle_s() == -1);
}

PageState state_of(uint64_t pfn, bool accessed, int64_t since_ns) {
  PageState state;
  state.addr = pfn * kPageBytes;
  state.accessed = accessed;
  state.since_ns = since_ns;
  return state;
}

TEST_CASE("pages that were there stay as they are, new ones begin anew", "[round_page]") {
  std::vector<RoundPage> pages;
  const PageState first[] = {state_of(5, false, 1), state_of(70, true, 2), state_of(900, false, 3)};
  select_pages(pages, first, kPageBytes);
  REQUIRE(pages.size() == 3);
  CHECK(pages[1].head_pfn == 70);
  CHECK(pages[1].addr_word == 1);
  CHECK(pages[1].hot);
  CHECK_FALSE(pages[1].tracked());
  pages[1].access = PageAccess::kIdle;
  pages[1].marked = true;
  pages[1].head_pfn = 64;
  pages[1].note_check(kStartNs);

  PageState inherited = state_of(71, true, 17);
  inherited.observed_ns = 99;  // that of the page whose past it has been given
  const PageState second[] = {state_of(70, false, 1'000), inherited, state_of(2'000, false, 4)};
  select_pages(pages, second, kPageBytes);
  REQUIRE(pages.size() == 3);
  CHECK(pages[0].addr == 70 * kPageBytes);
  CHECK(pages[0].marked);
  CHECK(pages[0].head_pfn == 64);
  CHECK(pages[0].since_ns == 2);
  CHECK(pages[0].observed_ns == kStartNs);
  CHECK(pages[1].since_ns == 17);
  CHECK(pages[1].observed_ns == 0);
  CHECK_FALSE(pages[1].marked);
  CHECK(pages[2].addr == 2'000 * kPageBytes);
}

TEST_CASE("no pages at all", "[round_page]") {
  std::vector<RoundPage> pages(4);
  select_pages(pages, {}, kPageBytes);
  CHECK(pages.empty());
}

}  // namespace
}  // namespace damon_statfs::test
