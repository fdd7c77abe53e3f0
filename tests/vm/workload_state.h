// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the workload tells the checker: how much memory it touches how often, and when it last did.
// The checker computes from it what a reading should have said at the moment it was taken.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace guest_test {

// One pass over a part of the workload's memory. All times are CLOCK_MONOTONIC.
struct Pass {
  int64_t start_ns =
      0;  // later than end_ns: a pass is under way, and end_ns is that of the one before
  int64_t end_ns = 0;
};

struct WorkloadState {
  int64_t hot_bytes = 0;
  int64_t warm_bytes = 0;
  int64_t cold_bytes = 0;
  int64_t huge_bytes = 0;   // of the hot part: on transparent huge pages
  int64_t hot_pass_ns = 0;  // how long touching the whole hot part takes
  // From the start of a pass to that of the next; 0: there is none.
  int64_t hot_period_ns = 0;
  int64_t warm_period_ns = 0;
  int64_t cold_period_ns = 0;
  Pass warm;
  Pass cold;  // that of populating it, when it is never touched again
};

// Nanoseconds of CLOCK_MONOTONIC.
int64_t monotonic_ns();

// Replaces the file at once: a reader sees the old state or the new one. Throws when it cannot.
void write_state(const std::string& path, const WorkloadState& state);

// Returns: the state, or nothing when the file is missing or incomplete.
std::optional<WorkloadState> read_state(const std::string& path);

}  // namespace guest_test
