// SPDX-License-Identifier: GPL-2.0-or-later
//
// How large a page sample is to be, and how many bandwidth checks there are to be: as large as its
// accuracy takes, if max_cpu allows that by what they have cost.
#pragma once

#include <cstdint>

#include "damon_statfs/observed_pages.h"
#include "engine/pages/sample_need.h"

namespace damon_statfs {

class SampleSize {
 public:
  // max_cpu_percent: of one CPU, above 0. shape: with at least twice as many words at most as at
  // least. The sample begins with its largest size.
  explicit SampleSize(double max_cpu_percent, const SampleShape& shape = {})
      : min_words_(shape.min_words),
        need_(shape.max_words),
        max_cpu_percent_(max_cpu_percent),
        nr_words_(shape.max_words) {}

  // Allows as much from now on; what it leaves room for is taken at once.
  void set_max_cpu_percent(double max_cpu_percent);

  uint64_t nr_words() const { return nr_words_; }

  // Whether there is CPU time for few bandwidth checks only. Shares are as accurate as ever then.
  bool few_checks() const { return few_checks_; }

  // Whether even the smallest sample costs more than max_cpu.
  bool over_budget() const { return over_budget_; }

  // Takes in what checking the sample has cost in the real_ns since the last call, and its largest
  // standard error of a share, in percentage points (NaN: not known). Returns: whether nr_words()
  // has changed.
  bool adapt(int64_t cpu_ns, int64_t real_ns, double error_percent);

 private:
  bool shrink(double used_percent);
  bool grow(double used_percent);
  uint64_t scaled(double factor) const;

  const uint64_t min_words_;
  SampleNeed need_;
  double max_cpu_percent_;
  uint64_t nr_words_;
  bool few_checks_ = false;
  bool over_budget_ = false;
  int64_t unchanged_ns_ = 0;  // real time since the last change
};

}  // namespace damon_statfs
