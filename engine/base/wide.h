// SPDX-License-Identifier: GPL-2.0-or-later
//
// Products of two 64-bit numbers that must not wrap: the kernel's own wrap above 859 GiB of hot
// memory (bandwidth) and after 19 days (ages of large regions). And real numbers that need not fit
// an integer, which without a bound is undefined.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <limits>

namespace damon_statfs {

__extension__ using uint128_t = unsigned __int128;
__extension__ using int128_t = __int128;

// Returns: floor(a * b / divisor), or the largest uint64_t if that does not fit. divisor is not 0.
constexpr uint64_t mul_div(uint64_t a, uint64_t b, uint64_t divisor) {
  const uint128_t quotient = static_cast<uint128_t>(a) * b / divisor;
  constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
  return quotient > kMax ? kMax : static_cast<uint64_t>(quotient);
}

// Returns: the integer part, 0 for what is negative or no number, and the largest uint64_t for what
// does not fit.
constexpr uint64_t to_u64_saturated(double value) {
  constexpr double kBeyond = 18'446'744'073'709'551'616.0;  // 2^64
  if (!(value > 0)) return 0;
  return value >= kBeyond ? std::numeric_limits<uint64_t>::max() : static_cast<uint64_t>(value);
}

// Longer than any time that is waited for, and several of them fit an int64_t in nanoseconds.
constexpr int64_t kFarNs = int64_t{1} << 60;  // 36 years

// Returns: value nanoseconds rounded, at least 0 and at most kFarNs.
constexpr int64_t to_ns_saturated(double value_ns) {
  constexpr auto kFar = static_cast<uint64_t>(kFarNs);
  return static_cast<int64_t>(std::min(to_u64_saturated(value_ns + 0.5), kFar));
}

// Returns: count * ns, at most kFarNs. Precondition: ns is not negative.
constexpr int64_t times_ns(uint64_t count, int64_t ns) {
  assert(ns >= 0);
  constexpr auto kFar = static_cast<uint64_t>(kFarNs);
  return static_cast<int64_t>(std::min(mul_div(count, static_cast<uint64_t>(ns), 1), kFar));
}

}  // namespace damon_statfs
