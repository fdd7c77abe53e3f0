// SPDX-License-Identifier: GPL-2.0-or-later
//
// Three kdamonds: the sample, some pages in use that are measured for a moment after each refresh,
// and pages whose accesses are counted. The sample's records are read once per refresh.
#include "engine/damon/ops_kdamond_pages.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <utility>

#include "engine/base/memory_ranges.h"
#include "engine/base/wide.h"
#include "engine/damon/counted_pages.h"
#include "engine/damon/damon_sysfs.h"
#include "engine/damon/kdamond_ranges.h"

namespace damon_statfs {
namespace {

// Which kdamond is which.
constexpr size_t kSample = 0, kCounted = 1, kMeasured = 2, kNrKdamonds = 3;

constexpr int64_t kPeriodNs = kNsPerSecond;        // how often the sample is checked
constexpr int64_t kMinRefreshNs = 100 * kNsPerMs;  // checking more often would cost too much
constexpr int64_t kCheckNs = 3 * kNsPerSecond;     // how often it is asked whether they are on
constexpr int64_t kVerifyNs = 15 * kNsPerSecond;   // how often one is verified, which costs more
constexpr int64_t kLeadNs = 50 * kNsPerMs;         // recording begins before an aggregation ends
constexpr int64_t kPauseNs = 10 * kNsPerMs;  // between two looks for what is recorded, at first
constexpr int64_t kEarlyPeriods = 3;         // after the start, so that pages in use are known

// An aggregation of counted pages.
constexpr uint32_t kCountedPeriods = PageHistories::kRecentPeriods;
constexpr KdamondIntervals kCountedIntervals{1'000'000, kCountedPeriods* uint64_t{1'000'000}};

uint64_t us(int64_t ns) { return static_cast<uint64_t>(ns / kNsPerUs); }

}  // namespace

Result<void> probe_kdamond_pages(const KernelFiles& files) {
  const Result<std::string> events = find_aggregated_events(files);
  if (!events) return events.as_failure();
  return outcome::success();
}

KdamondPages::KdamondPages(const OperationsContext& context,
                           std::shared_ptr<const KernelFiles> files, const OpenEvents& open_events,
                           uint64_t page_bytes)
    : context_(context),
      files_(std::move(files)),
      page_bytes_(page_bytes),
      kinds_(*files_, page_bytes),
      sample_(own_, kSample, *files_, open_events, page_bytes),
      measured_(own_, kMeasured, *files_, open_events, page_bytes),
      counted_(own_, kCounted, *files_, open_events, page_bytes),
      rates_(context.attrs, static_cast<uint64_t>(context.clock->now_ns())) {
  set_refresh_ms(context.refresh_ms);
}

void KdamondPages::set_refresh_ms(uint64_t refresh_ms) {
  refresh_ns_ = std::max(times_ns(refresh_ms, kNsPerMs), kMinRefreshNs);
  period_ns_ = std::min(refresh_ns_, kPeriodNs);
}

// One page per stratum, as each page costs a check of its own: 2,000 tell shares to 0.7 points.
SampleShape KdamondPages::sample_shape() const {
  SampleShape shape;
  shape.pages_per_word = 1;
  shape.min_words = 1'000;
  shape.max_words = 2'000;
  shape.apart = true;
  return shape;
}

Result<std::vector<AddressRange>> KdamondPages::open() {
  BOOST_OUTCOME_TRYV(read_nr_kdamonds(*files_));  // is there an interface at all?
  DAMON_STATFS_TRY(ranges, kdamond_ranges(context_, *files_));
  BOOST_OUTCOME_TRYV(own_.claim());
  log_left_out(context_, ranges);
  ranges_ = ranges;
  const Result<void> told = kinds_.open();
  if (!told) {
    context_.log(LogLevel::kInfo, fmt::format("it is not known which memory cannot be tracked: {}",
                                              told.error().context));
  }
  return std::move(ranges);
}

Result<std::vector<AddressRange>> KdamondPages::update() {
  DAMON_STATFS_TRY(ranges, kdamond_ranges(context_, *files_));
  if (ranges != ranges_) {
    context_.log(LogLevel::kInfo,
                 fmt::format("memory has changed: {} MiB", total_bytes(ranges) >> 20));
  }
  ranges_ = ranges;
  return std::move(ranges);
}

void KdamondPages::close() noexcept {
  try {
    stop();
  } catch (const std::exception& error) {
    log_quietly(context_.log, LogLevel::kError,
                [&] { return fmt::format("kdamond {}: {}", sample_.pid(), error.what()); });
  }
}

void KdamondPages::stop() {
  for (PageKdamond* const kdamond : {&sample_, &measured_, &counted_}) kdamond->forget_events();
  own_.stop(changed_by_others_);
  kinds_.close();
}

OperationsFacts KdamondPages::facts() const {
  OperationsFacts facts;
  facts.kdamond_pid = sample_.pid();
  facts.nr_dropped = sample_.dropped() + measured_.dropped() + counted_.dropped();
  facts.kdamond_cpu_ns = sample_.cpu_ns() + measured_.cpu_ns() + counted_.cpu_ns();
  return facts;
}

Result<void> KdamondPages::select(std::span<const PageState> pages) {
  const int64_t now_ns = context_.clock->now_ns();
  const bool starts = !histories_;
  if (starts) histories_.emplace(now_ns, period_ns_);
  histories_->select(pages, now_ns);
  kinds_.look_at_new(histories_->pages());
  if (starts) return start();
  select_due_ = true;
  return put_pages_in_force();
}

Result<void> KdamondPages::start() {
  BOOST_OUTCOME_TRYV(own_.make(normalised(context_.attrs).update_us, kNrKdamonds));
  BOOST_OUTCOME_TRYV(sample_.stage(sample_addrs(), sample_intervals()));
  const std::vector<uint64_t> counted =
      choose_counted_pages(histories_->pages(), ranges_, page_bytes_);
  if (!counted.empty()) {
    BOOST_OUTCOME_TRYV(counted_.stage(counted, kCountedIntervals));
  }
  BOOST_OUTCOME_TRYV(sample_.turn_on());
  started_ns_ = context_.clock->now_ns();
  histories_->start(started_ns_);
  if (!counted.empty()) {
    BOOST_OUTCOME_TRYV(counted_.turn_on());
    BOOST_OUTCOME_TRYV(counted_.record());
  }
  next_check_ns_ = started_ns_ + kCheckNs;
  next_verification_ns_ = next_check_ns_;
  refresh_due_ns_ = started_ns_ + refresh_ns_;
  wait_for_sample();
  return outcome::success();
}

// While another program holds the interface the pages before stay in force.
Result<void> KdamondPages::put_pages_in_force() {
  DAMON_STATFS_TRY(in_force, sample_.commit(sample_addrs(), sample_intervals()));
  if (in_force && counted_.is_on()) {
    DAMON_STATFS_TRY(both_in_force, counted_.commit(choose_counted_pages(histories_->pages(),
                                                                         ranges_, page_bytes_),
                                                    kCountedIntervals));
    in_force = both_in_force;
  }
  select_due_ = !in_force;
  return outcome::success();
}

std::vector<PageState> KdamondPages::states() const {
  const std::span<const PageState> pages = histories_->pages();
  return {pages.begin(), pages.end()};
}

void KdamondPages::change(const RunSettings& settings) {
  rates_.set_goal(settings.goal);
  const int64_t period_before_ns = period_ns_, refresh_before_ns = refresh_ns_;
  set_refresh_ms(settings.refresh_ms);
  if (refresh_ns_ == refresh_before_ns) return;
  refresh_due_ns_ = context_.clock->now_ns() + refresh_ns_;
  if (period_ns_ != period_before_ns) {
    histories_->set_period(period_ns_);
    select_due_ = true;
  }
  if (phase_ == Phase::kRest || phase_ == Phase::kRead) phase_ = Phase::kPlan;
  phase_due_ns_ = context_.clock->now_ns();
}

int64_t KdamondPages::deadline_ns() const { return std::min(phase_due_ns_, next_check_ns_); }

Result<ObservedPages::Progress> KdamondPages::step() {
  const int64_t now_ns = context_.clock->now_ns();
  if (now_ns >= next_check_ns_) {
    next_check_ns_ = now_ns + kCheckNs;
    BOOST_OUTCOME_TRYV(check_kdamonds());
  }
  if (now_ns < phase_due_ns_) return Progress::kNone;
  if (phase_ == Phase::kRead) return read_sample();
  if (phase_ == Phase::kRest) {
    BOOST_OUTCOME_TRYV(begin_reading());
  } else if (phase_ == Phase::kPlan) {
    BOOST_OUTCOME_TRYV(begin_measurement());
  } else {
    BOOST_OUTCOME_TRYV(take_measurement());
  }
  return Progress::kNone;
}

Result<void> KdamondPages::begin_reading() {
  BOOST_OUTCOME_TRYV(sample_.record());
  phase_ = Phase::kRead;
  pause_ns_ = kPauseNs;
  phase_due_ns_ = std::max(expected_ns_, context_.clock->now_ns()) + pause_ns_;
  return outcome::success();
}

// All that are on have to be on, and one of them, by turns, as it was set up.
Result<void> KdamondPages::check_kdamonds() {
  std::vector<const PageKdamond*> on;
  for (const PageKdamond* const kdamond : {&sample_, &measured_, &counted_}) {
    if (!kdamond->is_on()) continue;
    BOOST_OUTCOME_TRYV(kdamond->verify_on());
    on.push_back(kdamond);
  }
  const int64_t now_ns = context_.clock->now_ns();
  if (on.empty() || now_ns < next_verification_ns_) return outcome::success();
  next_verification_ns_ = now_ns + kVerifyNs;
  Result<void> verified = on[next_verified_++ % on.size()]->verify_staged();
  changed_by_others_ = !verified;
  return verified;
}

// The end of the period that is nearest to when the sample is wanted, but not much earlier.
void KdamondPages::wait_for_sample() {
  constexpr double kEarlyPeriod = 0.25;
  const int64_t real_ns = histories_->real_period_ns();
  const int64_t ended_ns = histories_->ended_ns();
  const double periods =
      static_cast<double>(wanted_sample_ns() - ended_ns) / static_cast<double>(real_ns);
  const double passed =
      static_cast<double>(context_.clock->now_ns() - ended_ns) / static_cast<double>(real_ns);
  const double whole = std::ceil(std::max(periods - kEarlyPeriod, passed));
  expected_ns_ = ended_ns + to_ns_saturated(std::max(whole, 1.0) * static_cast<double>(real_ns));
  phase_ = Phase::kRest;
  phase_due_ns_ = expected_ns_ - std::min(kLeadNs, real_ns / 4);
}

// Soon after the start it is read once more, to know which pages are in use before the first
// refresh is due.
int64_t KdamondPages::wanted_sample_ns() const {
  const int64_t early_ns = started_ns_ + kEarlyPeriods * period_ns_;
  const bool is_time = refresh_ns_ > (kEarlyPeriods + 1) * period_ns_;
  return is_time && histories_->ended_ns() < early_ns - period_ns_ / 2 ? early_ns : refresh_due_ns_;
}

Result<ObservedPages::Progress> KdamondPages::read_sample() {
  const int64_t now_ns = context_.clock->now_ns();
  DAMON_STATFS_TRY(snapshot, sample_.poll());
  if (sample_.has_ended()) {
    return failure(
        ESRCH,
        fmt::format("kdamond {} has been stopped by another program, or has ended", sample_.pid()));
  }
  if (snapshot) return take_sample(*snapshot);
  note_silence(now_ns);
  phase_due_ns_ = now_ns + pause_ns_;
  pause_ns_ = std::min(2 * pause_ns_, histories_->real_period_ns() / 4);
  return Progress::kNone;
}

ObservedPages::Progress KdamondPages::take_sample(const RegionSnapshot& snapshot) {
  sample_.rest();
  const bool refreshes = wanted_sample_ns() == refresh_due_ns_;
  const int64_t passed_ns = snapshot.ended_ns - histories_->ended_ns();
  histories_->take(snapshot);
  take_counted();
  const double nr_pages = static_cast<double>(std::max<size_t>(histories_->pages().size(), 1));
  rates_.add_now_and_then(static_cast<double>(histories_->nr_now_and_then()) / nr_pages,
                          PageHistories::kRecentPeriods * histories_->real_period_ns(), passed_ns,
                          period_ns_);
  for (PageKdamond* const kdamond : {&sample_, &counted_}) kdamond->ask_cpu_time();
  kinds_.look_at_some(histories_->pages());
  phase_ = Phase::kPlan;
  phase_due_ns_ = context_.clock->now_ns();
  measurement_.allow_again();
  if (!refreshes) return Progress::kNone;
  refresh_due_ns_ = snapshot.ended_ns + refresh_ns_;
  return Progress::kRefresh;
}

void KdamondPages::take_counted() {
  if (!counted_.is_on()) return;
  const Result<std::optional<RegionSnapshot>> counted = counted_.poll();
  if (counted && counted.value()) rates_.add_counted(*counted.value(), kCountedPeriods);
}

Result<void> KdamondPages::begin_measurement() {
  if (select_due_) {
    BOOST_OUTCOME_TRYV(put_pages_in_force());
  }
  wait_for_sample();
  DAMON_STATFS_TRY(begun, measurement_.begin(*histories_, refresh_ns_, period_ns_, phase_due_ns_));
  if (!begun) return outcome::success();
  phase_ = Phase::kMeasure;
  phase_due_ns_ = measurement_.due_ns();
  return outcome::success();
}

Result<void> KdamondPages::take_measurement() {
  DAMON_STATFS_TRY(progress, measurement_.step(expected_ns_));
  if (progress == PageMeasurement::Progress::kNone) {
    phase_due_ns_ = measurement_.due_ns();
    return outcome::success();
  }
  histories_->note_disturbance(measurement_.from_ns(), context_.clock->now_ns());
  wait_for_sample();
  if (progress == PageMeasurement::Progress::kEnded) return outcome::success();
  phase_ = Phase::kPlan;
  phase_due_ns_ = context_.clock->now_ns();
  return outcome::success();
}

// A kernel short of memory does not begin its periods, and a loaded machine ends them late.
void KdamondPages::note_silence(int64_t now_ns) {
  const int64_t patience_ns = std::max(10 * kNsPerSecond, 10 * histories_->real_period_ns());
  if (silence_logged_ || now_ns < expected_ns_ + patience_ns) return;
  silence_logged_ = true;
  context_.log(LogLevel::kWarning,
               fmt::format("kdamond {} has not told of its pages for {} s: the values stay what "
                           "they are until it does",
                           sample_.pid(), patience_ns / kNsPerSecond));
}

KdamondIntervals KdamondPages::sample_intervals() const { return {us(period_ns_), us(period_ns_)}; }

std::vector<uint64_t> KdamondPages::sample_addrs() const {
  std::vector<uint64_t> addrs;
  addrs.reserve(histories_->pages().size());
  for (const PageState& page : histories_->pages()) addrs.push_back(page.addr);
  return addrs;
}

}  // namespace damon_statfs
