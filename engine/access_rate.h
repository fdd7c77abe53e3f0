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
#include "engine/page_sample.h"

namespace damon_statfs {

class AccessRate {
 public:
  // How often per round some pages are tried, and how many groups of them (words) each time.
  // Many times rather than many groups, as memory may be in use at some moments only.
  static constexpr uint64_t kTrials = 12;
  static constexpr size_t kGroups = 3;

  explicit AccessRate(const MonitoringAttrs& attrs) : attrs_(attrs) {}

  // The sampling interval that is in force, tuned as the kernel tunes it.
  uint64_t sample_us() const { return attrs_.sample_us; }
  uint64_t aggr_us() const { return attrs_.aggr_us; }

  // At most kGroups random ones of the groups with pages that the last look found accessed, and of
  // each all such pages. `pages`: ascending by group.
  static std::vector<SampledPage*> choose(std::span<SampledPage* const> pages, Random& random);

  // One trial: this share of memory was accessed within wall_ns.
  void add(double share, int64_t wall_ns);

  // The end of a round.
  void end_round();

  // Bytes per second, on average over the trials since the last call. 0 without any.
  double take_bytes_per_s(uint64_t monitored_bytes);

 private:
  void tune();

  MonitoringAttrs attrs_;
  double shares_per_s_ = 0;  // sums since take_bytes_per_s()
  uint64_t nr_shares_ = 0;
  double untuned_shares_ = 0;  // sums since the last tuning
  uint64_t nr_untuned_ = 0;
  uint64_t untuned_rounds_ = 0;
};

}  // namespace damon_statfs
