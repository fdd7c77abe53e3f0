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

int64_t EngineCpu::elapsed_ns() const { return monotonic_ns() - start_ns_; }

double EngineCpu::percent() const {
  const auto elapsed_ns = static_cast<double>(this->elapsed_ns());
  return 100 * static_cast<double>(used_ns() - start_used_ns_) / elapsed_ns;
}

double EngineCpu::allowed_percent(double max_cpu) const {
  const auto elapsed_ns = static_cast<double>(this->elapsed_ns());
  return max_cpu * (elapsed_ns + 1e9) / elapsed_ns;
}

}  // namespace guest_test
