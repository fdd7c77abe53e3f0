// SPDX-License-Identifier: GPL-2.0-or-later
//
// Time as the engine needs it, behind an interface: unit tests run days of virtual time in
// seconds. Nothing below engine/ asks the system for the time in any other way.
#pragma once

#include <cstdint>
#include <ctime>
#include <functional>
#include <utility>

namespace damon_statfs {

constexpr int64_t kNsPerUs = 1'000;
constexpr int64_t kNsPerMs = 1'000'000;
constexpr int64_t kNsPerSecond = 1'000'000'000;

// Clock::suspended_ns() may vary by so much without a suspend: its clocks are not read at once.
constexpr int64_t kSuspendNoiseNs = 10 * kNsPerMs;

class Clock {
 public:
  virtual ~Clock() = default;

  // Monotonic time that stands still while the machine is suspended (CLOCK_MONOTONIC).
  virtual int64_t now_ns() const = 0;

  // How long the machine has been suspended since boot (CLOCK_BOOTTIME - CLOCK_MONOTONIC).
  virtual int64_t suspended_ns() const = 0;

  // CPU time that the calling thread has used.
  virtual int64_t thread_cpu_ns() const = 0;

  // Waits until deadline_ns or until fd is readable. Returns: whether it is.
  virtual bool wait_until(int64_t deadline_ns, int fd) const = 0;
};

// Reads one of the running system's clocks, in nanoseconds.
int64_t read_system_clock_ns(clockid_t id);

// The clocks of the running system.
class SystemClock final : public Clock {
 public:
  // read_ns: a test's clocks, each read of which may take its time.
  explicit SystemClock(std::function<int64_t(clockid_t)> read_ns = read_system_clock_ns)
      : read_ns_(std::move(read_ns)) {}

  int64_t now_ns() const override;
  int64_t suspended_ns() const override;
  int64_t thread_cpu_ns() const override;
  bool wait_until(int64_t deadline_ns, int fd) const override;

 private:
  const std::function<int64_t(clockid_t)> read_ns_;
};

}  // namespace damon_statfs
