// SPDX-License-Identifier: GPL-2.0-or-later
//
// The moments are random, so that a load with the same period is not met in one phase, as long as
// there is time for them.
#include "engine/pages/bandwidth_checks.h"

#include <algorithm>

#include "engine/pages/round_page.h"

namespace damon_statfs {

void BandwidthChecks::forget_pages() {
  hot_share_ = 0;
  chosen_.clear();
  marked_.clear();
  nr_left_ = 0;
}

void BandwidthChecks::begin(int64_t next_round_ns, int64_t end_ns) {
  marked_.clear();
  nr_left_ = 0;
  time_ns_ = std::max<int64_t>(next_round_ns - clock_.now_ns(), 0);
  end_ns_ = end_ns;
}

void BandwidthChecks::plan(std::span<CheckedPage* const> hot, size_t nr_pages, int64_t period_ns) {
  hot_share_ = static_cast<double>(hot.size()) / static_cast<double>(std::max<size_t>(nr_pages, 1));
  if (hot.empty() || sample_ns() >= period_ns) {
    bandwidth_.add_check(0, sample_ns());
    return;
  }
  const BandwidthPlan plan = bandwidth_.plan(hot_share_, end_ns_ - clock_.now_ns(), few_);
  chosen_ = Bandwidth::choose(hot, plan.nr_pages, random_);
  nr_planned_ = nr_left_ = std::min<uint64_t>(plan.nr_checks, chosen_.size());
}

bool BandwidthChecks::arm() {
  if (!marked_.empty()) return true;
  const int64_t now_ns = clock_.now_ns();
  const int64_t spare_ns = end_ns_ - now_ns - sample_ns();
  if (nr_left_ == 0 || spare_ns <= 0) {
    bandwidth_.end_checks(time_ns_);
    return false;
  }
  const auto choice_ns = static_cast<uint64_t>(spare_ns) / nr_left_;
  deadline_ns_ = now_ns + static_cast<int64_t>(random_.in_range(0, choice_ns + 1));
  return true;
}

Result<void> BandwidthChecks::step() { return marked_.empty() ? mark_next() : count_marked(); }

// What was not accessed within one sampling interval is no less hot for that.
Result<void> BandwidthChecks::check(std::span<CheckedPage* const> pages) {
  DAMON_STATFS_TRY(checked, checks_.check(pages));
  const int64_t now_ns = clock_.now_ns();
  for (CheckedPage* const page : checked) {
    if (page->access == PageAccess::kAccessed) static_cast<RoundPage*>(page)->note_check(now_ns);
  }
  return outcome::success();
}

// The pages of one check are from all over memory.
Result<void> BandwidthChecks::mark_next() {
  --nr_left_;
  std::vector<CheckedPage*> pages;
  for (size_t i = nr_left_; i < chosen_.size(); i += nr_planned_) pages.push_back(chosen_[i]);
  BOOST_OUTCOME_TRYV(check(pages));
  constexpr bool kSentinelsOnly = false;
  BOOST_OUTCOME_TRYV(checks_.mark(pages, kSentinelsOnly));
  marked_ = std::move(pages);
  marked_ns_ = clock_.now_ns();
  deadline_ns_ = marked_ns_ + sample_ns();
  return outcome::success();
}

// A page whose mark was not taken tells neither of an access nor of none.
Result<void> BandwidthChecks::count_marked() {
  const std::vector<CheckedPage*> pages = std::exchange(marked_, {});
  BOOST_OUTCOME_TRYV(check(pages));
  const auto found = [&](PageAccess access) {
    return static_cast<double>(
        std::count_if(pages.begin(), pages.end(),
                      [=](const CheckedPage* page) { return page->access == access; }));
  };
  const double known = static_cast<double>(pages.size()) - found(PageAccess::kUnknown);
  if (known > 0) {
    bandwidth_.add_check(hot_share_ * found(PageAccess::kAccessed) / known,
                         clock_.now_ns() - marked_ns_);
  }
  return outcome::success();
}

}  // namespace damon_statfs
