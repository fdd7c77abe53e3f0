// SPDX-License-Identifier: GPL-2.0-or-later
//
// A kdamond counts its periods, which take longer than nominal. How many have passed between two
// aggregations shows in the ages of pages whose state has not changed, and so does how long one
// really takes.
#include "engine/damon/page_histories.h"

#include <algorithm>
#include <cmath>

#include "damon_statfs/clock.h"
#include "engine/base/wide.h"

namespace damon_statfs {
namespace {

// An access is taken to have happened in the middle of the period in which it was found.
constexpr double kMiddle = 0.5;

double as_double(int64_t value) { return static_cast<double>(value); }

}  // namespace

PageHistories::PageHistories(int64_t now_ns, int64_t period_ns)
    : period_ns_(period_ns),
      time_(now_ns),
      ended_ns_(now_ns),
      selected_ns_(now_ns),
      reset_ns_(now_ns) {}

void PageHistories::start(int64_t now_ns) {
  time_ = NominalTime(now_ns);
  ended_ns_ = selected_ns_ = reset_ns_ = now_ns;
  for (PageState& page : pages_) page.since_ns = now_ns;
}

void PageHistories::select(std::span<const PageState> pages, int64_t now_ns) {
  const std::vector<PageState> old = std::move(pages_);
  const std::vector<Told> old_told = std::move(told_);
  pages_.clear();
  told_.clear();
  size_t next = 0;
  for (const PageState& page : pages) {
    while (next < old.size() && old[next].addr < page.addr) ++next;
    const bool kept = next < old.size() && old[next].addr == page.addr;
    pages_.push_back(kept ? old[next] : page);
    if (!kept) pages_.back().observed_ns = 0;
    told_.push_back(kept ? old_told[next] : Told());
  }
  selected_ns_ = now_ns;
  selected_anew_ = true;
}

void PageHistories::set_period(int64_t period_ns) {
  period_ns_ = period_ns;
  for (Told& told : told_) told.known = false;
}

void PageHistories::note_disturbance(int64_t from_ns, int64_t to_ns) {
  disturbed_from_ns_ = from_ns;
  disturbed_to_ns_ = to_ns;
}

void PageHistories::take(const RegionSnapshot& snapshot) {
  const int64_t passed_ns = std::max<int64_t>(snapshot.ended_ns - ended_ns_, 1);
  const uint64_t periods = periods_passed(snapshot);
  real_per_nominal_ = as_double(passed_ns) / (static_cast<double>(periods) * as_double(period_ns_));
  time_.advance(snapshot.ended_ns, real_per_nominal_);
  nr_periods_ = std::min<uint64_t>(nr_periods_ + periods, kRecentPeriods);
  ended_ns_ = snapshot.ended_ns;
  if (selected_anew_) note_reset(snapshot);
  selected_anew_ = false;
  in_use_.clear();
  nr_now_and_then_ = 0;
  size_t next = 0;
  const std::vector<Region>& regions = snapshot.regions;
  for (size_t i = 0; i < pages_.size(); ++i) {
    while (next < regions.size() && regions[next].start < pages_[i].addr) ++next;
    if (next == regions.size() || regions[next].start != pages_[i].addr) continue;
    const bool known = told_[i].known;
    take_page(pages_[i], told_[i], regions[next]);
    count(pages_[i], regions[next], known);
  }
}

// The largest growth of an age is that of a page whose state was the same all the time. From the
// start on, the age of an idle page is how many periods there were, of one in use one less.
uint64_t PageHistories::periods_passed(const RegionSnapshot& snapshot) const {
  uint64_t grown = 0;
  size_t next = 0;
  for (const Region& region : snapshot.regions) {
    while (next < pages_.size() && pages_[next].addr < region.start) ++next;
    if (next == pages_.size()) break;
    const Told& told = told_[next];
    const bool accessed = region.nr_accesses > 0;
    if (pages_[next].addr != region.start) continue;
    if (nr_periods_ == 0) {
      grown = std::max<uint64_t>(grown, uint64_t{region.age} + (accessed ? 1 : 0));
    } else if (told.known && told.accessed == accessed && region.age > told.age) {
      grown = std::max<uint64_t>(grown, region.age - told.age);
    }
  }
  if (grown > 0) return grown;
  const double nominal = as_double(snapshot.ended_ns - ended_ns_) / as_double(period_ns_);
  return std::max<uint64_t>(to_u64_saturated(std::round(nominal / real_per_nominal_)), 1);
}

// Before Linux 6.10 a kdamond that is given other pages begins anew with all of them.
void PageHistories::note_reset(const RegionSnapshot& snapshot) {
  uint32_t oldest = 0;
  for (const Region& region : snapshot.regions) oldest = std::max(oldest, region.age);
  if (before_ns(double{1} + oldest) > selected_ns_ - real_period_ns()) reset_ns_ = selected_ns_;
}

void PageHistories::take_page(PageState& page, Told& told, const Region& region) {
  const bool accessed = region.nr_accesses > 0;
  const bool changed = page.accessed != accessed;
  if (changed || !has_lasted(page, told, before_ns(double{1} + region.age))) {
    // An access ends an idle time, and begins a time in use.
    page.since_ns = before_ns(region.age + (accessed ? kMiddle : 1 + kMiddle));
    page.last_access_ns = page.since_ns;
  }
  if (accessed) page.last_access_ns = before_ns(kMiddle);
  page.accessed = accessed;
  page.observed_ns = ended_ns_;
  told = {true, accessed, region.age};
}

// Whether a page whose state began at the earliest at began_ns has been in that state ever since it
// was last told of, or since it was selected.
bool PageHistories::has_lasted(const PageState& page, const Told& told, int64_t began_ns) const {
  const int64_t period_ns = real_period_ns();
  if (began_ns <= std::max(told.known ? page.observed_ns - period_ns : selected_ns_, reset_ns_) +
                      period_ns * 3 / 2) {
    return true;
  }
  return page.accessed && disturbed_from_ns_ - period_ns <= began_ns &&
         began_ns <= disturbed_to_ns_ + period_ns;
}

// An idle page that has not changed since it was selected tells of no access.
void PageHistories::count(const PageState& page, const Region& region, bool known) {
  const uint64_t lasted = uint64_t{region.age} + 1;
  if (page.accessed && lasted >= nr_periods_) {
    in_use_.push_back(page.addr);
  } else if (page.accessed || (known && lasted < nr_periods_)) {
    ++nr_now_and_then_;
  }
}

int64_t PageHistories::real_period_ns() const {
  return to_ns_saturated(as_double(period_ns_) * real_per_nominal_);
}

int64_t PageHistories::before_ns(double periods) const {
  return time_.before_now_ns(to_ns_saturated(periods * as_double(period_ns_)));
}

}  // namespace damon_statfs
