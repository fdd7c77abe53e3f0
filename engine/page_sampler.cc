// SPDX-License-Identifier: GPL-2.0-or-later
//
// A round looks at the sample in portions, with pauses between them. After it, some of the pages in
// use are looked at twice more, one sampling interval apart: that is the bandwidth.
#include "engine/page_sampler.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/memory_ranges.h"
#include "engine/page_statistics.h"

namespace damon_statfs {
namespace {

constexpr int64_t kPeriodNs = kNsPerSecond;        // about; the refresh interval is a multiple
constexpr int64_t kMinRefreshNs = 100 * kNsPerMs;  // looking more often would cost too much
constexpr int64_t kAdaptNs = 5 * kNsPerSecond;     // about
constexpr size_t kPortionPages = 512;
constexpr int64_t kPauseNs = kNsPerMs;        // between portions
constexpr int64_t kMarginNs = 20 * kNsPerMs;  // between counting and the next round

uint64_t rounds_in(int64_t ns) {
  return static_cast<uint64_t>(std::max<int64_t>((ns + kPeriodNs / 2) / kPeriodNs, 1));
}

}  // namespace

PageSampler::PageSampler(const PageSamplerConfig& config, Operations& operations,
                         const Clock& clock, PageSamplerObserver& observer)
    : operations_(operations),
      clock_(clock),
      observer_(observer),
      attrs_(config.attrs),
      refresh_ns_(std::max(static_cast<int64_t>(config.refresh_ms) * kNsPerMs, kMinRefreshNs)),
      nr_rounds_(rounds_in(refresh_ns_)),
      period_ns_(refresh_ns_ / static_cast<int64_t>(nr_rounds_)),
      adapt_stride_(static_cast<uint64_t>(std::max<int64_t>(kAdaptNs / period_ns_, 1))),
      max_cpu_percent_(config.max_cpu_percent),
      exclude_untracked_(config.exclude_untracked),
      log_(config.log),
      random_(config.seed),
      sample_(config.page_bytes, config.seed ^ 0x70616765),
      round_(sample_),
      size_(config.max_cpu_percent),
      rate_(config.attrs) {}

Result<void> PageSampler::start() {
  DAMON_STATFS_TRY(ranges, operations_.open());
  ranges_ = std::move(ranges);
  monitored_bytes_ = total_bytes(ranges_);
  const int64_t now_ns = clock_.now_ns();
  last_adapted_ns_ = deadline_ns_ = now_ns;
  last_cpu_ns_ = clock_.thread_cpu_ns();
  suspended_ns_ = clock_.suspended_ns();
  next_update_ns_ = now_ns + static_cast<int64_t>(attrs_.update_us) * kNsPerUs;
  fit_sample();
  refresh_due_ns_ = now_ns + refresh_ns_;
  rounds_left_ = nr_rounds_;
  return outcome::success();
}

Result<void> PageSampler::step() {
  switch (phase_) {
    case Phase::kLooking:
      return look_at_portion();
    case Phase::kMarking:
      return mark_chosen();
    case Phase::kCounting:
      return count_chosen();
  }
  return outcome::success();
}

void PageSampler::fit_sample() {
  sample_.fit(ranges_, size_.nr_words(), clock_.now_ns());
  round_.take_sample();
  used_.clear();
  trials_left_ = 0;  // until something is known of the new pages
}

Result<void> PageSampler::look_at_portion() {
  if (!round_begun_) begin_round();
  const std::span<SampledPage* const> portion = round_.next_portion(kPortionPages);
  if (portion.empty()) return end_round();
  BOOST_OUTCOME_TRYV(operations_.check_pages(portion));
  const int64_t now_ns = clock_.now_ns();
  round_.note_looks(portion, now_ns);
  nr_checks_ += portion.size();
  deadline_ns_ = now_ns + kPauseNs;
  return outcome::success();
}

// What a suspended machine did not access is not idle, nor hot what its waking up accessed.
void PageSampler::begin_round() {
  round_begun_ = true;
  const int64_t suspended_ns = clock_.suspended_ns();
  const bool first = rounds_left_ == nr_rounds_;
  nothing_known_ = first || suspended_ns > suspended_ns_ + kSuspendNoiseNs;
  suspended_ns_ = suspended_ns;
  // Of a sparse sample's two rounds, one is a period after the other, but both make a refresh.
  const int64_t distance_ns = size_.sparse() ? refresh_ns_ / 2 : period_ns_;
  round_.begin(clock_.now_ns(), distance_ns, nothing_known_);
}

Result<void> PageSampler::end_round() {
  round_begun_ = false;
  new_share_per_s_ = round_.end();
  used_ = round_.used();
  trials_left_ = nothing_known_ ? 0 : AccessRate::kTrials;
  if (rounds_left_ == 0) {
    refresh();
    round_.forget_accesses();
  }
  const bool first = rounds_left_ == nr_rounds_;
  if (!first && rounds_left_ % adapt_stride_ == 0) {
    BOOST_OUTCOME_TRYV(adapt_sample());
  }
  const int64_t sample_ns = static_cast<int64_t>(rate_.sample_us()) * kNsPerUs;
  if (trials_left_ > 0 && sample_ns >= period_ns_) {
    rate_.add(round_.share_used_within(sample_ns, clock_.now_ns()), sample_ns);
    trials_left_ = 0;
  }
  plan_trial();
  return outcome::success();
}

// Trials are at random moments of the round, so that a load with the same period is not met in one
// phase, as long as there is time for them.
void PageSampler::plan_trial() {
  const int64_t now_ns = clock_.now_ns();
  const int64_t sample_ns = static_cast<int64_t>(rate_.sample_us()) * kNsPerUs;
  const int64_t end_ns = round_start_ns(next_round()) - kMarginNs;
  const int64_t spare_ns = end_ns - now_ns - sample_ns;
  if (trials_left_ == 0 || spare_ns <= 0) {
    rate_.end_round();
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
  const PageStatistics found = make_page_statistics(sample_, exclude_untracked_, now_ns);
  Statistics statistics;
  statistics.aggr_interval_us = rate_.aggr_us();
  statistics.estimated_memory_bandwidth_bytes_per_s =
      static_cast<uint64_t>(rate_.take_bytes_per_s(monitored_bytes_));
  statistics.memory_idle_ms_percentiles = found.memory_idle_ms_percentiles;
  MonitoringDetails details;
  details.monitored_bytes = monitored_bytes_;
  details.untracked_bytes =
      static_cast<uint64_t>(found.untracked_share * static_cast<double>(monitored_bytes_));
  details.sample_us = rate_.sample_us();
  details.aggr_us = rate_.aggr_us();
  details.nr_pages = sample_.pages().size();
  details.check_period_ms = static_cast<uint64_t>(period_ns_ / kNsPerMs);
  details.nr_checks = nr_checks_;
  details.share_percent = found.share_percent;
  details.share_error_percent = found.share_error_percent;
  observer_.refreshed(statistics, details);
}

Result<void> PageSampler::adapt_sample() {
  const int64_t now_ns = clock_.now_ns();
  const int64_t cpu_ns = clock_.thread_cpu_ns();
  bool fit_again = size_.adapt(cpu_ns - last_cpu_ns_, now_ns - last_adapted_ns_);
  last_cpu_ns_ = cpu_ns;
  last_adapted_ns_ = now_ns;
  warn_if_over_budget();
  if (now_ns >= next_update_ns_) {
    next_update_ns_ = now_ns + static_cast<int64_t>(attrs_.update_us) * kNsPerUs;
    DAMON_STATFS_TRY(ranges, operations_.update());
    fit_again = fit_again || ranges != ranges_;
    ranges_ = std::move(ranges);
    monitored_bytes_ = total_bytes(ranges_);
  }
  if (fit_again) {
    fit_sample();
    log_(LogLevel::kDebug, fmt::format("the sample has {} pages now", sample_.pages().size()));
  }
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

// What was not accessed in so short a time as since the last look, or within one sampling interval,
// is no less in use for that.
Result<size_t> PageSampler::look_at_chosen() {
  BOOST_OUTCOME_TRYV(operations_.check_pages(chosen_));
  const int64_t now_ns = clock_.now_ns();
  nr_checks_ += chosen_.size();
  size_t accessed = 0;
  for (SampledPage* const page : chosen_) {
    if (page->access != PageAccess::kAccessed) continue;
    ++accessed;
    static_cast<PageHistory&>(*page).note_look(now_ns);
  }
  return accessed;
}

// The look marks those that were accessed; the others are marked already.
Result<void> PageSampler::mark_chosen() {
  chosen_ = AccessRate::choose(used_, random_);
  BOOST_OUTCOME_TRYV(look_at_chosen());
  marked_ns_ = clock_.now_ns();
  phase_ = Phase::kCounting;
  deadline_ns_ = marked_ns_ + static_cast<int64_t>(rate_.sample_us()) * kNsPerUs;
  return outcome::success();
}

Result<void> PageSampler::count_chosen() {
  DAMON_STATFS_TRY(hits, look_at_chosen());
  const double used_share =
      static_cast<double>(used_.size()) / static_cast<double>(round_.pages().size());
  const double share = chosen_.empty() ? 0
                                       : used_share * static_cast<double>(hits) /
                                             static_cast<double>(chosen_.size());
  const int64_t wall_ns = clock_.now_ns() - marked_ns_;
  // Pages that came into use count with one access each.
  const double new_share =
      new_share_per_s_ * static_cast<double>(wall_ns) / static_cast<double>(kNsPerSecond);
  rate_.add(share + new_share, wall_ns);
  plan_trial();
  return outcome::success();
}

int64_t PageSampler::round_start_ns(uint64_t rounds_left) const {
  return refresh_due_ns_ - static_cast<int64_t>(rounds_left) * period_ns_;
}

// The number of the round that follows: how many will then be left until the refresh.
uint64_t PageSampler::next_round() const {
  uint64_t next = (rounds_left_ == 0 ? nr_rounds_ : rounds_left_) - 1;
  if (size_.sparse()) next = std::min<uint64_t>(next, 1);
  return next;
}

void PageSampler::wait_for_round() {
  uint64_t next = next_round();
  while (next > 0 && round_start_ns(next - 1) <= clock_.now_ns()) --next;  // missed
  rounds_left_ = next;
  phase_ = Phase::kLooking;
  deadline_ns_ = std::max(round_start_ns(next), clock_.now_ns());
}

}  // namespace damon_statfs
