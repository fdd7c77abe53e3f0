// SPDX-License-Identifier: GPL-2.0-or-later
//
// estimator=pages: keeps a fixed random sample of pages and looks at them in rounds, the last of
// which is when the values are due, and the one before it a second earlier: what is accessed in
// between is hot. For how much memory is how hot, where it is does not matter, so there are no
// regions.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "damon_statfs/attrs.h"
#include "damon_statfs/clock.h"
#include "damon_statfs/log.h"
#include "damon_statfs/observer.h"
#include "damon_statfs/page_checks.h"
#include "engine/estimate/estimator.h"
#include "engine/pages/access_rate.h"
#include "engine/pages/page_round.h"
#include "engine/pages/page_sample.h"
#include "engine/pages/page_statistics.h"
#include "engine/pages/sample_size.h"

namespace damon_statfs {

struct PageSamplerConfig {
  MonitoringAttrs attrs;
  uint64_t refresh_ms = 5'000;
  double max_cpu_percent = 100;
  bool exclude_untracked = false;
  uint64_t page_bytes = 4096;
  uint64_t seed = 1;
  LogSink log = [](LogLevel, std::string_view) {};
};

class PageSampler final : public Estimator {
 public:
  // The source of checks, clock and observer outlive the sampler. Precondition: attrs are valid.
  PageSampler(const PageSamplerConfig& config, PageChecks& checks, const Clock& clock,
              MonitoringObserver& observer);

  Result<void> start() override;
  int64_t deadline_ns() const override { return deadline_ns_; }
  Result<void> step() override;
  void change(const RunSettings& settings) override;
  void stop() override;
  uint64_t monitored_bytes() const override { return monitored_bytes_; }
  OperationsFacts facts() const override { return checks_.facts(); }

  const PageSample& sample() const { return sample_; }

 private:
  enum class Phase { kLooking, kMarking, kCounting };

  void set_refresh_ms(uint64_t refresh_ms);
  void begin_refresh_interval();
  void fit_sample();
  void take_sample();
  Result<void> look_at_portion();
  void begin_round();
  Result<void> end_round();
  void refresh();
  void take_statistics();
  Result<void> adapt_sample();
  void warn_if_over_budget();
  Result<void> look(std::span<CheckedPage* const> pages);
  Result<void> mark(std::span<CheckedPage* const> pages, bool scouts_only);
  void take_looks(double accesses_per_page);
  void plan_trials();
  void plan_trial();
  Result<void> mark_tried();
  Result<void> count_tried();
  int64_t sample_ns() const { return static_cast<int64_t>(rate_.sample_us()) * kNsPerUs; }
  uint64_t round_after(uint64_t periods_left) const;
  int64_t round_start_ns(uint64_t periods_left) const;
  void wait_for_round();

  PageChecks& checks_;
  const Clock& clock_;
  MonitoringObserver& observer_;
  const MonitoringAttrs attrs_;
  int64_t refresh_ns_ = 0;
  uint64_t nr_periods_ = 0;  // between two refreshes
  int64_t period_ns_ = 0;
  double max_cpu_percent_;
  const bool exclude_untracked_;
  const LogSink log_;

  Random random_;
  PageSample sample_;
  PageRound round_;
  SampleSize size_;
  AccessRate rate_;
  uint64_t monitored_bytes_ = 0;
  std::vector<AddressRange> ranges_;
  bool warned_ = false;       // of a budget that is too small
  PageStatistics found_;      // at the last refresh at which any page counted
  bool none_counts_ = false;  // at the last refresh none did

  Phase phase_ = Phase::kLooking;
  int64_t deadline_ns_ = 0;
  int64_t refresh_due_ns_ = 0;
  int64_t next_update_ns_ = 0;
  uint64_t periods_left_ = 0;  // after this round, until the refresh
  bool round_begun_ = false;
  int64_t round_began_ns_ = 0;
  bool nothing_known_ = true;         // this round's looks say nothing of the time before
  int64_t counted_to_ns_ = 0;         // the beginning of the last round that take_looks() has seen
  bool used_known_ = false;           // PageRound::used() has been taken
  double used_share_ = 0;             // of the sample's pages, those
  std::vector<CheckedPage*> chosen_;  // of those, the ones to be tried until the next round
  uint64_t nr_trials_ = 0;            // for each of which there is an equal part of them
  uint64_t trials_left_ = 0;
  int64_t trials_ns_ = 0;            // the time from the last round to the next
  std::vector<CheckedPage*> tried_;  // those of one trial
  int64_t marked_ns_ = 0;            // when they were
  int64_t suspended_ns_ = 0;         // Clock::suspended_ns() at the last look
  int64_t last_cpu_ns_ = 0, last_adapted_ns_ = 0;
  uint64_t nr_checks_ = 0;
};

}  // namespace damon_statfs
