// SPDX-License-Identifier: GPL-2.0-or-later
//
// SystemClock: the one place where the engine's time comes from the system.
#include <poll.h>

#include <algorithm>
#include <ctime>
#include <limits>

#include "damon_statfs/clock.h"

namespace damon_statfs {
namespace {

// That the reads of two clocks have taken so little time cannot look like a suspend, now or when
// the value is compared with a later one.
constexpr int64_t kCloseReadsNs = kSuspendNoiseNs / 10;
constexpr int kMaxReads = 1'000;

}  // namespace

int64_t read_system_clock_ns(clockid_t id) {
  timespec time{};
  clock_gettime(id, &time);
  return static_cast<int64_t>(time.tv_sec) * kNsPerSecond + time.tv_nsec;
}

int64_t SystemClock::now_ns() const { return read_ns_(CLOCK_MONOTONIC); }

// The thread may be preempted between two reads. That shows in the monotonic clock before and after
// the other, which stands still during a suspend; then they are read again.
int64_t SystemClock::suspended_ns() const {
  int64_t closest_ns = std::numeric_limits<int64_t>::max();
  int64_t suspended_ns = 0;
  for (int i = 0; i < kMaxReads && closest_ns > kCloseReadsNs; ++i) {
    const int64_t before_ns = read_ns_(CLOCK_MONOTONIC);
    const int64_t boottime_ns = read_ns_(CLOCK_BOOTTIME);
    const int64_t after_ns = read_ns_(CLOCK_MONOTONIC);
    if (after_ns - before_ns >= closest_ns) continue;
    closest_ns = after_ns - before_ns;
    suspended_ns = boottime_ns - after_ns;
  }
  return suspended_ns;
}

int64_t SystemClock::thread_cpu_ns() const { return read_ns_(CLOCK_THREAD_CPUTIME_ID); }

bool SystemClock::wait_until(int64_t deadline_ns, int fd) const {
  pollfd wanted{fd, POLLIN, 0};
  for (;;) {
    const int64_t rest_ns = std::max<int64_t>(deadline_ns - now_ns(), 0);
    const timespec rest{rest_ns / kNsPerSecond, rest_ns % kNsPerSecond};
    if (ppoll(&wanted, 1, &rest, nullptr) > 0) return true;
    if (now_ns() >= deadline_ns) return false;
  }
}

}  // namespace damon_statfs
