// SPDX-License-Identifier: GPL-2.0-or-later
//
// Trials are averaged as rates, so that trials of different sampling intervals count alike.
#include "engine/access_rate.h"

#include <algorithm>

#include "damon_statfs/clock.h"
#include "engine/tuner.h"
#include "engine/wide.h"

namespace damon_statfs {
namespace {

bool in_use(const SampledPage* page) {
  const auto& history = static_cast<const PageHistory&>(*page);
  return history.accessed && history.tracked();
}

}  // namespace

std::vector<SampledPage*> AccessRate::choose(std::span<SampledPage* const> pages, Random& random) {
  std::vector<SampledPage*> used;
  std::copy_if(pages.begin(), pages.end(), std::back_inserter(used), in_use);
  const auto starts_group = [&](size_t i) {
    return i == 0 || used[i]->group() != used[i - 1]->group();
  };
  size_t groups_left = 0;
  for (size_t i = 0; i < used.size(); ++i) groups_left += starts_group(i) ? 1 : 0;

  // Each group is taken with the chance that is left for the rest: all are as likely, in order.
  std::vector<SampledPage*> chosen;
  size_t wanted = std::min(kGroups, groups_left);
  bool taken = false;
  for (size_t i = 0; i < used.size(); ++i) {
    if (starts_group(i)) {
      taken = random.in_range(0, groups_left) < wanted;
      --groups_left;
      if (taken) --wanted;
    }
    if (taken) chosen.push_back(used[i]);
  }
  return chosen;
}

void AccessRate::add(double share, int64_t wall_ns) {
  shares_per_s_ += share * static_cast<double>(kNsPerSecond) /
                   static_cast<double>(std::max<int64_t>(wall_ns, 1));
  ++nr_shares_;
  untuned_shares_ += share;
  ++nr_untuned_;
}

// Tunes every `aggrs` rounds, as regions do every `aggrs` aggregations.
void AccessRate::end_round() {
  ++untuned_rounds_;
  if (attrs_.goal.aggrs == 0 || untuned_rounds_ < attrs_.goal.aggrs || nr_untuned_ == 0) return;
  tune();
  untuned_shares_ = 0;
  nr_untuned_ = untuned_rounds_ = 0;
}

double AccessRate::take_bytes_per_s(uint64_t monitored_bytes) {
  const double bytes_per_s = nr_shares_ == 0 ? 0
                                             : shares_per_s_ / static_cast<double>(nr_shares_) *
                                                   static_cast<double>(monitored_bytes);
  shares_per_s_ = 0;
  nr_shares_ = 0;
  return bytes_per_s;
}

void AccessRate::tune() {
  constexpr double kBp = 10'000;
  const double events_bp = untuned_shares_ / static_cast<double>(nr_untuned_) * kBp;
  const double score_bp =
      events_bp / static_cast<double>(std::max<uint64_t>(attrs_.goal.access_bp, 1)) * kBp;
  const uint64_t samples = samples_per_aggr(attrs_);
  const uint64_t adaptation_bp = intervals_adaptation_bp(static_cast<uint64_t>(score_bp));
  attrs_.sample_us = tuned_sample_us(attrs_.sample_us, adaptation_bp, attrs_.goal);
  attrs_.aggr_us = mul_div(attrs_.sample_us, samples, 1);
}

}  // namespace damon_statfs
