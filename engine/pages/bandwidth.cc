// SPDX-License-Identifier: GPL-2.0-or-later
//
// Checks are averaged as rates, so that checks of different sampling intervals count alike.
#include "engine/pages/bandwidth.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "damon_statfs/clock.h"
#include "engine/base/wide.h"
#include "engine/estimate/tuner.h"

namespace damon_statfs {
namespace {

constexpr double kBp = 10'000;
constexpr double kHitsPerS = 10;  // that an estimate needs, if the interval is tuned well
constexpr double kFewHitsPerS = 3;
constexpr uint64_t kPagesPerCheck = 4;
constexpr int64_t kTuneNs = kNsPerSecond;  // tuning takes attrs.goal.aggrs times as long

double seconds(int64_t ns) { return static_cast<double>(ns) / static_cast<double>(kNsPerSecond); }

double goal_share(const MonitoringAttrs& attrs) {
  return static_cast<double>(std::max<uint64_t>(attrs.goal.access_bp, 1)) / kBp;
}

}  // namespace

void Bandwidth::set_goal(const IntervalsGoal& goal) {
  attrs_.goal = goal;
  attrs_ = within_goal(attrs_);
}

// A check of a hot page hits with a chance of goal_share / hot_share. Many checks rather than many
// pages in each, as memory may be hot at some moments only; but one check takes a sampling
// interval, and half of the time has to be left for their being at random moments.
BandwidthPlan Bandwidth::plan(double hot_share, int64_t time_ns, bool few) const {
  const double hits = seconds(time_ns) * (few ? kFewHitsPerS : kHitsPerS);
  const double pages = std::ceil(hits * hot_share / goal_share(attrs_));
  const int64_t sample_ns = static_cast<int64_t>(attrs_.sample_us) * kNsPerUs;
  const auto room = static_cast<double>(std::max<int64_t>(time_ns / (2 * sample_ns), 1));
  const double count = std::min(std::ceil(pages / static_cast<double>(kPagesPerCheck)), room);
  if (time_ns <= sample_ns || count < 1) return {};
  return {to_u64_saturated(count), to_u64_saturated(pages)};
}

// Each is taken with the chance that is left for the rest: all are as likely, in order.
std::vector<CheckedPage*> Bandwidth::choose(std::span<CheckedPage* const> pages, uint64_t nr_pages,
                                            Random& random) {
  uint64_t left = pages.size(), wanted = std::min<uint64_t>(nr_pages, left);
  std::vector<CheckedPage*> chosen;
  chosen.reserve(wanted);
  for (CheckedPage* const page : pages) {
    if (random.in_range(0, left--) >= wanted) continue;
    chosen.push_back(page);
    --wanted;
  }
  return chosen;
}

void Bandwidth::add_check(double share, int64_t real_ns) {
  share = std::min(share, 1.0);
  shares_ += share;
  shares_per_s_ += share / seconds(std::max<int64_t>(real_ns, 1));
  ++nr_checks_;
}

void Bandwidth::add_round(double accesses_per_page, int64_t time_ns) {
  rounds_per_s_.add_sum(accesses_per_page, seconds(time_ns));
  untuned_rounds_per_s_.add_sum(accesses_per_page, seconds(time_ns));
}

void Bandwidth::end_checks(int64_t time_ns) {
  if (nr_checks_ == 0) return;
  const auto checks = static_cast<double>(nr_checks_);
  checks_per_s_.add(shares_per_s_ / checks, seconds(time_ns));
  untuned_share_.add(shares_ / checks, seconds(time_ns));
  shares_ = shares_per_s_ = 0;
  nr_checks_ = 0;
  const double tuning_s = static_cast<double>(attrs_.goal.aggrs) * seconds(kTuneNs);
  if (attrs_.goal.aggrs > 0 && untuned_share_.time_s >= tuning_s) tune();
}

AccessRate Bandwidth::take() {
  const double per_s = std::max(checks_per_s_.take() + rounds_per_s_.take(), 0.0);
  return {per_s, sample_us(), aggr_us()};
}

void Bandwidth::tune() {
  const double rounds_share =
      untuned_rounds_per_s_.take() * seconds(static_cast<int64_t>(attrs_.sample_us) * kNsPerUs);
  const double share = std::max(untuned_share_.take() + rounds_share, 0.0);
  const double score_bp = share / goal_share(attrs_) * kBp;
  const uint64_t samples = samples_per_aggr(attrs_);
  const uint64_t adaptation_bp = intervals_adaptation_bp(to_u64_saturated(score_bp));
  const uint64_t sample_us = tuned_sample_us(attrs_.sample_us, adaptation_bp, attrs_.goal);
  attrs_ = with_intervals(attrs_, sample_us, mul_div(sample_us, samples, 1));
}

}  // namespace damon_statfs
