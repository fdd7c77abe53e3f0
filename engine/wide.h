// SPDX-License-Identifier: GPL-2.0-or-later
//
// Products of two 64-bit numbers that must not wrap: the kernel's own wrap above 859 GiB of hot
// memory (bandwidth) and after 19 days (ages of large regions).
#pragma once

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

}  // namespace damon_statfs
