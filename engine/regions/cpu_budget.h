// SPDX-License-Identifier: GPL-2.0-or-later
//
// Holds the engine thread to its share of a CPU, whatever a page check costs on this machine: it
// says how long the sampling interval has to be at least, and how long the next tick has to wait.
#pragma once

#include <cstdint>

namespace damon_statfs {

class CpuBudget {
 public:
  // max_percent: of one CPU, above 0. The two times are those of now.
  CpuBudget(double max_percent, int64_t now_ns, int64_t thread_cpu_ns);

  // Accounts for the tick that just ended. Returns: the earliest time the next one may begin, so
  // that CPU time used so far fits the budget but for what one second of it allows.
  int64_t account_tick(int64_t now_ns, int64_t thread_cpu_ns);

  // Ends an aggregation. Returns: the shortest sampling interval at which ticks as expensive as
  // this aggregation's were would fit the budget. It keeps its value for small changes, as each
  // change rescales all regions.
  uint64_t end_aggregation_min_sample_us();

 private:
  double ns_per_cpu_ns_;   // real time that one unit of CPU time has to be spread over
  int64_t paid_until_ns_;  // real time that has to pass to pay for all CPU time used
  int64_t last_cpu_ns_;
  int64_t aggr_cpu_ns_ = 0;  // used in this aggregation,
  int64_t aggr_ticks_ = 0;   // in so many ticks
  uint64_t min_sample_us_ = 0;
};

}  // namespace damon_statfs
