// SPDX-License-Identifier: GPL-2.0-or-later
//
// Time as the engine needs it, behind an interface: unit tests run days of virtual time in
// seconds. Nothing below engine/ asks the system for the time in any other way.
#pragma once

#include <cstdint>

namespace damon_statfs {

constexpr int64_t kNsPerUs = 1'000;
constexpr int64_t kNsPerMs = 1'000'000;
constexpr int64_t kNsPerSecond = 1'000'000'000;

// Clock::suspended_ns() may vary by so much without a suspend: its two clocks are not read at once.
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

// The clocks of the running system.
class SystemClock final : public Clock {
 public:
  int64_t now_ns() const override;
  int64_t suspended_ns() const override;
  int64_t thread_cpu_ns() const override;
  bool wait_until(int64_t deadline_ns, int fd) const override;
};

}  // namespace damon_statfs
