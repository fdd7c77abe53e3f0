// SPDX-License-Identifier: GPL-2.0-or-later
//
// CPU time from schedstat, which counts nanoseconds. The last number of /proc/loadavg is the id of
// the newest thread, so that a look costs next to nothing while no thread has been made.
#include "monitor_cpu.h"

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <optional>
#include <sstream>
#include <system_error>
#include <utility>

#include "readings.h"
#include "workload_state.h"

namespace guest_test {
namespace {

constexpr timespec kPause{0, 20'000'000};

std::optional<int64_t> used_ns(const std::string& task) {
  int64_t number = 0;
  if (!(std::istringstream(read_text(task + "/schedstat")) >> number)) return std::nullopt;
  return number;
}

std::string task_directory(int id) { return "/proc/" + std::to_string(id); }

int newest_thread() {
  const std::string text = read_text("/proc/loadavg");
  return std::atoi(text.c_str() + text.rfind(' ') + 1);
}

bool is_kdamond(int id) { return read_text(task_directory(id) + "/comm").rfind("kdamond", 0) == 0; }

}  // namespace

KdamondCpu::KdamondCpu() {
  look();
  looking_ = std::jthread([this](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      nanosleep(&kPause, nullptr);
      look();
    }
  });
}

void KdamondCpu::look_for_new() {
  const int newest = newest_thread();
  for (int id = named_id_ + 1; id <= newest; ++id) {
    if (is_kdamond(id)) used_ns_.emplace(id, 0);
  }
  named_id_ = std::exchange(newest_id_, newest);
}

void KdamondCpu::look() {
  const std::lock_guard lock(mutex_);
  look_for_new();
  for (auto& [id, used] : used_ns_) used = guest_test::used_ns(task_directory(id)).value_or(used);
}

int64_t KdamondCpu::used_ns() {
  look();
  const std::lock_guard lock(mutex_);
  int64_t sum = 0;
  for (const auto& [id, used] : used_ns_) sum += used;
  return sum;
}

std::string KdamondCpu::text() {
  const std::lock_guard lock(mutex_);
  std::string text = "kdamonds, ms:";
  for (const auto& [id, used] : used_ns_) {
    text += " " + std::to_string(id) + ":" + std::to_string(used / 1'000'000);
  }
  return text;
}

MonitorCpu::MonitorCpu(int daemon)
    : daemon_(daemon),
      start_ns_(monotonic_ns()),
      kdamond_start_ns_(kdamonds_.used_ns()),
      daemon_start_ns_(daemon_ns()) {}

int64_t MonitorCpu::daemon_ns() const {
  const std::string daemon = std::to_string(daemon_);
  int64_t sum = 0;
  std::error_code error;
  for (const auto& task : std::filesystem::directory_iterator("/proc/" + daemon + "/task", error)) {
    if (task.path().filename() != daemon) sum += used_ns(task.path()).value_or(0);
  }
  return sum;
}

double MonitorCpu::percent(int64_t used_ns) const {
  return 100.0 * static_cast<double>(used_ns) / static_cast<double>(monotonic_ns() - start_ns_);
}

double MonitorCpu::kdamond_percent() { return percent(kdamonds_.used_ns() - kdamond_start_ns_); }

double MonitorCpu::daemon_percent() const { return percent(daemon_ns() - daemon_start_ns_); }

}  // namespace guest_test
