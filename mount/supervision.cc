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

#include "damon_statfs/errno_failure.h"
#include "mount/printable.h"

namespace damon_statfs {
namespace {

constexpr uint64_t kSecondUs = 1'000'000;

timespec timespec_of(uint64_t us) {
  return {static_cast<time_t>(us / kSecondUs), static_cast<long>(us % kSecondUs * 1'000)};
}

}  // namespace

Result<void> Supervision::start_watchdog() {
  const std::optional<uint64_t> watchdog_us = manager_.watchdog_us();
  if (!watchdog_us) return outcome::success();
  period_us_ = std::max<uint64_t>(*watchdog_us / 2, 1);
  timer_ = UniqueFd(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (timer_ && arm(period_us_)) return outcome::success();
  return errno_failure("WATCHDOG_USEC={}: no timer for it", *watchdog_us);
}

// Returns: whether the timer goes off after first_us, and every period_us_ from then on.
bool Supervision::arm(uint64_t first_us) {
  const itimerspec times{timespec_of(period_us_), timespec_of(first_us)};
  return timerfd_settime(timer_.get(), 0, &times, nullptr) == 0;
}

// The process that was started is the main one only with -f; any other one has to say which it is.
void Supervision::tell_ready(const std::string& state) {
  told_ = state;
  tell(fmt::format("READY=1\nMAINPID={}\nSTATUS={}", getpid(), printable(state)));
}

void Supervision::tell_state(const std::string& state) {
  if (told_.empty() || told_ == state) return;
  told_ = state;
  tell("STATUS=" + printable(state));
}

void Supervision::tell_stopping() {
  if (!told_.empty()) tell("STOPPING=1\nSTATUS=ending");
}

void Supervision::on_watchdog(bool stuck) {
  uint64_t expirations = 0;
  [[maybe_unused]] const ssize_t bytes = read(timer_.get(), &expirations, sizeof expirations);
  if (!stuck) tell("WATCHDOG=1");
  if (stuck && suspected_ && !logged_) {
    spdlog::error("the engine thread makes no progress, so the watchdog is not fed any more");
  }
  logged_ = stuck && suspected_;
  if (stuck || suspected_) arm(std::min(stuck ? kSecondUs : period_us_, period_us_));
  suspected_ = stuck;
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
