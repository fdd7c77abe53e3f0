// SPDX-License-Identifier: GPL-2.0-or-later
//
// SystemClock: the one place where the engine's time comes from the system.
#include <poll.h>

#include <algorithm>
#include <ctime>

#include "damon_statfs/clock.h"

namespace damon_statfs {
namespace {

int64_t read_ns(clockid_t id) {
  timespec time{};
  clock_gettime(id, &time);
  return static_cast<int64_t>(time.tv_sec) * kNsPerSecond + time.tv_nsec;
}

}  // namespace

int64_t SystemClock::now_ns() const { return read_ns(CLOCK_MONOTONIC); }

// Between the two reads the thread may be preempted: in this order, that can only make the value
// smaller.
int64_t SystemClock::suspended_ns() const {
  const int64_t boottime_ns = read_ns(CLOCK_BOOTTIME);
  return boottime_ns - read_ns(CLOCK_MONOTONIC);
}

int64_t SystemClock::thread_cpu_ns() const { return read_ns(CLOCK_THREAD_CPUTIME_ID); }

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
