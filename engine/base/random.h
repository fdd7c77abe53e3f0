// SPDX-License-Identifier: GPL-2.0-or-later
//
// The engine's random source: splitmix64, a published generator of a few instructions. A sample is
// drawn for every region at every tick, so the standard library's larger engines would show.
#pragma once

#include <cassert>
#include <cstdint>

#include "engine/base/wide.h"

namespace damon_statfs {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  // Returns: a number of [low, high), each as likely as the other. Precondition: low < high.
  uint64_t in_range(uint64_t low, uint64_t high) {
    assert(low < high);
    return low + static_cast<uint64_t>(static_cast<uint128_t>(next()) * (high - low) >> 64);
  }

 private:
  uint64_t next() {
    uint64_t mixed = (state_ += 0x9e3779b97f4a7c15U);
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
    return mixed ^ (mixed >> 31);
  }

  uint64_t state_;
};

}  // namespace damon_statfs
