// SPDX-License-Identifier: GPL-2.0-or-later
//
// The workloads of the evaluation, by name. Each fills its memory, says in a record what it touches
// when, and goes on until it is killed. They are fixed: nothing is ever tuned to them, nor they to
// it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "touch_record.h"

namespace guest_test {

struct WorkloadSetup {
  std::string name;
  int64_t pause_ns =
      0;  // slept after each pass over what is hot; 0: hot memory is busy all the time
  int64_t hot_bytes = 0;  // instead of the workload's own, for runs in guests of other sizes
  int64_t cold_bytes = 0;
};

std::vector<std::string> workload_names();

// Throws std::invalid_argument when there is no such workload.
[[noreturn]] void run_workload(const WorkloadSetup& setup, TouchRecord record);

}  // namespace guest_test
