// SPDX-License-Identifier: GPL-2.0-or-later
//
// A round takes the pages that are due in portions, with pauses between them. The last round before
// a refresh looks, and leaves most of those that were accessed unmarked, because the next look at
// them matters only a period before the next refresh; until then scouts are looked at. Between
// rounds, some of the pages in use are marked and looked at one sampling interval later: that is
// the bandwidth.
#include "engine/pages/page_sampler.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "engine/base/memory_ranges.h"
#include "engine/base/wide.h"
#include "engine/pages/page_statistics.h"

namespace damon_statfs {
namespace {

constexpr int64_t kPeriodNs = kNsPerSecond;        // about; the refresh interval is a multiple
constexpr uint64_t kPeriodsApart = 5;              // rounds of all pages, before the last two
constexpr int64_t kMinRefreshNs = 100 * kNsPerMs;  // looking more often would cost too much
constexpr int64_t kAdaptNs = 5 * kNsPerSecond;     // about; the sample to its cost
constexpr size_t kPortionPages = 512;
constexpr int64_t kPauseNs = kNsPerMs;        // between portions
constexpr int64_t kMarginNs = 20 * kNsPerMs;  // between counting and the next round

// Those of the pages that `wanted` says, ascending by group: any look since the pages were in order
// may have found some to be part of other folios. Few do, and sorting costs more than to see that.
template <class Wanted>
std::vector<CheckedPage*> sorted_where(std::span<CheckedPage* const> pages, const Wanted& wanted) {
  std::vector<CheckedPage*> sorted;
  std::copy_if(pages.begin(), pages.end(), std::back_inserter(sorted), wanted);
  const auto ascending = [](const CheckedPage* a, const CheckedPage* b) {
    return a->word() < b->word();
  };
  if (!std::is_sorted(sorted.begin(), sorted.end(), ascending)) {
    std::stable_sort(sorted.begin(), sorted.end(), ascending);
  }
  return sorted;
}

uint64_t periods_in(int64_t ns) {
  return static_cast<uint64_t>(std::max<int64_t>((ns + kPeriodNs / 2) / kPeriodNs, 1));
}

}  // namespace

PageSampler::PageSampler(const PageSamplerConfig& config, PageChecks& checks, const Clock& clock,
                         MonitoringObserver& observer)
    : checks_(checks),
      clock_(clock),
      observer_(observer),
      attrs_(normalised(config.attrs)),
      max_cpu_percent_(config.max_cpu_percent),
      exclude_untracked_(config.exclude_untracked),
      log_(config.log),
      random_(config.seed),
      sample_(config.page_bytes, config.seed ^ 0x70616765),
      round_(sample_),
      size_(config.max_cpu_percent),
      rate_(config.attrs) {
  set_refresh_ms(config.refresh_ms);
}

void PageSampler::set_refresh_ms(uint64_t refresh_ms) {
  refresh_ns_ = std::max(static_cast<int64_t>(refresh_ms) * kNsPerMs, kMinRefreshNs);
  nr_periods_ = periods_in(refresh_ns_);
  period_ns_ = refresh_ns_ / static_cast<int64_t>(nr_periods_);
}

Result<void> PageSampler::start() {
  DAMON_STATFS_TRY(ranges, checks_.open());
  ranges_ = std::move(ranges);
  monitored_bytes_ = total_bytes(ranges_);
  const int64_t now_ns = clock_.now_ns();
  last_adapted_ns_ = now_ns;
  last_cpu_ns_ = clock_.thread_cpu_ns();
  suspended_ns_ = clock_.suspended_ns();
  next_update_ns_ = now_ns + static_cast<int64_t>(attrs_.update_us) * kNsPerUs;
  fit_sample();
  begin_refresh_interval();
  return outcome::success();
}

// Its first round begins now, and says nothing of the time before.
void PageSampler::begin_refresh_interval() {
  refresh_due_ns_ = clock_.now_ns() + refresh_ns_;
  periods_left_ = nr_periods_;
  phase_ = Phase::kLooking;
  round_begun_ = false;
  trials_left_ = 0;
  deadline_ns_ = clock_.now_ns();
}

// Another refresh interval has other rounds, so it begins at once.
void PageSampler::change(const RunSettings& settings) {
  rate_.set_goal(settings.goal);
  if (settings.max_cpu_percent != max_cpu_percent_) {
    max_cpu_percent_ = settings.max_cpu_percent;
    size_.set_max_cpu_percent(max_cpu_percent_);
    warned_ = false;
  }
  const int64_t refresh_before_ns = refresh_ns_;
  set_refresh_ms(settings.refresh_ms);
  if (refresh_ns_ != refresh_before_ns) begin_refresh_interval();
}

void PageSampler::stop() {
  observer_.before_stop();
  checks_.close();
}

Result<void> PageSampler::step() {
  switch (phase_) {
    case Phase::kLooking:
      return look_at_portion();
    case Phase::kMarking:
      return mark_tried();
    case Phase::kCounting:
      return count_tried();
  }
  return outcome::success();
}

void PageSampler::fit_sample() {
  sample_.fit(ranges_, size_.nr_words(), clock_.now_ns());
  take_sample();
}

void PageSampler::take_sample() {
  round_.take_sample();
  used_share_ = 0;
  chosen_.clear();
  trials_left_ = 0;
}

Result<void> PageSampler::look_at_portion() {
  if (!round_begun_) begin_round();
  const std::span<CheckedPage* const> portion = round_.next_portion(kPortionPages);
  if (portion.empty()) return end_round();
  BOOST_OUTCOME_TRYV(look(portion));
  const bool marks = periods_left_ > 0 || nr_periods_ == 1 || nothing_known_;
  BOOST_OUTCOME_TRYV(mark(portion, !marks));
  deadline_ns_ = clock_.now_ns() + kPauseNs;
  return outcome::success();
}

// What a suspended machine did not access is not idle, nor hot what its waking up accessed.
void PageSampler::begin_round() {
  round_begun_ = true;
  round_began_ns_ = clock_.now_ns();
  const int64_t suspended_ns = clock_.suspended_ns();
  const bool first = periods_left_ == nr_periods_;
  nothing_known_ = first || suspended_ns > suspended_ns_ + kSuspendNoiseNs;
  suspended_ns_ = suspended_ns;
  const auto nr_rounds = static_cast<int64_t>(  // of all pages, in a refresh interval
      nr_periods_ == 1 ? 1 : 2 + (nr_periods_ - 2) / kPeriodsApart);
  const bool scouts = periods_left_ > 1 && (periods_left_ - 1) % kPeriodsApart != 0 && !first;
  const auto kind = periods_left_ == 0 ? PageRound::Kind::kLast
                    : scouts           ? PageRound::Kind::kScouts
                                       : PageRound::Kind::kAll;
  // Pages in use are looked at once per refresh interval, scouts in every round.
  round_.count(sample_ns() < period_ns_    ? PageRound::Counted::kUntried
               : sample_ns() < refresh_ns_ ? PageRound::Counted::kScouts
                                           : PageRound::Counted::kAll,
               sample_ns());
  round_.begin(kind, round_began_ns_, refresh_ns_ / nr_rounds, nothing_known_);
}

// Looks at those of the pages that a look can tell something about.
Result<void> PageSampler::look(std::span<CheckedPage* const> pages) {
  const std::vector<CheckedPage*> looked_at =
      sorted_where(pages, [](const CheckedPage* page) { return page->worth_a_check(); });
  BOOST_OUTCOME_TRYV(checks_.check_pages(looked_at));
  nr_checks_ += looked_at.size();
  const int64_t now_ns = clock_.now_ns();
  if (phase_ == Phase::kLooking) {
    round_.note_looks(looked_at, now_ns);
    return outcome::success();
  }
  // What was not accessed within one sampling interval is no less in use for that.
  for (CheckedPage* const page : looked_at) {
    if (page->access == PageAccess::kAccessed) static_cast<PageHistory*>(page)->note_look(now_ns);
  }
  return outcome::success();
}

// Marks those of the pages, or of the scouts among them, that are not marked.
Result<void> PageSampler::mark(std::span<CheckedPage* const> pages, bool scouts_only) {
  return checks_.mark_pages(sorted_where(pages, [&](const CheckedPage* page) {
    const bool chosen = !scouts_only || static_cast<const PageHistory*>(page)->scout;
    return page->tracked() && !page->marked && chosen;
  }));
}

Result<void> PageSampler::end_round() {
  round_begun_ = false;
  take_looks(round_.end());
  if (periods_left_ == 0) {
    used_known_ = true;
    refresh();
    round_.forget_accesses();
  }
  plan_trials();
  BOOST_OUTCOME_TRYV(adapt_sample());
  plan_trial();
  return outcome::success();
}

// Until used() is known, nobody can tell whose accesses trials will tell of.
void PageSampler::take_looks(double accesses_per_page) {
  const int64_t passed_ns = round_began_ns_ - counted_to_ns_;
  counted_to_ns_ = round_began_ns_;
  if (used_known_ && !nothing_known_) rate_.add_looks(accesses_per_page, passed_ns);
}

// Without pages in use, or with a sampling interval not shorter than a period, looks tell enough.
// In the last period before a refresh a trial would be in the way of the last look, but in the
// first refresh interval nothing is known before.
void PageSampler::plan_trials() {
  trials_left_ = 0;
  const uint64_t next_round = round_after(periods_left_);
  trials_ns_ = std::max<int64_t>(round_start_ns(next_round) - clock_.now_ns(), 0);
  if (nothing_known_ || (used_known_ && next_round == 0 && nr_periods_ > 1)) return;
  if (!used_known_) {
    if (next_round > 0) return;
    round_.take_used();
  }
  const std::span<CheckedPage* const> used = round_.used();
  used_share_ = static_cast<double>(used.size()) /
                static_cast<double>(std::max<size_t>(round_.pages().size(), 1));
  if (used.empty() || sample_ns() >= period_ns_) {
    rate_.add(0, sample_ns());
    return;
  }
  const Trials trials = rate_.plan(used_share_, trials_ns_ - kMarginNs, size_.few_trials());
  chosen_ = AccessRate::choose(used, trials.nr_pages, random_);
  nr_trials_ = trials_left_ = std::min<uint64_t>(trials.count, chosen_.size());
}

// Trials are at random moments, so that a load with the same period is not met in one phase, as
// long as there is time for them.
void PageSampler::plan_trial() {
  const int64_t now_ns = clock_.now_ns();
  const int64_t end_ns = round_start_ns(round_after(periods_left_)) - kMarginNs;
  const int64_t spare_ns = end_ns - now_ns - sample_ns();
  if (trials_left_ == 0 || spare_ns <= 0) {
    rate_.end_trials(trials_ns_);
    wait_for_round();
    return;
  }
  const auto choice_ns = static_cast<uint64_t>(spare_ns) / trials_left_;
  --trials_left_;
  phase_ = Phase::kMarking;
  deadline_ns_ = now_ns + static_cast<int64_t>(random_.in_range(0, choice_ns + 1));
}

void PageSampler::refresh() {
  const int64_t now_ns = clock_.now_ns();
  refresh_due_ns_ = std::max(refresh_due_ns_ + refresh_ns_, now_ns + refresh_ns_ / 2);
  take_statistics();
  Statistics statistics;
  statistics.aggr_interval_us = rate_.aggr_us();
  statistics.estimated_memory_bandwidth_bytes_per_s =
      to_u64_saturated(rate_.take_bytes_per_s(monitored_bytes_));
  statistics.memory_idle_ms_percentiles = found_.memory_idle_ms_percentiles;
  MonitoringDetails details;
  details.monitored_bytes = monitored_bytes_;
  details.sample_us = rate_.sample_us();
  details.aggr_us = rate_.aggr_us();
  details.nr_checks = nr_checks_;
  details.share_percent = found_.share_percent;
  PageDetails pages;
  pages.untracked_bytes =
      to_u64_saturated(found_.untracked_share * static_cast<double>(monitored_bytes_));
  pages.nr_pages = sample_.pages().size();
  pages.check_period_ms = static_cast<uint64_t>(period_ns_ / kNsPerMs);
  pages.share_error_percent = found_.share_error_percent;
  details.by_estimator = pages;
  observer_.refreshed(statistics, details);
}

// No page is no value: zeros would say that all memory is in use. The last values stay.
void PageSampler::take_statistics() {
  const PageStatistics found = make_page_statistics(sample_, exclude_untracked_, clock_.now_ns());
  const bool none_counted = none_counts_;
  none_counts_ = found.nr_pages == 0;
  if (!none_counts_) {
    found_ = found;
    return;
  }
  found_.untracked_share = found.untracked_share;
  if (none_counted) return;
  log_(LogLevel::kWarning,
       "untracked=exclude leaves nothing: no page of the sample can be tracked, so the idle times "
       "stay as they were until one can");
}

Result<void> PageSampler::adapt_sample() {
  const int64_t now_ns = clock_.now_ns();
  const uint64_t words_before = size_.nr_words();
  bool resized = false;
  bool moved = false;
  if (now_ns - last_adapted_ns_ > kAdaptNs - period_ns_ / 2) {
    const int64_t cpu_ns = clock_.thread_cpu_ns();
    resized = size_.adapt(cpu_ns - last_cpu_ns_, now_ns - last_adapted_ns_);
    last_cpu_ns_ = cpu_ns;
    last_adapted_ns_ = now_ns;
    warn_if_over_budget();
  }
  if (now_ns >= next_update_ns_) {
    next_update_ns_ = now_ns + static_cast<int64_t>(attrs_.update_us) * kNsPerUs;
    DAMON_STATFS_TRY(ranges, checks_.update());
    moved = ranges != ranges_;
    ranges_ = std::move(ranges);
    monitored_bytes_ = total_bytes(ranges_);
  }
  if (!resized && !moved) return outcome::success();
  if (moved || size_.nr_words() > words_before) {
    fit_sample();
  } else {
    sample_.thin(size_.nr_words());
    take_sample();
  }
  log_(LogLevel::kDebug, fmt::format("the sample has {} pages now", sample_.pages().size()));
  return outcome::success();
}

void PageSampler::warn_if_over_budget() {
  if (!size_.over_budget() || warned_) return;
  warned_ = true;
  log_(LogLevel::kWarning,
       fmt::format("max_cpu={:g} is too little for the smallest sample ({} pages); it is used all "
                   "the same",
                   max_cpu_percent_, sample_.pages().size()));
}

// The pages of one trial are from all over memory.
Result<void> PageSampler::mark_tried() {
  tried_.clear();
  for (size_t i = trials_left_; i < chosen_.size(); i += nr_trials_) tried_.push_back(chosen_[i]);
  BOOST_OUTCOME_TRYV(look(tried_));
  BOOST_OUTCOME_TRYV(mark(tried_, false));
  marked_ns_ = clock_.now_ns();
  phase_ = Phase::kCounting;
  deadline_ns_ = marked_ns_ + sample_ns();
  return outcome::success();
}

// A page whose mark was not taken tells neither of a hit nor of none.
Result<void> PageSampler::count_tried() {
  BOOST_OUTCOME_TRYV(look(tried_));
  const auto found = [this](PageAccess access) {
    return static_cast<double>(
        std::count_if(tried_.begin(), tried_.end(),
                      [=](const CheckedPage* page) { return page->access == access; }));
  };
  const double known = static_cast<double>(tried_.size()) - found(PageAccess::kUnknown);
  if (known > 0) {
    rate_.add(used_share_ * found(PageAccess::kAccessed) / known, clock_.now_ns() - marked_ns_);
  }
  plan_trial();
  return outcome::success();
}

uint64_t PageSampler::round_after(uint64_t periods_left) const {
  return (periods_left == 0 ? nr_periods_ : periods_left) - 1;
}

// The last look tells what was accessed since the round before it, so it keeps its distance.
int64_t PageSampler::round_start_ns(uint64_t periods_left) const {
  const int64_t planned_ns = refresh_due_ns_ - static_cast<int64_t>(periods_left) * period_ns_;
  return periods_left > 0 ? planned_ns : std::max(planned_ns, round_began_ns_ + period_ns_ * 3 / 4);
}

void PageSampler::wait_for_round() {
  const int64_t now_ns = clock_.now_ns();
  uint64_t next = round_after(periods_left_);
  while (next > 1 && round_start_ns(round_after(next)) <= now_ns)
    next = round_after(next);  // missed
  periods_left_ = next;
  phase_ = Phase::kLooking;
  deadline_ns_ = std::max(round_start_ns(next), now_ns);
}

}  // namespace damon_statfs
