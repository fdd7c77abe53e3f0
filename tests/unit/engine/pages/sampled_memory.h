// SPDX-License-Identifier: GPL-2.0-or-later
//
// Memory of known hotness and what many samples of it say: the truth that the standard error is
// held against.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <functional>
#include <string>

#include "damon_statfs/clock.h"
#include "engine/pages/page_statistics.h"
#include "unit/engine/pages/page_lists.h"

namespace damon_statfs::test {

constexpr uint64_t kMemoryPages = uint64_t{1} << 22;  // 16 GiB

using IsHot = std::function<bool(uint64_t page)>;

// Of pieces of so many pages, this share at random places.
inline IsHot scattered(double share, uint64_t piece_pages) {
  return [=](uint64_t page) {
    Random random(page / piece_pages * 0x9e3779b97f4a7c15 + 77);
    return static_cast<double>(random.in_range(0, 1'000'000)) < share * 1'000'000;
  };
}

struct Errors {
  double mean_percent = 0;       // of the shares that the samples tell
  double empirical_percent = 0;  // the standard deviation of those
  double told_percent = 0;       // the standard errors that they tell, quadratic mean
};

inline Errors errors_of(const IsHot& is_hot, uint64_t nr_words, uint64_t nr_samples) {
  constexpr int64_t kAtNs = 1'000 * kNsPerSecond;
  double sum = 0, squares = 0, told_squares = 0;
  for (uint64_t seed = 1; seed <= nr_samples; ++seed) {
    PageSample sample(kSamplePageBytes, seed);
    sample.fit(Ranges{{0, kMemoryPages * kSamplePageBytes}}, nr_words, 1);
    for (PageState& page : sample.pages()) {
      set_past(page, is_hot(page.addr / kSamplePageBytes), kNsPerSecond);
    }
    const PageStatistics found = make_page_statistics(sample, ExcludedPages::kNone, kAtNs);
    sum += found.share_percent[0];
    squares += found.share_percent[0] * found.share_percent[0];
    told_squares += found.share_error_percent[0] * found.share_error_percent[0];
  }
  const auto n = static_cast<double>(nr_samples);
  const double variance = (squares - sum * sum / n) / (n - 1);
  return {sum / n, std::sqrt(std::max(variance, 0.0)), std::sqrt(told_squares / n)};
}

}  // namespace damon_statfs::test
