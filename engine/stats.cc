// SPDX-License-Identifier: GPL-2.0-or-later
//
// The two formulas of DAMON_STAT. Every product is taken with 128 bits: the kernel's bandwidth
// wraps from 859 GiB of hot memory.
#include "engine/stats.h"

#include <algorithm>
#include <vector>

#include "damon_statfs/clock.h"
#include "engine/wide.h"

namespace damon_statfs {
namespace {

struct IdleSize {
  int64_t idle_ms;
  uint64_t size_bytes;
};

// sum(size * nr_accesses) per aggr_us, in bytes per second.
uint64_t bandwidth_bytes_per_s(std::span<const Region> regions, uint64_t aggr_us) {
  uint128_t access_bytes = 0;
  for (const Region& region : regions) {
    access_bytes += static_cast<uint128_t>(region.size_bytes()) * region.nr_accesses;
  }
  constexpr uint128_t kMax = ~uint64_t{0};
  return static_cast<uint64_t>(
      std::min(access_bytes * 1'000'000 / std::max<uint64_t>(aggr_us, 1), kMax));
}

int64_t idle_ms(const Region& region, int64_t now_ns) {
  const int64_t ms = (now_ns - region.since_ns) / kNsPerMs;
  return region.nr_accesses > 0 ? -ms : ms;
}

}  // namespace

Statistics make_statistics(std::span<const Region> regions, uint64_t aggr_us, int64_t now_ns) {
  Statistics statistics;
  statistics.aggr_interval_us = aggr_us;
  statistics.estimated_memory_bandwidth_bytes_per_s = bandwidth_bytes_per_s(regions, aggr_us);

  std::vector<IdleSize> by_idle;
  by_idle.reserve(regions.size());
  uint128_t total = 0;
  for (const Region& region : regions) {
    by_idle.push_back({idle_ms(region, now_ns), region.size_bytes()});
    total += region.size_bytes();
  }
  std::sort(by_idle.begin(), by_idle.end(),
            [](const IdleSize& a, const IdleSize& b) { return a.idle_ms < b.idle_ms; });

  // A percentile that falls exactly between two regions belongs to the less idle one.
  uint128_t seen = 0;
  size_t percent = 0;
  for (const IdleSize& part : by_idle) {
    seen += part.size_bytes;
    for (; percent * total <= seen * 100 && percent <= 100; ++percent) {
      statistics.memory_idle_ms_percentiles[percent] = part.idle_ms;
    }
  }
  return statistics;
}

}  // namespace damon_statfs
