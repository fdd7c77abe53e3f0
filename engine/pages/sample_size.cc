// SPDX-License-Identifier: GPL-2.0-or-later
//
// If it is too expensive, there are fewer bandwidth checks, then fewer pages, at once; what is
// cheap enough is made larger only after ten minutes, since new pages have no past of their own, or
// when the sample is not accurate enough.
#include "engine/pages/sample_size.h"

#include <algorithm>

#include "damon_statfs/clock.h"
#include "engine/base/wide.h"

namespace damon_statfs {
namespace {

constexpr int64_t kGrowAfterNs = 600 * kNsPerSecond;
constexpr double kAimedShare = 0.85;  // of max_cpu, so that a change lasts
constexpr double kChecksFactor = 2;   // at most, what all bandwidth checks cost more than few

}  // namespace

uint64_t SampleSize::scaled(double factor) const {
  const double wanted = static_cast<double>(nr_words_) * factor;
  return std::clamp(to_u64_saturated(wanted), min_words_, need_.nr_words());
}

void SampleSize::set_max_cpu_percent(double max_cpu_percent) {
  max_cpu_percent_ = max_cpu_percent;
  over_budget_ = false;
  unchanged_ns_ = kGrowAfterNs;
}

bool SampleSize::adapt(int64_t cpu_ns, int64_t real_ns, double error_percent) {
  if (real_ns <= 0) return false;
  const double used_percent = 100 * static_cast<double>(cpu_ns) / static_cast<double>(real_ns);
  unchanged_ns_ += real_ns;
  const uint64_t words_before = nr_words_, needed_before = need_.nr_words();
  need_.adapt(error_percent, real_ns);
  nr_words_ = std::min(nr_words_, need_.nr_words());
  if (need_.nr_words() > needed_before) unchanged_ns_ = kGrowAfterNs;
  const bool changed = used_percent > max_cpu_percent_ ? shrink(used_percent) : grow(used_percent);
  if (changed) unchanged_ns_ = 0;
  return nr_words_ != words_before;
}

bool SampleSize::shrink(double used_percent) {
  if (!few_checks_) {
    few_checks_ = true;
  } else if (nr_words_ > min_words_) {
    nr_words_ = scaled(kAimedShare * max_cpu_percent_ / used_percent);
  } else {
    over_budget_ = true;
    return false;
  }
  return true;
}

bool SampleSize::grow(double used_percent) {
  over_budget_ = false;
  if (unchanged_ns_ < kGrowAfterNs) return false;
  const double room = kAimedShare * max_cpu_percent_ / std::max(used_percent, 1e-6);
  if (nr_words_ < need_.nr_words()) {
    if (room < 1.1) return false;
    nr_words_ = scaled(room);
    return true;
  }
  if (!few_checks_ || room < kChecksFactor) return false;
  few_checks_ = false;
  return true;
}

}  // namespace damon_statfs
