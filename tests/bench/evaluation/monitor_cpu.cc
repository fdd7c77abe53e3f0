// SPDX-License-Identifier: GPL-2.0-or-later
//
// CPU time from schedstat, which counts nanoseconds. A thread of the daemon that kdamond_pid names
// is counted once, as the daemon's.
#include "monitor_cpu.h"

#include <filesystem>
#include <sstream>
#include <string>
#include <system_error>

#include "readings.h"
#include "workload_state.h"

namespace guest_test {
namespace {

int64_t used_ns(const std::string& task) {
  int64_t number = 0;
  std::istringstream(read_text(task + "/schedstat")) >> number;
  return number;
}

}  // namespace

MonitorCpu::MonitorCpu(int daemon, int worker)
    : daemon_(daemon),
      worker_(worker),
      start_ns_(monotonic_ns()),
      kdamond_start_ns_(kdamond_ns()),
      daemon_start_ns_(daemon_ns()) {}

int64_t MonitorCpu::kdamond_ns() const {
  const std::string worker = std::to_string(worker_);
  const bool is_daemons =
      std::filesystem::exists("/proc/" + std::to_string(daemon_) + "/task/" + worker);
  return worker_ <= 0 || is_daemons ? 0 : used_ns("/proc/" + worker);
}

int64_t MonitorCpu::daemon_ns() const {
  const std::string daemon = std::to_string(daemon_);
  int64_t sum = 0;
  std::error_code error;
  for (const auto& task : std::filesystem::directory_iterator("/proc/" + daemon + "/task", error)) {
    if (task.path().filename() != daemon) sum += used_ns(task.path());
  }
  return sum;
}

double MonitorCpu::percent(int64_t used) const {
  return 100.0 * static_cast<double>(used) / static_cast<double>(monotonic_ns() - start_ns_);
}

double MonitorCpu::kdamond_percent() const { return percent(kdamond_ns() - kdamond_start_ns_); }

double MonitorCpu::daemon_percent() const { return percent(daemon_ns() - daemon_start_ns_); }

}  // namespace guest_test
