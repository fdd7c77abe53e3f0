// SPDX-License-Identifier: GPL-2.0-or-later
//
// Rounds by themselves: when accesses to old pages are taken to have been, and who is a scout after
// folios have formed.
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
    sample.fit(Ranges{{0, nr_words * kSampleWordBytes}}, 1'000, now_ns);
    REQUIRE(sample.pages().size() == nr_words * CheckedPage::kWordPages);
    round.take_sample();
    one(PageRound::Kind::kAll, true);
  }

  void one(PageRound::Kind kind = PageRound::Kind::kAll, bool nothing_known = false) {
    now_ns += kRoundNs;
    looked_at.clear();
    round.begin(kind, now_ns, kRoundNs, nothing_known);
    for (auto pages = round.next_portion(512); !pages.empty(); pages = round.next_portion(512)) {
      for (CheckedPage* const page : pages) look(*page);
      round.note_looks(pages, now_ns);
    }
    round.end();
  }

  PageSample sample{kSamplePageBytes, 1};
  PageRound round{sample};
  int64_t now_ns = kStartNs;
  int64_t touched_ns = 0;
  std::vector<CheckedPage*> looked_at;  // in the last round

 private:
  void look(CheckedPage& page) {
    looked_at.push_back(&page);
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
  const PageHistory& page = rounds.sample.pages().front();
  while (rounds.now_ns < kStartNs + 60 * kNsPerSecond || rounds.looked_at.empty()) rounds.one();
  const int64_t last_look_ns = rounds.now_ns;
  rounds.touched_ns = last_look_ns + kNsPerSecond;
  int idle_rounds = -1;
  do {
    rounds.one();
    ++idle_rounds;
  } while (rounds.looked_at.empty());
  CHECK(idle_rounds >= 3);
  CHECK(page.accessed);
  CHECK(page.since_ns == last_look_ns + (rounds.now_ns - last_look_ns) / 2);
}

TEST_CASE("old pages that were looked at and idle do date what was accessed", "[page_round]") {
  Rounds rounds(64);
  while (rounds.now_ns < kStartNs + 60 * kNsPerSecond) rounds.one();
  const int64_t last_round_ns = rounds.now_ns;
  REQUIRE_FALSE(rounds.looked_at.empty());
  rounds.touched_ns = last_round_ns + kNsPerSecond;
  rounds.one();
  CHECK(rounds.looked_at.size() == rounds.sample.pages().size());
  for (const PageHistory& page : rounds.sample.pages()) {
    CHECK(page.accessed);
    CHECK(page.since_ns == last_round_ns + kRoundNs / 2);
  }
}

TEST_CASE("whom a round of scouts looks at is who is a scout", "[page_round]") {
  Rounds rounds(64);
  const auto check = [&] {
    rounds.one(PageRound::Kind::kScouts);
    size_t scouts = 0;
    for (const PageHistory& page : rounds.sample.pages()) {
      if (PageRound::is_scout(page)) ++scouts;
      CHECK(page.scout == PageRound::is_scout(page));
    }
    CHECK(scouts > 0);
    CHECK(rounds.looked_at.size() == scouts);
    for (const CheckedPage* const page : rounds.looked_at) CHECK(PageRound::is_scout(*page));
  };
  check();
  // Folios of eight words form, without a change of the order.
  for (PageHistory& page : rounds.sample.pages()) page.head_pfn = page.head_pfn / 512 * 512;
  check();
  for (PageHistory& page : rounds.sample.pages()) page.head_pfn = page.addr / kSamplePageBytes;
  check();
}

}  // namespace
}  // namespace damon_statfs::test
