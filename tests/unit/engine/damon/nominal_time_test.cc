// SPDX-License-Identifier: GPL-2.0-or-later
//
// Nominal time against real time, over changes of speed and over days.
#include "engine/damon/nominal_time.h"

#include "damon_statfs/clock.h"
#include "support/catch.h"

namespace damon_statfs::test {
namespace {

constexpr int64_t kStartNs = 500 * kNsPerSecond;

int64_t seconds(double count) { return static_cast<int64_t>(count * 1e9); }

TEST_CASE("nominal time takes the real time that was measured for it", "[nominal_time]") {
  NominalTime time(kStartNs);
  time.advance(kStartNs + seconds(20), 2.0);  // 10 s nominal
  time.advance(kStartNs + seconds(50), 1.0);  // 30 s nominal
  CHECK(time.before_now_ns(0) == kStartNs + seconds(50));
  CHECK(time.before_now_ns(seconds(12)) == kStartNs + seconds(38));
  CHECK(time.before_now_ns(seconds(30)) == kStartNs + seconds(20));
  CHECK(time.before_now_ns(seconds(35)) == kStartNs + seconds(10));
  CHECK(time.before_now_ns(seconds(40)) == kStartNs);
}

TEST_CASE("nothing is older than the start", "[nominal_time]") {
  NominalTime time(kStartNs);
  CHECK(time.before_now_ns(seconds(1)) == kStartNs);
  time.advance(kStartNs + seconds(1), 1.0);
  CHECK(time.before_now_ns(seconds(1e6)) == kStartNs);
}

TEST_CASE("time that does not pass changes nothing", "[nominal_time]") {
  NominalTime time(kStartNs);
  time.advance(kStartNs + seconds(2), 2.0);
  time.advance(kStartNs + seconds(2), 1.0);
  time.advance(kStartNs + seconds(1), 1.0);
  CHECK(time.before_now_ns(seconds(1)) == kStartNs);
  CHECK(time.before_now_ns(0) == kStartNs + seconds(2));
}

TEST_CASE("a year of refreshes keeps its ends", "[nominal_time]") {
  NominalTime time(kStartNs);
  constexpr int64_t kRefreshes = 365 * 24 * 720;
  for (int64_t i = 1; i <= kRefreshes; ++i) {
    time.advance(kStartNs + i * 5 * kNsPerSecond, i % 2 == 0 ? 1.25 : 1.0);  // 4 s or 5 s nominal
  }
  const int64_t now_ns = kStartNs + kRefreshes * 5 * kNsPerSecond;
  CHECK(time.before_now_ns(0) == now_ns);
  CHECK(time.before_now_ns(seconds(9)) == now_ns - seconds(10));
  const int64_t half_ns = time.before_now_ns(kRefreshes / 4 * seconds(9));
  const int64_t true_ns = kStartNs + kRefreshes / 2 * 5 * kNsPerSecond;
  CHECK(std::abs(half_ns - true_ns) < seconds(10));
  CHECK(time.before_now_ns(kRefreshes / 2 * seconds(9)) == kStartNs);
}

}  // namespace
}  // namespace damon_statfs::test
