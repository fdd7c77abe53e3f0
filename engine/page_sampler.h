// SPDX-License-Identifier: GPL-2.0-or-later
//
// estimator=pages: keeps a fixed random sample of pages and looks at them in rounds, the last of
// which ends just when the values are due. For how much memory is how hot, where it is does not
// matter, so there are no regions.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "damon_statfs/attrs.h"
#include "damon_statfs/clock.h"
#include "damon_statfs/operations.h"
#include "damon_statfs/snapshot.h"
#include "engine/access_rate.h"
#include "engine/estimator.h"
#include "engine/page_sample.h"
#include "engine/sample_size.h"

namespace damon_statfs {

// Sees each refresh, in the sampler's thread.
class PageSamplerObserver {
 public:
  virtual ~PageSamplerObserver() = default;
  // details: those that the sampler knows; the rest is left as it was.
  virtual void refreshed(const Statistics& statistics, const MonitoringDetails& details) = 0;
};

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
  // The operations set, clock and observer outlive the sampler. Precondition: attrs are valid.
  PageSampler(const PageSamplerConfig& config, Operations& operations, const Clock& clock,
              PageSamplerObserver& observer);

  Result<void> start() override;
  int64_t deadline_ns() const override { return deadline_ns_; }
  Result<void> step() override;
  void stop() override { operations_.close(); }
  uint64_t monitored_bytes() const override { return monitored_bytes_; }

  const PageSample& sample() const { return sample_; }

 private:
  enum class Phase { kLooking, kMarking, kCounting };

  void fit_sample();
  void plan_round(uint64_t rounds_left);
  bool is_due(const SampledPage& page) const;
  bool is_old(const PageHistory& page) const;
  void extend_round();
  void begin_round();
  void note_look(PageHistory& page, int64_t now_ns);
  Result<void> look_at_portion();
  Result<void> end_round();
  void refresh();
  Result<void> adapt_sample();
  void warn_if_over_budget();
  void plan_trial();
  Result<size_t> look_at_chosen();
  Result<void> mark_chosen();
  Result<void> count_chosen();
  double share_accessed_within(int64_t ns) const;
  int64_t round_start_ns(uint64_t rounds_left) const;
  uint64_t next_round() const;
  void wait_for_round();

  Operations& operations_;
  const Clock& clock_;
  PageSamplerObserver& observer_;
  const MonitoringAttrs attrs_;
  const int64_t refresh_ns_;
  const uint64_t nr_rounds_;     // between two refreshes
  const int64_t period_ns_;      // of the rounds
  const uint64_t adapt_stride_;  // rounds between two adaptions of the sample to its cost
  const double max_cpu_percent_;
  const bool exclude_untracked_;
  const LogSink log_;

  Random random_;
  PageSample sample_;
  SampleSize size_;
  AccessRate rate_;
  uint64_t monitored_bytes_ = 0;
  std::vector<AddressRange> ranges_;
  bool warned_ = false;  // of a budget that is too small

  Phase phase_ = Phase::kLooking;
  int64_t deadline_ns_ = 0;
  int64_t refresh_due_ns_ = 0;
  int64_t next_update_ns_ = 0;
  uint64_t rounds_left_ = 0;  // after this one, until the refresh
  int64_t round_began_ns_ = 0;
  bool nothing_known_ = true;        // this round's looks say nothing of the time before
  std::vector<SampledPage*> order_;  // all pages, ascending by group
  std::vector<SampledPage*> due_;    // those of this round, in that order
  size_t looked_at_ = 0;             // of them
  uint64_t round_ = 0;
  uint64_t old_changed_ = 0;          // old pages found accessed since the last refresh
  bool extended_ = false;             // this round is: to all old pages
  int64_t unchanged_ns_ = 0;          // until then old pages are taken to have been idle
  double new_share_per_s_ = 0;        // this round: pages that were not in use before, per second
  std::vector<SampledPage*> used_;    // accessed at their last look, in that order
  std::vector<SampledPage*> chosen_;  // whose accesses within one sampling interval are counted
  int64_t marked_ns_ = 0;             // when they were
  uint64_t trials_left_ = 0;          // of counting, in this round
  int64_t suspended_ns_ = 0;          // Clock::suspended_ns() at the last look
  int64_t last_cpu_ns_ = 0, last_adapted_ns_ = 0;
  uint64_t nr_checks_ = 0;
};

}  // namespace damon_statfs
