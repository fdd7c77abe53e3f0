// SPDX-License-Identifier: GPL-2.0-or-later
//
// The two formulas of DAMON_STAT. Every product is taken with 128 bits: the kernel's bandwidth
// wraps from 859 GiB of hot memory.
#include "engine/estimate/stats.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "damon_statfs/clock.h"
#include "engine/base/wide.h"

namespace damon_statfs {
namespace {

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

// An access this long ago or less counts as now. It matters where an aggregation is longer: to the
// kernel all that was accessed in it is accessed now.
constexpr int64_t kInUseNs = kNsPerSecond;

int64_t idle_ms(const Region& region, int64_t now_ns) {
  const bool knows_access = region.nr_accesses > 0 && region.accessed_ns != 0;
  if (knows_access && now_ns - region.accessed_ns > kInUseNs) {
    return (now_ns - region.accessed_ns) / kNsPerMs;
  }
  const int64_t ms = (now_ns - region.since_ns) / kNsPerMs;
  return region.nr_accesses > 0 ? -ms : ms;
}

int64_t nominal_idle_ms(const Region& region, uint64_t aggr_us) {
  constexpr uint64_t kMaxMs = std::numeric_limits<int64_t>::max();
  const uint64_t nr_aggrs = uint64_t{region.age} + 1;
  const auto ms = static_cast<int64_t>(std::min(mul_div(nr_aggrs, aggr_us, 1'000), kMaxMs));
  return region.nr_accesses > 0 ? -ms : ms;
}

}  // namespace

std::array<int64_t, 101> idle_percentiles(std::vector<IdleSize>& parts) {
  std::sort(parts.begin(), parts.end(),
            [](const IdleSize& a, const IdleSize& b) { return a.idle_ms < b.idle_ms; });
  uint128_t total = 0;
  for (const IdleSize& part : parts) total += part.size;
  std::array<int64_t, 101> percentiles{};
  uint128_t seen = 0;
  size_t percent = 0;
  for (const IdleSize& part : parts) {
    seen += part.size;
    for (; percent * total <= seen * 100 && percent <= 100; ++percent) {
      percentiles[percent] = part.idle_ms;
    }
  }
  return percentiles;
}

double share_below_percent(std::span<const IdleSize> parts, int64_t limit_ms) {
  uint128_t total = 0, below = 0;
  for (const IdleSize& part : parts) {
    total += part.size;
    if (part.idle_ms < limit_ms) below += part.size;
  }
  return total == 0 ? 0 : 100 * static_cast<double>(below) / static_cast<double>(total);
}

std::vector<IdleSize> idle_sizes(std::span<const Region> regions, int64_t now_ns) {
  std::vector<IdleSize> parts;
  parts.reserve(regions.size());
  for (const Region& region : regions) {
    parts.push_back({idle_ms(region, now_ns), region.size_bytes()});
  }
  return parts;
}

std::vector<IdleSize> nominal_idle_sizes(std::span<const Region> regions, uint64_t aggr_us) {
  std::vector<IdleSize> parts;
  parts.reserve(regions.size());
  for (const Region& region : regions) {
    parts.push_back({nominal_idle_ms(region, aggr_us), region.size_bytes()});
  }
  return parts;
}

Statistics make_statistics(std::span<const Region> regions, uint64_t aggr_us,
                           std::vector<IdleSize>& parts) {
  Statistics statistics;
  statistics.aggr_interval_us = aggr_us;
  statistics.estimated_memory_bandwidth_bytes_per_s = bandwidth_bytes_per_s(regions, aggr_us);
  statistics.memory_idle_ms_percentiles = idle_percentiles(parts);
  return statistics;
}

Statistics make_statistics(std::span<const Region> regions, uint64_t aggr_us, int64_t now_ns) {
  std::vector<IdleSize> parts = idle_sizes(regions, now_ns);
  return make_statistics(regions, aggr_us, parts);
}

}  // namespace damon_statfs
