// SPDX-License-Identifier: GPL-2.0-or-later
//
// The checks that tell the bandwidth: between two rounds, some hot pages are marked at random
// moments and checked one sampling interval later.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "damon_statfs/attrs.h"
#include "damon_statfs/clock.h"
#include "damon_statfs/observed_pages.h"
#include "damon_statfs/page_checks.h"
#include "engine/base/random.h"
#include "engine/pages/bandwidth.h"
#include "engine/pages/round_checks.h"

namespace damon_statfs {

class BandwidthChecks {
 public:
  // The checks and the clock outlive the object.
  BandwidthChecks(const MonitoringAttrs& attrs, uint64_t seed, RoundChecks& checks,
                  const Clock& clock)
      : checks_(checks), clock_(clock), random_(seed), bandwidth_(attrs) {}

  void set_goal(const IntervalsGoal& goal) { bandwidth_.set_goal(goal); }

  // Whether there are to be as few checks as possible.
  void set_few(bool few) { few_ = few; }

  // The sampling interval in force.
  int64_t sample_ns() const { return static_cast<int64_t>(bandwidth_.sample_us()) * kNsPerUs; }

  // Has no checks until the next plan(): the pages are no longer there.
  void forget_pages();

  // A round has ended; the next one is at next_round_ns, and checks end at end_ns. There are none
  // before plan() is called.
  void begin(int64_t next_round_ns, int64_t end_ns);

  // Plans checks of hot pages, which are part of a sample of nr_pages, if rounds, which are
  // period_ns apart, do not tell enough by themselves. Pages of RoundPage type.
  void plan(std::span<CheckedPage* const> hot, size_t nr_pages, int64_t period_ns);

  // Returns: whether there is a step to do, at deadline_ns(). If not, the checks are over.
  bool arm();
  int64_t deadline_ns() const { return deadline_ns_; }

  // Marks the pages of a check, or checks them. Returns: why the source cannot go on.
  Result<void> step();

  // As Bandwidth::add_round() and take().
  void add_round(double accesses_per_page, int64_t time_ns) {
    bandwidth_.add_round(accesses_per_page, time_ns);
  }
  AccessRate take() { return bandwidth_.take(); }

 private:
  Result<void> check(std::span<CheckedPage* const> pages);
  Result<void> mark_next();
  Result<void> count_marked();

  RoundChecks& checks_;
  const Clock& clock_;
  Random random_;
  Bandwidth bandwidth_;
  bool few_ = false;

  // From one round to the next, set by begin() and plan().
  int64_t time_ns_ = 0;               // that the checks stand for
  int64_t end_ns_ = 0;                // Clock::now_ns() by which they have to be over
  double hot_share_ = 0;              // of the sample's pages, those that are hot
  std::vector<CheckedPage*> chosen_;  // of the hot pages, those that are checked
  uint64_t nr_planned_ = 0;           // checks, for each of which there is an equal part of chosen_
  uint64_t nr_left_ = 0;              // of them, not begun yet

  std::vector<CheckedPage*> marked_;  // the pages of a check that has begun; else none
  int64_t marked_ns_ = 0;             // Clock::now_ns() when they were marked
  int64_t deadline_ns_ = 0;           // Clock::now_ns() when step() is due
};

}  // namespace damon_statfs
