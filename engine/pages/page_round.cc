// SPDX-License-Identifier: GPL-2.0-or-later
//
// Pages in use are never old: only a short time without access tells that they no longer are.
#include "engine/pages/page_round.h"

#include <algorithm>
#include <iterator>

#include "damon_statfs/clock.h"

namespace damon_statfs {
namespace {

// A page that has been idle for so long is old. It is looked at every half of that time, within
// these bounds.
constexpr int64_t kOldNs = 10 * kNsPerSecond;
constexpr int64_t kMinTurnNs = 5 * kNsPerSecond;
constexpr int64_t kMaxTurnNs = 20 * kNsPerSecond;
constexpr uint64_t kOldAccesses = 2;  // no longer chance

bool ascending_by_group(const CheckedPage* a, const CheckedPage* b) {
  return a->word() != b->word() ? a->word() < b->word() : a->addr < b->addr;
}

PageHistory& history(CheckedPage* page) { return static_cast<PageHistory&>(*page); }

// Precondition: there are some, ascending by address.
const PageHistory& nearest(std::span<const PageHistory* const> pages, uint64_t addr) {
  const auto above =
      std::lower_bound(pages.begin(), pages.end(), addr,
                       [](const PageHistory* page, uint64_t value) { return page->addr < value; });
  if (above == pages.begin()) return **above;
  const auto below = std::prev(above);
  const bool is_above = above != pages.end() && (*above)->addr - addr < addr - (*below)->addr;
  return is_above ? **above : **below;
}

bool is_old(const PageHistory& page) {
  return !page.tracked() || (!page.accessed && page.looked_ns - page.since_ns >= kOldNs);
}

}  // namespace

void PageRound::take_sample() {
  pages_.clear();
  for (PageHistory& page : sample_.pages()) pages_.push_back(&page);
  scouts_.clear();
  sort_pages();
  used_.clear();
  std::copy_if(pages_.begin(), pages_.end(), std::back_inserter(used_),
               [](CheckedPage* page) { return history(page).used; });
  due_.clear();
  nr_taken_ = 0;
}

void PageRound::begin(Kind kind, int64_t now_ns, int64_t distance_ns, bool nothing_known) {
  kind_ = kind;
  if (kind != Kind::kScouts) ++round_;
  passed_ns_ = now_ns - began_ns_;
  began_ns_ = now_ns;
  nothing_known_ = all_ = nothing_known;
  nr_taken_ = 0;
  accesses_ = 0;
  old_looked_at_ = false;
  sort_pages();
  due_.clear();
  const bool only_scouts = kind == Kind::kScouts && !all_;
  for (std::span<CheckedPage* const> rest(only_scouts ? scouts_ : pages_); !rest.empty();) {
    const std::span<CheckedPage* const> group = first_word(rest);
    rest = rest.subspan(group.size());
    const bool due = all_ || std::any_of(group.begin(), group.end(), [&](CheckedPage* page) {
                       return page->worth_a_check() && is_due(history(page), distance_ns);
                     });
    std::copy_if(group.begin(), group.end(), std::back_inserter(due_),
                 [&](CheckedPage* page) { return due || !page->worth_a_check(); });
  }
}

// A look may have found pages to be part of other folios. As a rule none has.
void PageRound::sort_pages() {
  const auto moved = [](CheckedPage* page) { return page->word() != history(page).round_word; };
  if (!scouts_.empty() && std::none_of(pages_.begin(), pages_.end(), moved)) return;
  std::sort(pages_.begin(), pages_.end(), ascending_by_group);
  scouts_.clear();
  for (CheckedPage* const page : pages_) {
    history(page).round_word = page->word();
    history(page).scout = is_scout(*page);
    if (history(page).scout) scouts_.push_back(page);
  }
}

bool PageRound::is_due(const PageHistory& page, int64_t distance_ns) const {
  if (page.looked_ns == 0 || !is_old(page)) return true;
  if (kind_ == Kind::kScouts) return false;
  const int64_t idle_ns = page.looked_ns - page.since_ns;
  const int64_t turn_ns = std::clamp(idle_ns / 2, kMinTurnNs, kMaxTurnNs);
  const auto turns = static_cast<uint64_t>(std::max<int64_t>(turn_ns / distance_ns, 1));
  return (round_ + page.addr / sample_.word_bytes()) % turns == 0;
}

std::span<CheckedPage* const> PageRound::next_portion(size_t max_pages) {
  if (nr_taken_ == due_.size() && !all_ && kind_ != Kind::kScouts &&
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
    if (history(due).looked_ns >= began_ns_) history(due).note_idle(idle_until_ns_);
  }
  for (CheckedPage* const page : pages_) {
    const bool was_due = !is_old(history(page)) || history(page).looked_ns >= began_ns_;
    if (was_due) continue;
    history(page).note_idle(idle_until_ns_);
    due_.push_back(page);
  }
}

void PageRound::note_looks(std::span<CheckedPage* const> pages, int64_t now_ns) {
  for (CheckedPage* const looked_at : pages) {
    PageHistory& page = history(looked_at);
    if (nothing_known_ || page.access == PageAccess::kUnknown) {
      page.note_mark(now_ns);
      continue;
    }
    const PageHistory before = page;
    page.note_look(now_ns);
    if (before.looked_ns == 0) continue;
    const bool was_old = !before.accessed && is_old(before);
    if (was_old) old_looked_at_ = true;
    if (!page.accessed) continue;
    if (was_old) ++old_accessed_;
    accesses_ += weight(before, page);
  }
}

// What an access counts that the last look has found. The next access within the same sampling
// interval is no other one: a page accessed again after half of it counts with half an access.
double PageRound::weight(const PageHistory& before, const PageHistory& page) const {
  if (counted_ != Counted::kAll && !page.scout) return 0;
  // Pages in use are tried, but not in the last period before a refresh. What is idle in between
  // may be accessed in that period only.
  const bool is_tried = before.used && (kind_ != Kind::kLast || before.accessed);
  if (counted_ == Counted::kUntried && is_tried) return 0;
  if (before.last_access_ns == PageHistory::kNever) return 1;
  const auto apart_ns = static_cast<double>(page.last_access_ns - before.last_access_ns);
  return std::clamp(apart_ns / static_cast<double>(sample_ns_), 0.0, 1.0);
}

// Scouts tell how many more accesses, or fewer, there were than if used() had been in use all the
// time. How much memory that is, all pages tell.
double PageRound::accesses_per_page() const {
  const auto share_of = [](double part, size_t all) {
    return part / static_cast<double>(std::max<size_t>(all, 1));
  };
  if (counted_ == Counted::kAll) return share_of(accesses_, pages_.size());
  const double found = share_of(accesses_, scouts_.size());
  if (counted_ == Counted::kUntried) return found;
  const auto used_scouts = std::count_if(scouts_.begin(), scouts_.end(),
                                         [](CheckedPage* page) { return history(page).used; });
  const double used_share = share_of(static_cast<double>(used_.size()), pages_.size()) -
                            share_of(static_cast<double>(used_scouts), scouts_.size());
  return found + used_share * static_cast<double>(passed_ns_) / static_cast<double>(sample_ns_);
}

double PageRound::end() {
  const double accesses = accesses_per_page();
  if (kind_ != Kind::kScouts || all_) {
    if (all_) old_accessed_ = 0;
    if (old_accessed_ == 0 && old_looked_at_) idle_until_ns_ = began_ns_;
  }
  if (kind_ == Kind::kLast) {
    date_changes();
    take_used();
    watched_since_ns_ = all_began_ns_;
  }
  if (kind_ != Kind::kScouts) all_began_ns_ = began_ns_;
  return accesses;
}

// Of pages that came into or out of use between the last two rounds of all pages it is only known
// that they did. It is taken to have been when the nearest scout did the same.
void PageRound::date_changes() {
  for (const bool accessed : {false, true}) {
    const auto changed = [&](const PageHistory& page) {
      return page.tracked() && page.accessed == accessed && page.since_ns > watched_since_ns_ &&
             page.since_ns < all_began_ns_;
    };
    std::vector<const PageHistory*> scouts;  // ascending by address
    for (const PageHistory& page : sample_.pages()) {
      if (page.scout && changed(page)) scouts.push_back(&page);
    }
    if (scouts.empty()) continue;
    for (PageHistory& page : sample_.pages()) {
      if (!page.scout && changed(page)) page.since_ns = nearest(scouts, page.addr).since_ns;
    }
  }
}

void PageRound::take_used() {
  used_.clear();
  for (CheckedPage* const page : pages_) {
    history(page).used = history(page).accessed && page->tracked();
    if (history(page).used) used_.push_back(page);
  }
}

}  // namespace damon_statfs
