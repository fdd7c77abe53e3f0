// SPDX-License-Identifier: GPL-2.0-or-later
//
// How large a page sample max_cpu allows, and how many bandwidth checks, from what they have cost.
#pragma once

#include <cstdint>

#include "damon_statfs/observed_pages.h"

namespace damon_statfs {

class SampleSize {
 public:
  // max_cpu_percent: of one CPU, above 0. The sample begins with its largest size.
  explicit SampleSize(double max_cpu_percent, const SampleShape& shape = {})
      : shape_(shape), max_cpu_percent_(max_cpu_percent), nr_words_(shape.max_words) {}

  // Allows as much from now on; what it leaves room for is taken at once.
  void set_max_cpu_percent(double max_cpu_percent);

  uint64_t nr_words() const { return nr_words_; }

  // Whether there is CPU time for few bandwidth checks only. Shares are as accurate as ever then.
  bool few_checks() const { return few_checks_; }

  // Whether even the smallest sample costs more than max_cpu.
  bool over_budget() const { return over_budget_; }

  // Takes in what checking the sample has cost in the time since the last call. Returns: whether
  // nr_words() has changed.
  bool adapt(int64_t cpu_ns, int64_t real_ns);

 private:
  bool shrink(double used_percent);
  bool grow(double used_percent);
  uint64_t scaled(double factor) const;

  const SampleShape shape_;
  double max_cpu_percent_;
  uint64_t nr_words_;
  bool few_checks_ = false;
  bool over_budget_ = false;
  int64_t unchanged_ns_ = 0;  // real time since the last change
};

}  // namespace damon_statfs
