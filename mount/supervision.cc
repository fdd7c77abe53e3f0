// SPDX-License-Identifier: GPL-2.0-or-later
//
// The watchdog is fed by the loop that answers the requests, at twice the rate asked for, so that
// it says of both threads that they work.
#include "mount/supervision.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>

namespace damon_statfs {

int Supervision::start_watchdog() {
  const std::optional<uint64_t> watchdog_us = manager_.watchdog_us();
  if (!watchdog_us) return -1;
  constexpr uint64_t kSecondUs = 1'000'000;
  const uint64_t period_us = std::max<uint64_t>(*watchdog_us / 2, 1);
  const timespec period{static_cast<time_t>(period_us / kSecondUs),
                        static_cast<long>(period_us % kSecondUs * 1'000)};
  const itimerspec times{period, period};
  timer_ = UniqueFd(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  timerfd_settime(timer_.get(), 0, &times, nullptr);
  return timer_.get();
}

// The process that was started is the main one only with -f; any other one has to say which it is.
void Supervision::tell_ready(const std::string& state) {
  told_ = state;
  tell(fmt::format("READY=1\nMAINPID={}\nSTATUS={}", getpid(), state));
}

void Supervision::tell_state(const std::string& state) {
  if (told_.empty() || told_ == state) return;
  told_ = state;
  tell("STATUS=" + state);
}

void Supervision::tell_stopping() {
  if (!told_.empty()) tell("STOPPING=1\nSTATUS=ending");
}

void Supervision::on_watchdog(bool stuck) {
  uint64_t expirations = 0;
  [[maybe_unused]] const ssize_t bytes = read(timer_.get(), &expirations, sizeof expirations);
  if (stuck && !stuck_) {
    spdlog::error("the engine thread makes no progress, so the watchdog is not fed any more");
  }
  stuck_ = stuck;
  if (!stuck) tell("WATCHDOG=1");
}

void Supervision::tell(const std::string& lines) {
  const Result<void> told = manager_.tell(lines);
  if (!told && !failed_) {
    spdlog::error("the service manager cannot be told {}: {}", lines.substr(0, lines.find('\n')),
                  told.error().context);
  }
  failed_ = !told;
}

}  // namespace damon_statfs
