// SPDX-License-Identifier: GPL-2.0-or-later
//
// A leaky bucket for the CPU time, and a doubling pause after waits that found nothing.
#include "fs/busy_wait.h"

#include <algorithm>

namespace damon_statfs {

int64_t BusyWait::allowance_ns(int64_t now_ns) {
  constexpr uint32_t kMostSkipped = 64;
  if (!worthwhile_) return 0;
  if (last_ns_ != 0) {
    credit_ns_ = std::min(credit_ns_ + (now_ns - last_ns_) / 100 * kPercent, kNsPerSecondOfCpu);
  }
  last_ns_ = now_ns;
  // The last request of a reader is always followed by a wait in vain: one of them says nothing.
  const uint32_t to_skip = in_vain_ < 2 ? 0 : std::min(1U << std::min(in_vain_, 6U), kMostSkipped);
  if (credit_ns_ < kLongestNs || skipped_ < to_skip) {
    ++skipped_;
    return 0;
  }
  return kLongestNs;
}

void BusyWait::account(int64_t waited_ns, bool found) {
  credit_ns_ -= waited_ns;
  in_vain_ = found ? 0 : in_vain_ + 1;
  skipped_ = 0;
}

}  // namespace damon_statfs
