// SPDX-License-Identifier: GPL-2.0-or-later
//
// The budget is a leaky bucket over the thread's CPU clock (delays single ticks at once) and an
// average per aggregation (stretches the intervals, so that what is published tells the truth about
// them).
#include "engine/regions/cpu_budget.h"

#include <algorithm>
#include <cmath>

#include "damon_statfs/attrs.h"
#include "damon_statfs/clock.h"
#include "engine/base/wide.h"

namespace damon_statfs {

CpuBudget::CpuBudget(double max_percent, int64_t now_ns, int64_t thread_cpu_ns)
    : ns_per_cpu_ns_(100.0 / max_percent), paid_until_ns_(now_ns), last_cpu_ns_(thread_cpu_ns) {}

int64_t CpuBudget::account_tick(int64_t now_ns, int64_t thread_cpu_ns) {
  constexpr int64_t kCreditNs = kNsPerSecond;
  const int64_t used_ns = thread_cpu_ns - last_cpu_ns_;
  last_cpu_ns_ = thread_cpu_ns;
  aggr_cpu_ns_ += used_ns;
  ++aggr_ticks_;
  const int64_t debt_ns = to_ns_saturated(static_cast<double>(used_ns) * ns_per_cpu_ns_);
  paid_until_ns_ = std::clamp(paid_until_ns_, now_ns - kCreditNs, now_ns + kFarNs) + debt_ns;
  return paid_until_ns_;
}

uint64_t CpuBudget::end_aggregation_min_sample_us() {
  const double per_tick_ns =
      static_cast<double>(aggr_cpu_ns_) / static_cast<double>(std::max<int64_t>(aggr_ticks_, 1));
  const uint64_t needed_us = std::min(
      to_u64_saturated(std::ceil(per_tick_ns * ns_per_cpu_ns_ / static_cast<double>(kNsPerUs))),
      kMaxIntervalUs);
  aggr_cpu_ns_ = 0;
  aggr_ticks_ = 0;
  if (needed_us > min_sample_us_ || needed_us < min_sample_us_ / 4 * 3) {
    min_sample_us_ = needed_us + needed_us / 8;
  }
  return min_sample_us_;
}

}  // namespace damon_statfs
