// SPDX-License-Identifier: GPL-2.0-or-later
//
// How long the loop may look for the next request before it sleeps. Being woken up costs a reader
// more than all else, and a reader's requests come microseconds apart; but looking costs CPU time.
#pragma once

#include <cstdint>

namespace damon_statfs {

class BusyWait {
 public:
  // The next request of the same reader is there within this time, or it is not coming.
  static constexpr int64_t kLongestNs = 50'000;
  // Of a CPU, at most, but for what one second of it allows.
  static constexpr int64_t kPercent = 1;

  // worthwhile: there is another CPU for the readers to run on meanwhile.
  explicit BusyWait(bool worthwhile) : worthwhile_(worthwhile) {}

  // Returns: how long to look for a request at most, after one was answered at now_ns; often 0.
  int64_t allowance_ns(int64_t now_ns);

  // Says what came of it: how long it took, and whether there was a request.
  void account(int64_t waited_ns, bool found);

 private:
  const bool worthwhile_;
  int64_t credit_ns_ = kNsPerSecondOfCpu;  // CPU time that may still be spent
  int64_t last_ns_ = 0;                    // when the credit was last added to
  uint32_t in_vain_ = 0;                   // waits in a row that found nothing
  uint32_t skipped_ = 0;                   // requests since the last of them

  static constexpr int64_t kNsPerSecondOfCpu = 1'000'000'000 / 100 * kPercent;
};

}  // namespace damon_statfs
