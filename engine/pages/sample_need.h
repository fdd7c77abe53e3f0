// SPDX-License-Identifier: GPL-2.0-or-later
//
// How large a page sample its accuracy takes. Memory that is used in large pieces is told as well
// by half of the pages, which cost half as much.
#pragma once

#include <cstdint>

namespace damon_statfs {

class SampleNeed {
 public:
  // The standard error that a share is to have at most, in percentage points.
  static constexpr double kErrorPercent = 0.75;

  // max_words: the size that every load is told well by, which the sample begins with.
  explicit SampleNeed(uint64_t max_words) : max_words_(max_words), nr_words_(max_words) {}

  // max_words, or half of them.
  uint64_t nr_words() const { return nr_words_; }

  // Takes in that for the last real_ns the sample's largest standard error of a share was this, in
  // percentage points. NaN: not known.
  void adapt(double error_percent, int64_t real_ns);

 private:
  const uint64_t max_words_;
  uint64_t nr_words_;
  bool has_grown_ = false;
  int64_t accurate_ns_ = 0;  // for how long the error has been small enough for half of the pages
};

}  // namespace damon_statfs
