// SPDX-License-Identifier: GPL-2.0-or-later
//
// The random source decides which page stands for its region. A biased one would bias every value.
#include "engine/base/random.h"

#include <array>

#include "engine/base/wide.h"
#include "support/catch.h"

namespace damon_statfs {
namespace {

TEST_CASE("numbers stay in their range and are even", "[random]") {
  Random random(1);
  std::array<int, 10> seen{};
  for (int i = 0; i < 10'000; ++i) {
    const uint64_t number = random.in_range(0, 10);
    REQUIRE(number < 10);
    ++seen[number];
  }
  for (const int count : seen) {
    CHECK(count > 850);
    CHECK(count < 1150);
  }
  CHECK(random.in_range(7, 8) == 7);
}

TEST_CASE("spans above 32 bits are covered", "[random]") {
  Random random(2);
  constexpr uint64_t kSpan = uint64_t{64} << 40;
  int upper_half = 0;
  for (int i = 0; i < 1000; ++i) {
    const uint64_t number = random.in_range(4096, 4096 + kSpan);
    REQUIRE(number >= 4096);
    REQUIRE(number < 4096 + kSpan);
    upper_half += number >= 4096 + kSpan / 2 ? 1 : 0;
  }
  CHECK(upper_half > 400);
  CHECK(upper_half < 600);
}

TEST_CASE("a seed gives the same numbers again", "[random]") {
  Random one(9), same(9), other(10);
  const uint64_t first = one.in_range(0, ~uint64_t{0});
  CHECK(first == same.in_range(0, ~uint64_t{0}));
  CHECK(first != other.in_range(0, ~uint64_t{0}));
}

TEST_CASE("mul_div is exact and saturates", "[random]") {
  constexpr uint64_t kMax = ~uint64_t{0};
  CHECK(mul_div(7, 10, 3) == 23);
  CHECK(mul_div(kMax, kMax, kMax) == kMax);
  CHECK(mul_div(kMax, 10, 20) == kMax / 2);
  CHECK(mul_div(kMax, 2, 1) == kMax);
}

}  // namespace
}  // namespace damon_statfs
