// SPDX-License-Identifier: GPL-2.0-or-later
//
// Pages that are checked in rounds, through a source of page checks. The last round is when the
// values are due, and the one before it a second earlier: what is accessed in between is hot.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "damon_statfs/attrs.h"
#include "damon_statfs/clock.h"
#include "damon_statfs/observed_pages.h"
#include "damon_statfs/page_checks.h"
#include "engine/pages/bandwidth_checks.h"
#include "engine/pages/page_round.h"
#include "engine/pages/round_checks.h"
#include "engine/pages/round_page.h"

namespace damon_statfs {

struct CheckedPagesConfig {
  MonitoringAttrs attrs;
  uint64_t refresh_ms = 5'000;
  uint64_t page_bytes = 4096;
  uint64_t seed = 1;
};

class CheckedPages final : public ObservedPages {
 public:
  // The clock outlives the object.
  CheckedPages(const CheckedPagesConfig& config, std::unique_ptr<PageChecks> source,
               const Clock& clock);

  Result<std::vector<AddressRange>> open() override;
  Result<std::vector<AddressRange>> update() override { return source_->update(); }
  void close() noexcept override { source_->close(); }
  OperationsFacts facts() const override { return source_->facts(); }

  Result<void> select(std::span<const PageState> pages) override;
  std::vector<PageState> states() const override;
  int64_t deadline_ns() const override { return deadline_ns_; }
  Result<Progress> step() override;
  void change(const RunSettings& settings) override;
  void spare_checks(bool few) override { bandwidth_.set_few(few); }
  AccessRate take_access_rate() override { return bandwidth_.take(); }
  int64_t period_ns() const override { return period_ns_; }
  uint64_t nr_checks() const override { return checks_.nr_checks(); }

 private:
  enum class Phase { kRound, kRoundEnded, kBandwidth };

  void set_refresh_ms(uint64_t refresh_ms);
  void begin_refresh_interval();
  Result<Progress> check_portion();
  void begin_round();
  PageRound::Kind kind_of_round() const;
  PageRound::Counted counted_in_round() const;
  Progress end_round();
  void take_accesses(double accesses_per_page);
  Result<Progress> begin_bandwidth();
  void plan_bandwidth();
  Result<Progress> end_bandwidth_if_done();
  uint64_t round_after(uint64_t periods_left) const;
  int64_t round_start_ns(uint64_t periods_left) const;
  void wait_for_round();

  const std::unique_ptr<PageChecks> source_;
  const Clock& clock_;
  const uint64_t page_bytes_;
  int64_t refresh_ns_ = 0;   // nominal time between two refreshes
  int64_t period_ns_ = 0;    // nominal time between two rounds
  uint64_t nr_periods_ = 0;  // between two refreshes

  std::vector<RoundPage> pages_;  // ascending by addr
  PageRound round_{pages_};
  RoundChecks checks_;
  BandwidthChecks bandwidth_;

  Phase phase_ = Phase::kRound;
  int64_t deadline_ns_ = 0;     // Clock::now_ns() when step() is due
  int64_t refresh_due_ns_ = 0;  // when the last round of this refresh interval is to begin
  uint64_t periods_left_ = 0;   // after this round, until the refresh
  bool round_begun_ = false;    // whether this round's first portion has been taken
  int64_t round_began_ns_ = 0;  // when this round began, or before its beginning the one before
  bool nothing_known_ = true;   // whether this round's checks say nothing of the time before
  int64_t counted_to_ns_ = 0;   // the beginning of the last round whose accesses were taken
  bool hot_known_ = false;      // whether a round of kind kLast has told which pages are hot
  int64_t suspended_ns_ = 0;    // Clock::suspended_ns() at the beginning of this round
};

}  // namespace damon_statfs
