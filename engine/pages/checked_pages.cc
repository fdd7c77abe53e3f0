// SPDX-License-Identifier: GPL-2.0-or-later
//
// A round takes the pages that are due in portions, with pauses between them. The last round before
// a refresh checks, and leaves most of those that were accessed unmarked, because their next check
// matters only a period before the next refresh; until then the sentinel subsample is checked.
#include "engine/pages/checked_pages.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace damon_statfs {
namespace {

constexpr int64_t kPeriodNs = kNsPerSecond;        // about; the refresh interval is a multiple
constexpr uint64_t kPeriodsApart = 5;              // rounds of all pages, before the last two
constexpr int64_t kMinRefreshNs = 100 * kNsPerMs;  // checking more often would cost too much
constexpr size_t kPortionPages = 512;
constexpr int64_t kPauseNs = kNsPerMs;        // between portions
constexpr int64_t kMarginNs = 20 * kNsPerMs;  // between a bandwidth check and the next round

uint64_t periods_in(int64_t ns) {
  return static_cast<uint64_t>(std::max<int64_t>((ns + kPeriodNs / 2) / kPeriodNs, 1));
}

}  // namespace

CheckedPages::CheckedPages(const CheckedPagesConfig& config, std::unique_ptr<PageChecks> source,
                           const Clock& clock)
    : source_(std::move(source)),
      clock_(clock),
      page_bytes_(config.page_bytes),
      checks_(*source_),
      bandwidth_(config.attrs, config.seed, checks_, clock) {
  set_refresh_ms(config.refresh_ms);
}

void CheckedPages::set_refresh_ms(uint64_t refresh_ms) {
  refresh_ns_ = std::max(static_cast<int64_t>(refresh_ms) * kNsPerMs, kMinRefreshNs);
  nr_periods_ = periods_in(refresh_ns_);
  period_ns_ = refresh_ns_ / static_cast<int64_t>(nr_periods_);
}

Result<std::vector<AddressRange>> CheckedPages::open() {
  DAMON_STATFS_TRY(ranges, source_->open());
  suspended_ns_ = clock_.suspended_ns();
  begin_refresh_interval();
  return std::move(ranges);
}

// Its first round begins now, and says nothing of the time before.
void CheckedPages::begin_refresh_interval() {
  refresh_due_ns_ = clock_.now_ns() + refresh_ns_;
  periods_left_ = nr_periods_;
  phase_ = Phase::kRound;
  round_begun_ = false;
  deadline_ns_ = clock_.now_ns();
}

// Another refresh interval has other rounds, so it begins at once.
void CheckedPages::change(const RunSettings& settings) {
  bandwidth_.set_goal(settings.goal);
  const int64_t refresh_before_ns = refresh_ns_;
  set_refresh_ms(settings.refresh_ms);
  if (refresh_ns_ != refresh_before_ns) begin_refresh_interval();
}

Result<void> CheckedPages::select(std::span<const PageState> pages) {
  assert(phase_ != Phase::kBandwidth && !round_begun_);
  select_pages(pages_, pages, page_bytes_);
  round_.take_pages();
  bandwidth_.forget_pages();
  return outcome::success();
}

std::vector<PageState> CheckedPages::states() const {
  std::vector<PageState> states;
  states.reserve(pages_.size());
  for (const RoundPage& page : pages_) states.push_back({page, page.addr, page.kind()});
  return states;
}

Result<ObservedPages::Progress> CheckedPages::step() {
  switch (phase_) {
    case Phase::kRound:
      return check_portion();
    case Phase::kRoundEnded:
      return begin_bandwidth();
    case Phase::kBandwidth:
      BOOST_OUTCOME_TRYV(bandwidth_.step());
      return end_bandwidth_if_done();
  }
  return Progress::kNone;
}

Result<ObservedPages::Progress> CheckedPages::check_portion() {
  if (!round_begun_) begin_round();
  const std::span<CheckedPage* const> portion = round_.next_portion(kPortionPages);
  if (portion.empty()) return end_round();
  DAMON_STATFS_TRY(checked, checks_.check(portion));
  round_.note_checks(checked, clock_.now_ns());
  const bool marks = periods_left_ > 0 || nr_periods_ == 1 || nothing_known_;
  BOOST_OUTCOME_TRYV(checks_.mark(portion, !marks));
  deadline_ns_ = clock_.now_ns() + kPauseNs;
  return Progress::kNone;
}

