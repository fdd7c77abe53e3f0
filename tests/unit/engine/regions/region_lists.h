// SPDX-License-Identifier: GPL-2.0-or-later
//
// Regions written and compared as short lists, so that a test reads like the drawing above it.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <ostream>
#include <span>
#include <vector>

#include "engine/regions/regions.h"

namespace damon_statfs {

inline std::ostream& operator<<(std::ostream& out, const AddressRange& range) {
  return out << range.start << "-" << range.end;
}

namespace test {

using Ranges = std::vector<AddressRange>;

struct RegionRow {
  uint64_t start, end;
  uint32_t nr_accesses = 0, age = 0;
};

inline Regions make_regions(std::initializer_list<RegionRow> rows) {
  Regions regions;
  for (const RegionRow& row : rows) {
    Region region;
    region.start = row.start;
    region.end = row.end;
    region.nr_accesses = region.last_nr_accesses = row.nr_accesses;
    region.age = row.age;
    regions.push_back(region);
  }
  return regions;
}

inline Region make_region(uint64_t start, uint64_t end, uint32_t nr_accesses = 0,
                          uint32_t age = 0) {
  Region region;
  region.start = start;
  region.end = end;
  region.nr_accesses = nr_accesses;
  region.age = age;
  return region;
}

// `count` regions of `size` bytes, one after the other from address 0.
inline Regions make_row(size_t count, uint64_t size) {
  Regions regions(count);
  for (size_t i = 0; i < count; ++i) {
    regions[i].start = i * size;
    regions[i].end = (i + 1) * size;
  }
  return regions;
}

inline Ranges ranges_of(std::span<const Region> regions) {
  Ranges ranges;
  for (const Region& region : regions) ranges.push_back({region.start, region.end});
  return ranges;
}

inline std::vector<uint32_t> counts_of(std::span<const Region> regions) {
  std::vector<uint32_t> counts;
  for (const Region& region : regions) counts.push_back(region.nr_accesses);
  return counts;
}

// Whether the regions ascend without overlap or empty ones.
inline bool is_ascending(std::span<const Region> regions) {
  uint64_t previous_end = 0;
  for (const Region& region : regions) {
    if (region.start < previous_end || region.end <= region.start) return false;
    previous_end = region.end;
  }
  return true;
}

}  // namespace test
}  // namespace damon_statfs
