// SPDX-License-Identifier: GPL-2.0-or-later
//
// CPU time from schedstat, which is exact to the nanosecond: utime and stime count in ticks of 10
// ms and a thread held at 1 % runs for less than a tick at a time.
#include "engine_cpu.h"

#include <sstream>
#include <stdexcept>

#include "readings.h"
#include "workload_state.h"

namespace guest_test {
namespace {

int64_t first_number(const std::string& path) {
  int64_t number = -1;
  std::istringstream(read_text(path)) >> number;
  if (number < 0) throw std::runtime_error("no number in " + path);
  return number;
}

}  // namespace

EngineCpu::EngineCpu(const std::string& directory)
    : thread_id_(first_number(directory + "/kdamond_pid")),
      start_ns_(monotonic_ns()),
      start_used_ns_(used_ns()) {}

int64_t EngineCpu::used_ns() const {
  const std::string id = std::to_string(thread_id_);
  return first_number("/proc/" + id + "/task/" + id + "/schedstat");
}

double EngineCpu::percent() const {
  const int64_t elapsed_ns = monotonic_ns() - start_ns_;
  return 100.0 * static_cast<double>(used_ns() - start_used_ns_) / static_cast<double>(elapsed_ns);
}

}  // namespace guest_test
