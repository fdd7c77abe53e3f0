// SPDX-License-Identifier: GPL-2.0-or-later
//
// estimated_memory_bandwidth of estimator=pages. DAMON counts what share of memory is accessed
// within one sampling interval; that is estimated here from checks of a few random ones of the hot
// pages, since the others are known to be accessed hardly ever, and from the rounds.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "damon_statfs/attrs.h"
#include "damon_statfs/observed_pages.h"
#include "damon_statfs/page_checks.h"
#include "engine/base/random.h"

namespace damon_statfs {

// Between two rounds pages are marked and checked one sampling interval later: so many times, and
// so many pages in all of them together.
struct BandwidthPlan {
  uint64_t nr_checks = 0;
  uint64_t nr_pages = 0;
};

class Bandwidth {
 public:
  explicit Bandwidth(const MonitoringAttrs& attrs) : attrs_(normalised(attrs)) {}

  // Tunes the sampling interval for this goal from now on.
  void set_goal(const IntervalsGoal& goal);

  // The sampling and aggregation interval in force, tuned as the kernel tunes them (kernel
  // documentation: Documentation/mm/damon/design.rst, "Monitoring Intervals Auto-Tuning").
  uint64_t sample_us() const { return attrs_.sample_us; }
  uint64_t aggr_us() const { return attrs_.aggr_us; }

  // The checks for the next time_ns, if this share of memory is hot (0 to 1). few: for less CPU
  // time. Returns: none if there is no time for one, or nothing hot.
  BandwidthPlan plan(double hot_share, int64_t time_ns, bool few) const;

  // Returns: at most nr_pages random ones of `pages`, in their order.
  static std::vector<CheckedPage*> choose(std::span<CheckedPage* const> pages, uint64_t nr_pages,
                                          Random& random);

  // One check has found that this share of memory was accessed within real_ns. A share above 1
  // counts as 1, since each page counts with one access at most.
  void add_check(double share, int64_t real_ns);

  // The round at the end of time_ns has found so many accesses per page of all memory that no check
  // has told of.
  void add_round(double accesses_per_page, int64_t time_ns);

  // The checks since the last call stand for time_ns.
  void end_checks(int64_t time_ns);

  // Returns: the rate on average over the time since the last call; 0 accesses without any check or
  // round.
  AccessRate take();

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

  MonitoringAttrs attrs_;    // with the intervals in force
  double shares_ = 0;        // sum of the shares of the checks since end_checks()
  double shares_per_s_ = 0;  // the same, each by its real time
  uint64_t nr_checks_ = 0;   // since end_checks()
  // Accesses per page of all memory and second that checks and rounds have found since take().
  Mean checks_per_s_, rounds_per_s_;
  // The share of memory accessed in one sampling interval that checks have found, and the accesses
  // per page and second that rounds have found, since the last tuning.
  Mean untuned_share_, untuned_rounds_per_s_;
};

}  // namespace damon_statfs
