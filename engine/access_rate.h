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
  // Groups of pages (words) that are tried per round.
  static constexpr size_t kGroups = 48;

  explicit AccessRate(const MonitoringAttrs& attrs) : attrs_(attrs) {}

  // The sampling interval that is in force, tuned as the kernel tunes it.
  uint64_t sample_us() const { return attrs_.sample_us; }
  uint64_t aggr_us() const { return attrs_.aggr_us; }

  // At most kGroups random ones of the groups with pages that the last look found accessed, and of
  // each all such pages. `pages`: ascending by group.
  static std::vector<SampledPage*> choose(std::span<SampledPage* const> pages, Random& random);

  // One round: so much of memory was accessed within wall_ns, of which ...
  void add(double share, int64_t wall_ns);

  // Bytes per second, on average over the rounds since the last call. 0 without any.
  double take_bytes_per_s(uint64_t monitored_bytes);

 private:
  void tune(double share);

  MonitoringAttrs attrs_;
  double shares_per_s_ = 0;  // sums since take_bytes_per_s()
  uint64_t rounds_ = 0;
  double untuned_share_ = 0;  // sums since the last tuning
  uint64_t untuned_rounds_ = 0;
};

}  // namespace damon_statfs
