// SPDX-License-Identifier: GPL-2.0-or-later
//
// estimated_memory_bandwidth of estimator=pages. DAMON counts what share of memory is accessed
// within one sampling interval; that is estimated here from a few random ones of the pages that are
// in use, since the others are known to be hit hardly ever.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "damon_statfs/attrs.h"
#include "engine/pages/page_sample.h"

namespace damon_statfs {

// How often between two rounds pages are marked and looked at one sampling interval later.
struct Trials {
  uint64_t count = 0;
  uint64_t nr_pages = 0;  // in all of them together
};

class AccessRate {
 public:
  explicit AccessRate(const MonitoringAttrs& attrs) : attrs_(normalised(attrs)) {}

  // Tunes for this goal from now on.
  void set_goal(const IntervalsGoal& goal);

  // The sampling interval that is in force, tuned as the kernel tunes it.
  uint64_t sample_us() const { return attrs_.sample_us; }
  uint64_t aggr_us() const { return attrs_.aggr_us; }

  // For so long a time, with this share of memory in use (0 to 1). few: for less CPU time. Returns:
  // none if there is no time for one, or nothing in use.
  Trials plan(double used_share, int64_t time_ns, bool few) const;

  // At most nr_pages random ones of `pages`, in their order.
  static std::vector<CheckedPage*> choose(std::span<CheckedPage* const> pages, uint64_t nr_pages,
                                          Random& random);

  // One trial: this share of memory was accessed within wall_ns. A share above 1 counts as 1, since
  // each page counts with one access at most.
  void add(double share, int64_t wall_ns);

  // What the looks at the end of so much time have found beside the trials: so many accesses per
  // page of all memory.
  void add_looks(double accesses_per_page, int64_t time_ns);

  // The trials since the last call stand for so much time.
  void end_trials(int64_t time_ns);

  // Bytes per second, on average over the time since the last call. 0 without any trial or look.
  double take_bytes_per_s(uint64_t monitored_bytes);

 private:
  void tune();

  // A mean over time.
  struct Mean {
    double sum = 0, time_s = 0;

    void add(double value, double seconds) { add_sum(value * seconds, seconds); }
    void add_sum(double sum_over_time, double seconds) {
      sum += sum_over_time;
      time_s += seconds;
    }
    double take() {
      const double mean = time_s > 0 ? sum / time_s : 0;
      *this = Mean();
      return mean;
    }
  };

  MonitoringAttrs attrs_;
  double shares_ = 0, shares_per_s_ = 0;  // sums over the trials since end_trials()
  uint64_t nr_trials_ = 0;
  Mean share_per_s_, looked_per_s_;            // since take_bytes_per_s()
  Mean untuned_share_, untuned_looked_per_s_;  // since the last tuning
};

}  // namespace damon_statfs
