// SPDX-License-Identifier: GPL-2.0-or-later
//
// Rounds by themselves: when accesses to old pages are taken to have been, and which pages are
// sentinels after folios have formed.
#include "engine/pages/page_round.h"

#include <cmath>

#include "damon_statfs/clock.h"
#include "unit/engine/pages/page_lists.h"

namespace damon_statfs::test {
namespace {

constexpr int64_t kStartNs = 1'000 * kNsPerSecond;
constexpr int64_t kRoundNs = 2'500 * kNsPerMs;  // between two rounds

// Memory of a few words, all of whose pages are in the sample. They are accessed together, at
// touched_ns.
class Rounds {
 public:
  explicit Rounds(uint64_t nr_words) {
    PageSample sample(kSamplePageBytes, 1);
    sample.fit(Ranges{{0, nr_words * kSampleWordBytes}}, 1'000, now_ns);
    select_pages(pages, sample.pages(), kSamplePageBytes);
    REQUIRE(pages.size() == nr_words * CheckedPage::kWordPages);
    round.take_pages();
    one(PageRound::Kind::kAll, true);
  }

  void one(PageRound::Kind kind = PageRound::Kind::kAll, bool nothing_known = false) {
    now_ns += kRoundNs;
    checked.clear();
    round.begin(kind, now_ns, kRoundNs, nothing_known);
    for (auto due = round.next_portion(512); !due.empty(); due = round.next_portion(512)) {
      for (CheckedPage* const page : due) check(*page);
      round.note_checks(due, now_ns);
    }
    round.end();
  }

  std::vector<RoundPage> pages;
  PageRound round{pages};
  int64_t now_ns = kStartNs;
  int64_t touched_ns = 0;
  std::vector<CheckedPage*> checked;  // in the last round

 private:
  void check(CheckedPage& page) {
    checked.push_back(&page);
    const bool touched = page.marked && touched_ns > page.marked_ns;
    page.access = touched ? PageAccess::kAccessed : PageAccess::kIdle;
    if (page.marked && !touched) return;
    page.marked = true;
    page.marked_ns = now_ns;
  }
};

// All pages of one word are due in the same rounds, so in most rounds no old page is due.
TEST_CASE("what was accessed is not dated by rounds without old pages", "[page_round]") {
  Rounds rounds(1);
  const RoundPage& page = rounds.pages.front();
  while (rounds.now_ns < kStartNs + 60 * kNsPerSecond || rounds.checked.empty()) rounds.one();
  const int64_t last_check_ns = rounds.now_ns;
  rounds.touched_ns = last_check_ns + kNsPerSecond;
  int idle_rounds = -1;
  do {
    rounds.one();
    ++idle_rounds;
  } while (rounds.checked.empty());
  CHECK(idle_rounds >= 3);
  CHECK(page.accessed);
  CHECK(page.since_ns == last_check_ns + (rounds.now_ns - last_check_ns) / 2);
}

TEST_CASE("old pages that were checked and idle do date what was accessed", "[page_round]") {
  Rounds rounds(64);
  while (rounds.now_ns < kStartNs + 60 * kNsPerSecond) rounds.one();
  const int64_t last_round_ns = rounds.now_ns;
  REQUIRE_FALSE(rounds.checked.empty());
  rounds.touched_ns = last_round_ns + kNsPerSecond;
  rounds.one();
  CHECK(rounds.checked.size() == rounds.pages.size());
  for (const RoundPage& page : rounds.pages) {
    CHECK(page.accessed);
    CHECK(page.since_ns == last_round_ns + kRoundNs / 2);
  }
}

TEST_CASE("a round of sentinels checks the pages that are sentinels", "[page_round]") {
  Rounds rounds(64);
  const auto check = [&] {
    rounds.one(PageRound::Kind::kSentinels);
    size_t sentinels = 0;
    for (const RoundPage& page : rounds.pages) {
      if (PageRound::is_sentinel(page)) ++sentinels;
      CHECK(page.sentinel == PageRound::is_sentinel(page));
    }
    CHECK(sentinels > 0);
    CHECK(rounds.checked.size() == sentinels);
    for (const CheckedPage* const page : rounds.checked) CHECK(PageRound::is_sentinel(*page));
  };
  check();
  // Folios of eight words form, without a change of the order.
  for (RoundPage& page : rounds.pages) page.head_pfn = page.head_pfn / 512 * 512;
  check();
  for (RoundPage& page : rounds.pages) page.head_pfn = page.addr / kSamplePageBytes;
  check();
}

}  // namespace
}  // namespace damon_statfs::test
