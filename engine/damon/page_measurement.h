// SPDX-License-Identifier: GPL-2.0-or-later
//
// The kdamond that measures how often pages in use are accessed: it is on for one aggregation at a
// time, of some of these pages at the tuned sampling interval.
#pragma once

#include <cstdint>

#include "damon_statfs/clock.h"
#include "damon_statfs/result.h"
#include "engine/damon/access_rates.h"
#include "engine/damon/page_histories.h"
#include "engine/damon/page_kdamond.h"

namespace damon_statfs {

class PageMeasurement {
 public:
  enum class Progress {
    kNone,   // it goes on
    kEnded,  // it is over
    kAgain,  // the same, and another one is worth it, as the sampling interval has changed
  };

  // All outlive the object. kdamond: for measurements only. rates: to which these are added.
  PageMeasurement(PageKdamond& kdamond, AccessRates& rates, const Clock& clock)
      : kdamond_(kdamond), rates_(rates), clock_(clock) {}

  // The next refresh may have measurements of its own.
  void allow_again() { nr_measurements_ = 0; }

  // Begins one that can end before `limit_ns` (Clock::now_ns()), if the rates want any. sample: of
  // which some pages in use are measured. refresh_ns, period_ns: between two refreshes, and between
  // two checks of the sample. Returns: whether it has begun; none does while another program holds
  // the interface.
  Result<bool> begin(const PageHistories& sample, int64_t refresh_ns, int64_t period_ns,
                     int64_t limit_ns);

  // Takes the measurement if there is one, or ends it without by limit_ns. Precondition: it has
  // begun, and is not over. Returns: why the kdamond cannot be switched off.
  Result<Progress> step(int64_t limit_ns);

  // When step() is due, and since when the kdamond may have taken marks of the sample.
  int64_t due_ns() const { return due_ns_; }
  int64_t from_ns() const { return from_ns_; }

 private:
  PageKdamond& kdamond_;
  AccessRates& rates_;
  const Clock& clock_;
  int nr_measurements_ = 0;  // since the last refresh
  int64_t from_ns_ = 0;
  int64_t due_ns_ = 0;
  int64_t pause_ns_ = 0;  // between two looks for what is recorded
};

}  // namespace damon_statfs
