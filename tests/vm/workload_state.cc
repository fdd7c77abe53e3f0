// SPDX-License-Identifier: GPL-2.0-or-later
//
// The workload's state as a line of numbers in a file on tmpfs. A rename makes each update atomic,
// so the two programs need no lock.
#include "workload_state.h"

#include <cstdio>
#include <ctime>
#include <fstream>
#include <stdexcept>

namespace guest_test {

int64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

void write_state(const std::string& path, const WorkloadState& state) {
  const std::string part = path + ".part";
  std::ofstream out(part);
  out << state.hot_bytes << ' ' << state.warm_bytes << ' ' << state.cold_bytes << ' '
      << state.huge_bytes << ' ' << state.hot_pass_ns << ' ' << state.hot_period_ns << ' '
      << state.warm_period_ns << ' ' << state.cold_period_ns << ' ' << state.warm.start_ns << ' '
      << state.warm.end_ns << ' ' << state.cold.start_ns << ' ' << state.cold.end_ns << '\n';
  out.close();
  if (!out || std::rename(part.c_str(), path.c_str()) != 0) {
    throw std::runtime_error("cannot write " + path);
  }
}

std::optional<WorkloadState> read_state(const std::string& path) {
  WorkloadState state;
  std::ifstream in(path);
  in >> state.hot_bytes >> state.warm_bytes >> state.cold_bytes >> state.huge_bytes >>
      state.hot_pass_ns >> state.hot_period_ns >> state.warm_period_ns >> state.cold_period_ns >>
      state.warm.start_ns >> state.warm.end_ns >> state.cold.start_ns >> state.cold.end_ns;
  if (!in) return std::nullopt;
  return state;
}

}  // namespace guest_test
