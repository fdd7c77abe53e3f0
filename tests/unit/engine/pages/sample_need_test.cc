// SPDX-License-Identifier: GPL-2.0-or-later
//
// How the sample follows its error: up at once, down after a minute, and much later if it had to be
// made larger again.
#include "engine/pages/sample_need.h"

#include <cmath>

#include "damon_statfs/clock.h"
#include "support/catch.h"

namespace damon_statfs::test {
namespace {

constexpr int64_t kRefreshNs = 5 * kNsPerSecond;

// Returns: how many seconds it took until there were so many words, 10,000 if that never was.
int64_t seconds_until(uint64_t nr_words, SampleNeed& need, double error_percent) {
  int64_t real_ns = 0;
  while (need.nr_words() != nr_words && real_ns < 10'000 * kNsPerSecond) {
    need.adapt(error_percent, kRefreshNs);
    real_ns += kRefreshNs;
  }
  return real_ns / kNsPerSecond;
}

TEST_CASE("a sample that is accurate is halved after a minute, and once", "[sample_need]") {
  SampleNeed need(2'000);
  CHECK(need.nr_words() == 2'000);
  CHECK(seconds_until(1'000, need, 0.3) == 60);
  for (int i = 0; i < 1'000; ++i) need.adapt(0.05, kRefreshNs);
  CHECK(need.nr_words() == 1'000);
}

TEST_CASE("one whose half would not be accurate enough stays", "[sample_need]") {
  SampleNeed need(2'000);
  CHECK(seconds_until(1'000, need, 0.4) == 10'000);
  CHECK(seconds_until(1'000, need, NAN) == 10'000);
}

TEST_CASE("accurate for less than a minute is not enough", "[sample_need]") {
  SampleNeed need(2'000);
  for (int i = 0; i < 100; ++i) need.adapt(i % 10 == 9 ? 0.5 : 0.1, kRefreshNs);
  CHECK(need.nr_words() == 2'000);
}

TEST_CASE("a half that is not accurate is made whole at once, and for long", "[sample_need]") {
  SampleNeed need(2'000);
  REQUIRE(seconds_until(1'000, need, 0.1) == 60);
  need.adapt(0.74, kRefreshNs);
  need.adapt(NAN, kRefreshNs);
  CHECK(need.nr_words() == 1'000);
  need.adapt(0.76, kRefreshNs);
  CHECK(need.nr_words() == 2'000);
  CHECK(seconds_until(1'000, need, 0.1) == 1'800);
}

}  // namespace
}  // namespace damon_statfs::test
