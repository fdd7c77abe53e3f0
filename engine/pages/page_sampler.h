// SPDX-License-Identifier: GPL-2.0-or-later
//
// estimator=pages: keeps a random sample of pages, whose states a source tells, and makes the
// values of the files of them. For how much memory is how hot, where it is does not matter, so
// there are no regions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "damon_statfs/attrs.h"
#include "damon_statfs/clock.h"
#include "damon_statfs/log.h"
#include "damon_statfs/observed_pages.h"
#include "damon_statfs/observer.h"
#include "engine/estimate/estimator.h"
#include "engine/pages/page_sample.h"
#include "engine/pages/page_statistics.h"
#include "engine/pages/sample_size.h"

namespace damon_statfs {

struct PageSamplerConfig {
  MonitoringAttrs attrs;
  double max_cpu_percent = 100;  // of one CPU, for the engine thread and the kdamonds
  ExcludedPages excluded = ExcludedPages::kNone;
  uint64_t page_bytes = 4096;  // the page size
  uint64_t seed = 1;
  LogSink log = [](LogLevel, std::string_view) {};
};

class PageSampler final : public Estimator {
 public:
  // The pages' source, clock and observer outlive the sampler.
  PageSampler(const PageSamplerConfig& config, ObservedPages& pages, const Clock& clock,
              MonitoringObserver& observer);

  Result<void> start() override;
  int64_t deadline_ns() const override { return pages_.deadline_ns(); }
  Result<void> step() override;
  void change(const RunSettings& settings) override;
  void stop() override;
  uint64_t monitored_bytes() const override { return monitored_bytes_; }
  OperationsFacts facts() const override { return pages_.facts(); }

  // The sample, with the states of its pages at the last refresh or change of the sample.
  const PageSample& sample() const { return sample_; }

 private:
  void set_ranges(std::vector<AddressRange> ranges);
  Result<void> draw_sample();
  void refresh();
  void take_statistics();
  std::optional<uint64_t> monitored_bytes_in(double share) const;
  Result<void> adapt_sample();
  bool adapt_size();
  bool renew_if_due();
  int64_t cpu_ns() const;
  Result<bool> update_if_due();
  void warn_if_over_budget();

  ObservedPages& pages_;
  const Clock& clock_;
  MonitoringObserver& observer_;
  const int64_t update_ns_;
  double max_cpu_percent_;
  const ExcludedPages excluded_;
  const LogSink log_;

  PageSample sample_;
  SampleSize size_;
  std::vector<AddressRange> ranges_;  // monitored
  uint64_t monitored_bytes_ = 0;      // their size
  bool warned_ = false;               // that max_cpu is too little, since it was last set
  PageStatistics found_;              // at the last refresh at which any page counted
  bool none_counts_ = false;          // whether none did at the last refresh

  int64_t next_update_ns_ = 0;   // Clock::now_ns() when the ranges are to be asked for again
  int64_t last_adapted_ns_ = 0;  // Clock::now_ns() when the size was last held against max_cpu
  int64_t last_cpu_ns_ = 0;      // cpu_ns() then
  int64_t next_renewal_ns_ = 0;  // Clock::now_ns() when a part of the sample is to be replaced
};

}  // namespace damon_statfs
