// SPDX-License-Identifier: GPL-2.0-or-later
//
// Hot pages are never old: only a short time without access tells that they no longer are hot.
#include "engine/pages/page_round.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "damon_statfs/clock.h"

namespace damon_statfs {
namespace {

// A page that has been idle for so long is old. It is checked every half of that time, within
// these bounds.
constexpr int64_t kOldNs = 10 * kNsPerSecond;
constexpr int64_t kMinTurnNs = 5 * kNsPerSecond;
constexpr int64_t kMaxTurnNs = 20 * kNsPerSecond;
constexpr uint64_t kOldAccesses = 2;  // no longer chance

bool ascending_by_word(const CheckedPage* a, const CheckedPage* b) {
  return a->word() != b->word() ? a->word() < b->word() : a->addr < b->addr;
}

// How much of an access all pages tell of, the rest being left to the sentinels, which miss none of
// those that follow each other within seconds. Rare ones no page misses, and the more pages tell of
// them the better. The part grows steadily with the time since the access before, as pages that are
// not sentinels tell that time to a few seconds only, too little or too much.
double rare_part(const RoundPage& before, const RoundPage& page) {
  constexpr int64_t kNoneNs = 8 * kNsPerSecond, kAllNs = 20 * kNsPerSecond;
  if (before.last_access_ns == PageHistory::kNever) return 1;
  const auto above_ns = static_cast<double>(page.last_access_ns - before.last_access_ns - kNoneNs);
  return std::clamp(above_ns / static_cast<double>(kAllNs - kNoneNs), 0.0, 1.0);
}

RoundPage& round_page(CheckedPage* page) { return static_cast<RoundPage&>(*page); }

// Precondition: there are some, ascending by address.
const RoundPage& nearest(std::span<const RoundPage* const> pages, uint64_t addr) {
  const auto above =
      std::lower_bound(pages.begin(), pages.end(), addr,
                       [](const RoundPage* page, uint64_t value) { return page->addr < value; });
  if (above == pages.begin()) return **above;
  const auto below = std::prev(above);
  const bool is_above = above != pages.end() && (*above)->addr - addr < addr - (*below)->addr;
  return is_above ? **above : **below;
}

bool is_old(const RoundPage& page) {
  return !page.tracked() || (!page.accessed && page.observed_ns - page.since_ns >= kOldNs);
}

}  // namespace

void PageRound::take_pages() {
  pages_.clear();
  for (RoundPage& page : sample_) pages_.push_back(&page);
  sentinels_.clear();
  sort_pages();
  hot_.clear();
  std::copy_if(pages_.begin(), pages_.end(), std::back_inserter(hot_),
               [](CheckedPage* page) { return round_page(page).hot; });
  due_.clear();
  nr_taken_ = 0;
}

void PageRound::begin(Kind kind, int64_t now_ns, int64_t distance_ns, bool nothing_known) {
  kind_ = kind;
  if (kind != Kind::kSentinels) ++round_;
  passed_ns_ = now_ns - began_ns_;
  began_ns_ = now_ns;
  nothing_known_ = all_ = nothing_known;
  nr_taken_ = 0;
  accesses_ = sentinel_accesses_ = 0;
  old_checked_ = false;
  sort_pages();
  due_.clear();
  const bool only_sentinels = kind == Kind::kSentinels && !all_;
  for (std::span<CheckedPage* const> rest(only_sentinels ? sentinels_ : pages_); !rest.empty();) {
    const std::span<CheckedPage* const> word = first_word(rest);
    rest = rest.subspan(word.size());
    const bool due = all_ || std::any_of(word.begin(), word.end(), [&](CheckedPage* page) {
                       return page->worth_a_check() && is_due(round_page(page), distance_ns);
                     });
    std::copy_if(word.begin(), word.end(), std::back_inserter(due_),
                 [&](CheckedPage* page) { return due || !page->worth_a_check(); });
  }
}

// A check may have found pages to be part of other folios. As a rule none has.
void PageRound::sort_pages() {
  const auto moved = [](CheckedPage* page) { return page->word() != round_page(page).round_word; };
  if (!sentinels_.empty() && std::none_of(pages_.begin(), pages_.end(), moved)) return;
  std::sort(pages_.begin(), pages_.end(), ascending_by_word);
  sentinels_.clear();
  for (CheckedPage* const page : pages_) {
    round_page(page).round_word = page->word();
    round_page(page).sentinel = is_sentinel(*page);
    if (round_page(page).sentinel) sentinels_.push_back(page);
  }
}

bool PageRound::is_due(const RoundPage& page, int64_t distance_ns) const {
  if (page.observed_ns == 0 || !is_old(page)) return true;
  if (kind_ == Kind::kSentinels) return false;
  const int64_t idle_ns = page.observed_ns - page.since_ns;
  const int64_t turn_ns = std::clamp(idle_ns / 2, kMinTurnNs, kMaxTurnNs);
  const auto turns = static_cast<uint64_t>(std::max<int64_t>(turn_ns / distance_ns, 1));
  return (round_ + page.addr_word) % turns == 0;
}

std::span<CheckedPage* const> PageRound::next_portion(size_t max_pages) {
  if (nr_taken_ == due_.size() && !all_ && kind_ != Kind::kSentinels &&
      old_accessed_ >= kOldAccesses) {
    add_old();
  }
  const std::span<CheckedPage* const> rest = std::span(due_).subspan(nr_taken_);
  size_t size = 0;
  while (size < rest.size() && size < max_pages) size += first_word(rest.subspan(size)).size();
  nr_taken_ += size;
  return rest.first(size);
}

// Some of the old pages whose turn it was were accessed, so others must have been: all are due now.
// Until the last round without such accesses they were idle.
void PageRound::add_old() {
  all_ = true;
  for (CheckedPage* const due : due_) {
    if (round_page(due).observed_ns >= began_ns_) round_page(due).note_idle(idle_until_ns_);
  }
  for (CheckedPage* const page : pages_) {
    const bool was_due = !is_old(round_page(page)) || round_page(page).observed_ns >= began_ns_;
    if (was_due) continue;
    round_page(page).note_idle(idle_until_ns_);
    due_.push_back(page);
  }
}

void PageRound::note_checks(std::span<CheckedPage* const> pages, int64_t now_ns) {
  for (CheckedPage* const checked : pages) {
    RoundPage& page = round_page(checked);
    if (nothing_known_ || page.access == PageAccess::kUnknown) {
      page.note_mark(now_ns);
      continue;
    }
    const RoundPage before = page;
    page.note_check(now_ns);
    if (before.observed_ns == 0) continue;
    const bool was_old = !before.accessed && is_old(before);
    if (was_old) old_checked_ = true;
    if (!page.accessed) continue;
    if (was_old) ++old_accessed_;
    count_access(before, page);
  }
}

void PageRound::count_access(const RoundPage& before, const RoundPage& page) {
  const double accesses = weight(before, page);
  const double rare = counted_ == Counted::kAll ? 1 : rare_part(before, page);
  accesses_ += rare * accesses;
  if (page.sentinel) sentinel_accesses_ += (1 - rare) * accesses;
}

// What an access counts that the last check has found. The next access within the same sampling
// interval is no other one: a page accessed again after half of it counts with half an access.
double PageRound::weight(const RoundPage& before, const RoundPage& page) const {
  // Hot pages have bandwidth checks, but not in the last period before a refresh. What is idle in
  // between may be accessed in that period only.
  const bool is_covered = before.hot && (kind_ != Kind::kLast || before.accessed);
  if (counted_ == Counted::kUncovered && is_covered) return 0;
  if (before.last_access_ns == PageHistory::kNever) return 1;
  const auto apart_ns = static_cast<double>(page.last_access_ns - before.last_access_ns);
  return std::clamp(apart_ns / static_cast<double>(sample_ns_), 0.0, 1.0);
}

// Sentinels tell how many more accesses, or fewer, there were than if what has stayed hot were hot
// all the time. How much memory that is, all pages tell.
double PageRound::accesses_per_page() const {
  const auto share_of = [](double part, size_t all) {
    return part / static_cast<double>(std::max<size_t>(all, 1));
  };
  const double found =
      share_of(accesses_, pages_.size()) + share_of(sentinel_accesses_, sentinels_.size());
  if (counted_ != Counted::kSentinels) return found;
  const auto share_stayed_hot = [&](std::span<CheckedPage* const> pages) {
    const auto stayed_hot = std::count_if(
        pages.begin(), pages.end(), [](CheckedPage* page) { return round_page(page).stayed_hot; });
    return share_of(static_cast<double>(stayed_hot), pages.size());
  };
  const double more = share_stayed_hot(pages_) - share_stayed_hot(sentinels_);
  return found + more * static_cast<double>(passed_ns_) / static_cast<double>(sample_ns_);
}

double PageRound::end() {
  const double accesses = accesses_per_page();
  if (kind_ != Kind::kSentinels || all_) {
    if (all_) old_accessed_ = 0;
    if (old_accessed_ == 0 && old_checked_) idle_until_ns_ = began_ns_;
  }
  if (kind_ == Kind::kLast) {
    date_changes();
    take_hot();
    watched_since_ns_ = all_began_ns_;
  }
  if (kind_ != Kind::kSentinels) all_began_ns_ = began_ns_;
  return accesses;
}

// Of pages that became hot or idle between the last two rounds of all pages it is only known
// that they did. It is taken to have been when the nearest sentinel did the same.
void PageRound::date_changes() {
  for (const bool accessed : {false, true}) {
    const auto changed = [&](const RoundPage& page) {
      return page.tracked() && page.accessed == accessed && page.since_ns > watched_since_ns_ &&
             page.since_ns < all_began_ns_;
    };
    std::vector<const RoundPage*> sentinels;  // ascending by address
    for (const RoundPage& page : sample_) {
      if (page.sentinel && changed(page)) sentinels.push_back(&page);
    }
    if (sentinels.empty()) continue;
    for (RoundPage& page : sample_) {
      if (!page.sentinel && changed(page)) page.since_ns = nearest(sentinels, page.addr).since_ns;
    }
  }
}

void PageRound::take_hot() {
  hot_.clear();
  for (CheckedPage* const page : pages_) {
    const bool was_hot =
        std::exchange(round_page(page).hot, round_page(page).accessed && page->tracked());
    round_page(page).stayed_hot = was_hot && round_page(page).hot;
    if (round_page(page).hot) hot_.push_back(page);
  }
}

}  // namespace damon_statfs