// What a suspended machine did not access is not idle, nor hot what its waking up accessed.
void CheckedPages::begin_round() {
  round_begun_ = true;
  round_began_ns_ = clock_.now_ns();
  const int64_t suspended_ns = clock_.suspended_ns();
  nothing_known_ = periods_left_ == nr_periods_ || suspended_ns > suspended_ns_ + kSuspendNoiseNs;
  suspended_ns_ = suspended_ns;
  const auto nr_rounds = static_cast<int64_t>(  // of all pages, in a refresh interval
      nr_periods_ == 1 ? 1 : 2 + (nr_periods_ - 2) / kPeriodsApart);
  round_.count(counted_in_round(), bandwidth_.sample_ns());
  round_.begin(kind_of_round(), round_began_ns_, refresh_ns_ / nr_rounds, nothing_known_);
}

PageRound::Kind CheckedPages::kind_of_round() const {
  const bool first = periods_left_ == nr_periods_;
  const bool between = periods_left_ > 1 && (periods_left_ - 1) % kPeriodsApart != 0 && !first;
  return periods_left_ == 0 ? PageRound::Kind::kLast
         : between          ? PageRound::Kind::kSentinels
                            : PageRound::Kind::kAll;
}

// Hot pages are checked once per refresh interval, sentinels in every round.
PageRound::Counted CheckedPages::counted_in_round() const {
  const int64_t sample_ns = bandwidth_.sample_ns();
  return sample_ns < period_ns_    ? PageRound::Counted::kUncovered
         : sample_ns < refresh_ns_ ? PageRound::Counted::kSentinels
                                   : PageRound::Counted::kAll;
}

ObservedPages::Progress CheckedPages::end_round() {
  round_begun_ = false;
  take_accesses(round_.end());
  phase_ = Phase::kRoundEnded;
  deadline_ns_ = clock_.now_ns();
  if (periods_left_ > 0) return Progress::kRound;
  hot_known_ = true;
  round_.forget_accesses();
  refresh_due_ns_ = std::max(refresh_due_ns_ + refresh_ns_, clock_.now_ns() + refresh_ns_ / 2);
  return Progress::kRefresh;
}

// Until it is known which pages are hot, it cannot be told whose accesses bandwidth checks will
// tell of.
void CheckedPages::take_accesses(double accesses_per_page) {
  const int64_t passed_ns = round_began_ns_ - counted_to_ns_;
  counted_to_ns_ = round_began_ns_;
  if (hot_known_ && !nothing_known_) bandwidth_.add_round(accesses_per_page, passed_ns);
}

Result<ObservedPages::Progress> CheckedPages::begin_bandwidth() {
  plan_bandwidth();
  return end_bandwidth_if_done();
}

// Without hot pages, or with a sampling interval not shorter than a period, rounds tell enough. In
// the last period before a refresh a bandwidth check would be in the way of the last round, but in
// the first refresh interval nothing is known before.
void CheckedPages::plan_bandwidth() {
  const uint64_t next_round = round_after(periods_left_);
  const int64_t next_ns = round_start_ns(next_round);
  bandwidth_.begin(next_ns, next_ns - kMarginNs);
  if (nothing_known_ || (hot_known_ && next_round == 0 && nr_periods_ > 1)) return;
  if (!hot_known_) {
    if (next_round > 0) return;
    round_.take_hot();
  }
  bandwidth_.plan(round_.hot(), round_.pages().size(), period_ns_);
}

Result<ObservedPages::Progress> CheckedPages::end_bandwidth_if_done() {
  if (bandwidth_.arm()) {
    phase_ = Phase::kBandwidth;
    deadline_ns_ = bandwidth_.deadline_ns();
  } else {
    wait_for_round();
  }
  return Progress::kNone;
}

uint64_t CheckedPages::round_after(uint64_t periods_left) const {
  return (periods_left == 0 ? nr_periods_ : periods_left) - 1;
}

// The last round tells what was accessed since the one before it, so it keeps its distance.
int64_t CheckedPages::round_start_ns(uint64_t periods_left) const {
  const int64_t nominal_ns = refresh_due_ns_ - static_cast<int64_t>(periods_left) * period_ns_;
  return periods_left > 0 ? nominal_ns : std::max(nominal_ns, round_began_ns_ + period_ns_ * 3 / 4);
}

void CheckedPages::wait_for_round() {
  const int64_t now_ns = clock_.now_ns();
  uint64_t next = round_after(periods_left_);
  while (next > 1 && round_start_ns(round_after(next)) <= now_ns) {
    next = round_after(next);  // missed
  }
  periods_left_ = next;
  phase_ = Phase::kRound;
  deadline_ns_ = std::max(round_start_ns(next), now_ns);
}

}  // namespace damon_statfs
