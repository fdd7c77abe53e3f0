// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the workload tells the checker: how much memory it touches how often, and when it last did.
// The checker computes from it what a reading should have said at the moment it was taken.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace guest_test {

// All times are CLOCK_MONOTONIC; a part that was never touched again keeps its population time.
struct WorkloadState {
  int64_t hot_bytes = 0;
  int64_t warm_bytes = 0;
  int64_t cold_bytes = 0;
  int64_t huge_bytes = 0;     // of the hot part: on transparent huge pages
  int64_t hot_pass_ns = 0;    // how long touching the whole hot part takes
  int64_t warm_start_ns = 0;  // later than warm_end_ns: a pass is under way
  int64_t warm_end_ns = 0;
  int64_t cold_end_ns = 0;
};

// Nanoseconds of CLOCK_MONOTONIC.
int64_t monotonic_ns();

// Replaces the file at once: a reader sees the old state or the new one. Throws when it cannot.
void write_state(const std::string& path, const WorkloadState& state);

// Returns: the state, or nothing when the file is missing or incomplete.
std::optional<WorkloadState> read_state(const std::string& path);

}  // namespace guest_test
