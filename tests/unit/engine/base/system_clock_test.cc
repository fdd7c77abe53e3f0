// SPDX-License-Identifier: GPL-2.0-or-later
//
// How long the machine has been suspended, on a machine where a thread may be preempted between the
// reads of two clocks.
#include <cstdlib>
#include <map>

#include "damon_statfs/clock.h"
#include "support/catch.h"

namespace damon_statfs::test {
namespace {

// Clocks each read of which takes 100 ns. Before some reads, by their number from 0, the thread is
// preempted or the machine suspended for a while.
class ScriptedClocks {
 public:
  int64_t read_ns(clockid_t id) {
    now_ns_ += 100 + preempted_ns[nr_reads_];
    suspended_ns_ += suspends_ns[nr_reads_];
    ++nr_reads_;
    return id == CLOCK_BOOTTIME ? now_ns_ + suspended_ns_ : now_ns_;
  }
  SystemClock clock() {
    return SystemClock([this](clockid_t id) { return read_ns(id); });
  }

  std::map<int, int64_t> preempted_ns, suspends_ns;

 private:
  int nr_reads_ = 0;
  int64_t now_ns_ = 1'000 * kNsPerSecond;
  int64_t suspended_ns_ = 7 * kNsPerSecond;
};

constexpr int64_t kSuspendedNs = 7 * kNsPerSecond;  // at the beginning

TEST_CASE("a preempted read is no suspend, now or for a later one", "[system_clock]") {
  const int64_t preempted_ns = GENERATE(kNsPerMs, 10 * kNsPerMs, 400 * kNsPerMs);
  const int at = GENERATE(range(0, 8));
  CAPTURE(preempted_ns, at);
  ScriptedClocks clocks;
  clocks.preempted_ns[at] = preempted_ns;
  const SystemClock clock = clocks.clock();
  for (int i = 0; i < 4; ++i) {
    CHECK(std::abs(clock.suspended_ns() - kSuspendedNs) < kSuspendNoiseNs / 4);
  }
}

TEST_CASE("a thread that is preempted again and again", "[system_clock]") {
  ScriptedClocks clocks;
  for (int read = 0; read < 300; ++read) clocks.preempted_ns[read] = 30 * kNsPerMs;
  CHECK(std::abs(clocks.clock().suspended_ns() - kSuspendedNs) < kSuspendNoiseNs / 4);
}

TEST_CASE("a thread that is always preempted gets an answer all the same", "[system_clock]") {
  ScriptedClocks clocks;
  for (int read = 0; read < 100'000; ++read) clocks.preempted_ns[read] = 30 * kNsPerMs;
  CHECK(std::abs(clocks.clock().suspended_ns() - kSuspendedNs) < 100 * kNsPerMs);
}

TEST_CASE("a suspend counts, also one between two reads", "[system_clock]") {
  const int at = GENERATE(range(0, 3));
  CAPTURE(at);
  ScriptedClocks clocks;
  clocks.suspends_ns[at] = 3'600 * kNsPerSecond;
  const SystemClock clock = clocks.clock();
  static_cast<void>(clock.suspended_ns());
  const int64_t all_ns = kSuspendedNs + 3'600 * kNsPerSecond;
  CHECK(std::abs(clock.suspended_ns() - all_ns) < kSuspendNoiseNs / 4);
}

TEST_CASE("the clocks of the running system", "[system_clock]") {
  const SystemClock clock;
  const int64_t before_ns = clock.suspended_ns();
  CHECK(before_ns > -kSuspendNoiseNs);
  CHECK(std::abs(clock.suspended_ns() - before_ns) < kSuspendNoiseNs);
}

}  // namespace
}  // namespace damon_statfs::test
