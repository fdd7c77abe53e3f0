// SPDX-License-Identifier: GPL-2.0-or-later
//
// With half of the pages the error is 1.4 times as large if memory is used in small pieces, and
// twice as large if it is used in pieces of many strata, as it is the strata at their edges that
// tell nothing then. What has been too small is not tried again soon, because to change the sample
// costs as much as to check it for a minute.
#include "engine/pages/sample_need.h"

#include "damon_statfs/clock.h"

namespace damon_statfs {
namespace {

constexpr double kErrorOfHalf = 2;  // as many times as large, at most
constexpr int64_t kHalveAfterNs = 60 * kNsPerSecond;
constexpr int64_t kHalveAgainAfterNs = 1'800 * kNsPerSecond;

}  // namespace

void SampleNeed::adapt(double error_percent, int64_t real_ns) {
  if (nr_words_ < max_words_) {
    if (!(error_percent > kErrorPercent)) return;
    nr_words_ = max_words_;
    has_grown_ = true;
    accurate_ns_ = 0;
    return;
  }
  const bool accurate = kErrorOfHalf * error_percent <= kErrorPercent;
  accurate_ns_ = accurate ? accurate_ns_ + real_ns : 0;
  if (accurate_ns_ >= (has_grown_ ? kHalveAgainAfterNs : kHalveAfterNs)) nr_words_ = max_words_ / 2;
}

}  // namespace damon_statfs
