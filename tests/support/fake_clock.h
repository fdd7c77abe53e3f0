// SPDX-License-Identifier: GPL-2.0-or-later
//
// Virtual time: waiting takes none, so days pass in seconds. A test that shares it with an engine
// thread says how far that thread may go.
#pragma once

#include <poll.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <thread>

#include "damon_statfs/clock.h"

namespace damon_statfs::test {

// Returns: whether condition() became true within ten seconds of real time.
template <class Condition>
bool eventually(const Condition& condition) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > limit) return false;
    std::this_thread::yield();
  }
  return true;
}

class FakeClock final : public Clock {
 public:
  int64_t now_ns() const override { return now_ns_; }
  int64_t suspended_ns() const override { return suspended_ns_; }
  int64_t thread_cpu_ns() const override { return cpu_ns_; }

  // Goes to the deadline at once; if that is later than what run_to() allows, waits for it or fd.
  bool wait_until(int64_t deadline_ns, int fd) const override {
    for (;;) {
      if (is_readable(fd)) return true;
      if (deadline_ns <= limit_ns_) {
        if (now_ns_ < deadline_ns) now_ns_ = deadline_ns;
        return false;
      }
      waiting_for_ns_ = deadline_ns;
      std::this_thread::yield();
    }
  }

  void advance(int64_t ns) { now_ns_ += ns; }
  void suspend(int64_t ns) { suspended_ns_ += ns; }

  // Work: CPU time that also takes time.
  void use_cpu(int64_t ns) {
    cpu_ns_ += ns;
    now_ns_ += ns;
  }

  // No waiting goes past this time from now on.
  void stop_at(int64_t ns) { limit_ns_ = ns; }

  // Lets the other thread go on until it waits for something later than `ns`. Returns: whether it
  // does.
  bool run_to(int64_t ns) {
    limit_ns_ = ns;
    return eventually([&] { return waiting_for_ns_ > ns; });
  }

 private:
  static bool is_readable(int fd) {
    pollfd wanted{fd, POLLIN, 0};
    return fd >= 0 && poll(&wanted, 1, 0) > 0;
  }

  static constexpr int64_t kStartNs = 1'000 * kNsPerSecond;

  mutable std::atomic<int64_t> now_ns_{kStartNs};
  mutable std::atomic<int64_t> waiting_for_ns_{0};
  std::atomic<int64_t> limit_ns_{std::numeric_limits<int64_t>::max()};
  std::atomic<int64_t> suspended_ns_{0};
  std::atomic<int64_t> cpu_ns_{0};
};

}  // namespace damon_statfs::test
