// SPDX-License-Identifier: GPL-2.0-or-later
//
// The ends of the types: nothing wraps, nothing is undefined.
#include "engine/base/wide.h"

#include <cmath>

#include "damon_statfs/attrs.h"
#include "damon_statfs/clock.h"
#include "support/catch.h"

namespace damon_statfs::test {
namespace {

constexpr uint64_t kMax = ~uint64_t{0};

TEST_CASE("real numbers become integers of the same size, or the nearest end", "[wide]") {
  CHECK(to_u64_saturated(0) == 0);
  CHECK(to_u64_saturated(0.999) == 0);
  CHECK(to_u64_saturated(1e15) == 1'000'000'000'000'000);
  CHECK(to_u64_saturated(std::nextafter(std::ldexp(1, 64), 0)) == kMax - 2047);
  for (const double large : {std::ldexp(1, 64), 1e300, HUGE_VAL}) {
    CHECK(to_u64_saturated(large) == kMax);
    CHECK(to_ns_saturated(large) == kFarNs);
    CHECK(to_u64_saturated(-large) == 0);
    CHECK(to_ns_saturated(-large) == 0);
  }
  CHECK(to_u64_saturated(std::nan("")) == 0);
  CHECK(to_ns_saturated(1.5) == 2);
}

TEST_CASE("times: several of the longest fit", "[wide]") {
  CHECK(times_ns(3, 7) == 21);
  CHECK(times_ns(0, kFarNs) == 0);
  CHECK(times_ns(2, kFarNs) == kFarNs);
  CHECK(times_ns(kMax, kFarNs) == kFarNs);
  CHECK(times_ns(kMaxIntervalUs, kNsPerUs) == static_cast<int64_t>(kMaxIntervalUs) * kNsPerUs);
  CHECK(kFarNs < INT64_MAX / 7);
}

}  // namespace
}  // namespace damon_statfs::test
