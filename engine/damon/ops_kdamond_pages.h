// SPDX-License-Identifier: GPL-2.0-or-later
//
// ops=kdamond with estimator=pages: the kernel's own DAMON checks a random sample of pages, once
// per period, as regions of one page that it can neither split nor merge.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "damon_statfs/observed_pages.h"
#include "damon_statfs/operations_context.h"
#include "engine/damon/access_rates.h"
#include "engine/damon/own_kdamond.h"
#include "engine/damon/page_histories.h"
#include "engine/damon/page_kdamond.h"
#include "engine/damon/page_kinds.h"
#include "engine/damon/page_measurement.h"

namespace damon_statfs {

// Returns: why the kernel cannot sample pages: ENOENT or EACCES without its trace events.
Result<void> probe_kdamond_pages(const KernelFiles& files);

class KdamondPages final : public ObservedPages {
 public:
  // The context outlives the object. page_bytes: the page size.
  KdamondPages(const OperationsContext& context, std::shared_ptr<const KernelFiles> files,
               const OpenEvents& open_events, uint64_t page_bytes);
  KdamondPages(const KdamondPages&) = delete;
  KdamondPages& operator=(const KdamondPages&) = delete;
  ~KdamondPages() override { close(); }

  Result<std::vector<AddressRange>> open() override;
  Result<std::vector<AddressRange>> update() override;
  void close() noexcept override;
  OperationsFacts facts() const override;

  Result<void> select(std::span<const PageState> pages) override;
  SampleShape sample_shape() const override;
  std::vector<PageState> states() const override;
  int64_t deadline_ns() const override;
  Result<Progress> step() override;
  void change(const RunSettings& settings) override;
  void spare_checks(bool few) override { rates_.set_few(few); }
  AccessRate take_access_rate() override { return rates_.take(); }
  int64_t period_ns() const override { return period_ns_; }
  uint64_t nr_checks() const override { return 0; }  // of the engine

 private:
  // What the next step is for.
  enum class Phase {
    kRest,     // to record the sample
    kRead,     // to take the recorded sample
    kPlan,     // to begin to measure pages in use
    kMeasure,  // to take that measurement
  };

  void stop();
  Result<void> start();
  Result<void> put_pages_in_force();
  void set_refresh_ms(uint64_t refresh_ms);
  Result<void> check_kdamonds();
  Result<void> begin_reading();
  Result<Progress> read_sample();
  Progress take_sample(const RegionSnapshot& snapshot);
  void take_counted();
  Result<void> begin_measurement();
  Result<void> take_measurement();
  void wait_for_sample();
  void note_silence(int64_t now_ns);
  std::vector<uint64_t> sample_addrs() const;
  KdamondIntervals sample_intervals() const;
  int64_t wanted_sample_ns() const;

  const OperationsContext& context_;
  const std::shared_ptr<const KernelFiles> files_;
  const uint64_t page_bytes_;
  PageKinds kinds_;

  OwnKdamond own_{context_, *files_};
  PageKdamond sample_;    // the sample, checked once per period
  PageKdamond measured_;  // some pages in use, now and then, at the tuned sampling interval
  PageKdamond counted_;   // random other pages, whose accesses are counted
  std::vector<AddressRange> ranges_;

  int64_t refresh_ns_ = 0;
  int64_t period_ns_ = 0;                   // nominal
  std::optional<PageHistories> histories_;  // from the first select() on
  AccessRates rates_;
  PageMeasurement measurement_{measured_, rates_, *context_.clock};
  bool select_due_ = false;         // whether other pages were selected than are in force
  bool changed_by_others_ = false;  // what is staged is not only ours any more

  Phase phase_ = Phase::kRest;
  int64_t expected_ns_ = 0;           // when the aggregation that is wanted ends
  int64_t phase_due_ns_ = 0;          // Clock::now_ns() when the phase's step is due
  int64_t pause_ns_ = 0;              // between two looks for what is recorded
  int64_t next_check_ns_ = 0;         // when the kdamonds are to be looked after
  int64_t next_verification_ns_ = 0;  // when one of them is to be verified
  size_t next_verified_ = 0;          // which of them
  int64_t started_ns_ = 0;
  int64_t refresh_due_ns_ = 0;
  bool silence_logged_ = false;
};

}  // namespace damon_statfs
