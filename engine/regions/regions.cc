// SPDX-License-Identifier: GPL-2.0-or-later
//
// How regions change over time, after the kernel's documentation of DAMON's design. Averages are
// taken with 128-bit products, where the kernel's wrap on large memory after some weeks.
#include "engine/regions/regions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <limits>

#include "engine/base/wide.h"

namespace damon_statfs {
namespace {

uint64_t align_down(uint64_t value, uint64_t alignment) { return value & ~(alignment - 1); }

uint64_t align_up(uint64_t value, uint64_t alignment) {
  return align_down(value + alignment - 1, alignment);
}

uint32_t difference(uint32_t a, uint32_t b) { return a > b ? a - b : b - a; }

Region new_region(uint64_t start, uint64_t end, int64_t now_ns) {
  Region region;
  region.start = start;
  region.end = end;
  region.since_ns = now_ns;
  return region;
}

Result<std::vector<AddressRange>> align_ranges(std::span<const AddressRange> ranges,
                                               uint64_t alignment) {
  std::vector<AddressRange> aligned;
  uint64_t previous_end = 0;
  for (const AddressRange& range : ranges) {
    const uint64_t start = align_down(range.start, alignment);
    const uint64_t end = align_up(range.end, alignment);
    if (start >= end || start < previous_end) {
      return failure(EINVAL, fmt::format("memory range {:#x}-{:#x}: empty, or not after the one "
                                         "before it",
                                         range.start, range.end));
    }
    aligned.push_back({start, end});
    previous_end = end;
  }
  return aligned;
}

// Appends to `fitted` what covers `range`: the regions that intersect it, the outer two stretched
// or cut to its ends, and new ones in the holes between them.
void cover_range(Regions& fitted, const AddressRange& range, std::span<const Region> intersecting,
                 int64_t now_ns) {
  if (intersecting.empty()) {
    fitted.push_back(new_region(range.start, range.end, now_ns));
    return;
  }
  const size_t first = fitted.size();
  uint64_t covered_to = intersecting.front().start;
  for (const Region& region : intersecting) {
    if (region.start > covered_to) fitted.push_back(new_region(covered_to, region.start, now_ns));
    fitted.push_back(region);
    covered_to = region.end;
  }
  fitted[first].start = range.start;
  fitted.back().end = range.end;
}

// Left part of a cut of `region` at a random tenth, in bytes; 0 if there is no place to cut.
uint64_t random_cut_bytes(const Region& region, uint64_t min_region_bytes, Random& random) {
  const uint64_t size = region.size_bytes();
  const uint64_t left = align_down(mul_div(random.in_range(1, 10), size, 10), min_region_bytes);
  return left < size ? left : 0;
}

// How a region is to be split: in `pieces` at most, as long as it has min_cut_bytes.
struct Cut {
  unsigned pieces;
  uint64_t min_cut_bytes;
};

// Appends `region` in its pieces; after each cut the left part is cut again.
void append_split(Regions& out, Region region, const Cut& cut, uint64_t min_region_bytes,
                  Random& random) {
  const auto first = static_cast<std::ptrdiff_t>(out.size());
  for (unsigned piece = 1; piece < cut.pieces && region.size_bytes() >= cut.min_cut_bytes;
       ++piece) {
    const uint64_t left = random_cut_bytes(region, min_region_bytes, random);
    if (left == 0) continue;
    Region right = region;
    right.start = region.end = region.start + left;
    out.push_back(right);
  }
  out.push_back(region);
  std::reverse(out.begin() + first, out.end());
}

// Takes the right neighbour into `left`.
void join(Region& left, const Region& right) {
  const uint64_t size_l = left.size_bytes();
  const uint64_t size_r = right.size_bytes();
  const uint128_t size = static_cast<uint128_t>(size_l) + size_r;
  const auto average = [&](uint32_t l, uint32_t r) {
    return static_cast<uint32_t>(
        (static_cast<uint128_t>(l) * size_l + static_cast<uint128_t>(r) * size_r) / size);
  };
  left.nr_accesses = average(left.nr_accesses, right.nr_accesses);
  left.age = average(left.age, right.age);
  const int128_t apart = static_cast<int128_t>(right.since_ns) - left.since_ns;
  left.since_ns += static_cast<int64_t>(apart * size_r / static_cast<int128_t>(size));
  left.accessed_ns = std::max(left.accessed_ns, right.accessed_ns);
  left.end = right.end;
}

bool may_join(const Region& left, const Region& right, uint32_t threshold,
              uint64_t max_region_bytes) {
  return left.end == right.start && difference(left.nr_accesses, right.nr_accesses) <= threshold &&
         left.size_bytes() + right.size_bytes() <= max_region_bytes;
}

// Memory in use has no idle time; how long it has been in use may differ.
bool idle_alike(const Region& left, const Region& right, int64_t now_ns) {
  if (left.nr_accesses > 0 && right.nr_accesses > 0) return true;
  const auto [longer_since_ns, shorter_since_ns] = std::minmax(left.since_ns, right.since_ns);
  return (now_ns - longer_since_ns) / 2 <= now_ns - shorter_since_ns;
}

// scaled(count, from_samples, to_samples): what a count of accesses becomes.
template <class Scaled>
void rescale_counts_and_age(Region& region, const MonitoringAttrs& from, const MonitoringAttrs& to,
                            const Scaled& scaled) {
  if (from.sample_us == 0 || from.aggr_us == 0 || to.sample_us == 0 || to.aggr_us == 0) return;
  const uint64_t from_samples = samples_per_aggr(from);
  const uint64_t to_samples = samples_per_aggr(to);
  for (uint32_t* const count : {&region.nr_accesses, &region.last_nr_accesses}) {
    *count = static_cast<uint32_t>(scaled(*count, from_samples, to_samples));
  }
  constexpr uint64_t kMaxAge = std::numeric_limits<uint32_t>::max();
  region.age =
      static_cast<uint32_t>(std::min(mul_div(region.age, from.aggr_us, to.aggr_us), kMaxAge));
}

// One pass from left to right: joins what joinable(left, right) allows.
template <class Joinable>
void join_neighbours(Regions& regions, const Joinable& joinable) {
  if (regions.empty()) return;
  auto kept = regions.begin();
  for (auto next = kept + 1; next != regions.end(); ++next) {
    if (joinable(*kept, *next)) {
      join(*kept, *next);
    } else {
      *++kept = *next;
    }
  }
  regions.erase(kept + 1, regions.end());
}

}  // namespace

Result<void> set_regions(Regions& regions, std::span<const AddressRange> ranges,
                         uint64_t min_region_bytes, int64_t now_ns) {
  DAMON_STATFS_TRY(aligned, align_ranges(ranges, min_region_bytes));
  Regions fitted;
  for (const AddressRange& range : aligned) {
    const auto first = std::find_if(regions.begin(), regions.end(),
                                    [&](const Region& r) { return r.end > range.start; });
    const auto last =
        std::find_if(first, regions.end(), [&](const Region& r) { return r.start >= range.end; });
    cover_range(fitted, range, std::span<const Region>(first, last), now_ns);
  }
  regions = std::move(fitted);
  return outcome::success();
}

uint64_t total_bytes(std::span<const Region> regions) {
  uint64_t total = 0;
  for (const Region& region : regions) total += region.size_bytes();
  return total;
}

uint64_t apply_min_nr_regions(Regions& regions, uint64_t min_nr_regions,
                              uint64_t min_region_bytes) {
  const uint64_t limit =
      align_up(std::max(total_bytes(regions) / min_nr_regions, min_region_bytes), min_region_bytes);
  const bool fits = std::all_of(regions.begin(), regions.end(),
                                [&](const Region& r) { return r.size_bytes() <= limit; });
  if (fits) return limit;
  Regions cut;
  for (Region region : regions) {
    const uint64_t end = region.end;
    for (; end - region.start > limit; region.start = region.end) {
      region.end = region.start + limit;
      cut.push_back(region);
    }
    region.end = end;
    cut.push_back(region);
  }
  regions = std::move(cut);
  return limit;
}

void age_regions(std::span<Region> regions, uint32_t threshold, int64_t aggr_start_ns) {
  for (Region& region : regions) {
    const bool moved = difference(region.nr_accesses, region.last_nr_accesses) > threshold;
    const bool crossed_zero = (region.nr_accesses == 0) != (region.last_nr_accesses == 0);
    if (moved || crossed_zero) {
      region.age = 0;
      const bool ended = region.nr_accesses == 0 && region.accessed_ns != 0;
      region.since_ns = ended ? region.accessed_ns : aggr_start_ns;
    } else if (region.age < std::numeric_limits<uint32_t>::max()) {
      ++region.age;
    }
  }
}

void merge_regions(Regions& regions, uint32_t threshold, uint64_t max_region_bytes) {
  join_neighbours(regions, [&](const Region& left, const Region& right) {
    return may_join(left, right, threshold, max_region_bytes);
  });
}

void merge_alike(Regions& regions, uint32_t threshold, uint64_t max_region_bytes, int64_t now_ns) {
  join_neighbours(regions, [&](const Region& left, const Region& right) {
    return may_join(left, right, threshold, max_region_bytes) && idle_alike(left, right, now_ns);
  });
}

void merge_to_fit(Regions& regions, uint32_t threshold, uint64_t max_region_bytes,
                  uint64_t max_nr_regions, uint32_t max_threshold) {
  merge_regions(regions, threshold, max_region_bytes);
  while (regions.size() > max_nr_regions && threshold < max_threshold) {
    threshold =
        threshold < max_threshold / 2 ? std::max<uint32_t>(1, 2 * threshold) : max_threshold;
    merge_regions(regions, threshold, max_region_bytes);
  }
}

void reset_aggregated(std::span<Region> regions) {
  for (Region& region : regions) {
    region.last_nr_accesses = region.nr_accesses;
    region.nr_accesses = 0;
  }
}

void rescale(Region& region, const MonitoringAttrs& from, const MonitoringAttrs& to) {
  const auto scaled = [](uint32_t count, uint64_t from_samples, uint64_t to_samples) {
    return mul_div(count, to_samples, from_samples);
  };
  rescale_counts_and_age(region, from, to, scaled);
}

void rescale_in_bp(Region& region, const MonitoringAttrs& from, const MonitoringAttrs& to) {
  const auto scaled = [](uint32_t count, uint64_t from_samples, uint64_t to_samples) {
    constexpr uint64_t kWholeBp = 10'000;
    return mul_div(mul_div(count, kWholeBp, from_samples), to_samples, kWholeBp);
  };
  rescale_counts_and_age(region, from, to, scaled);
}

void Splitter::split(Regions& regions, uint64_t max_nr_regions, uint64_t min_region_bytes,
                     Random& random) {
  const uint64_t nr_regions = regions.size();
  const bool unchanged = nr_regions == last_nr_regions_;
  last_nr_regions_ = nr_regions;
  if (nr_regions >= max_nr_regions) return;

  Cut cut{2, 2 * min_region_bytes + 1};
  uint64_t step = 1;
  uint64_t turn = 0;
  if (nr_regions > max_nr_regions / 2) {
    cut.min_cut_bytes = 2 * min_region_bytes;
    step = max_nr_regions / (max_nr_regions - nr_regions);
    turn = rotation_++ % step;
  } else if (unchanged && nr_regions < max_nr_regions / 3) {
    cut.pieces = 3;
  }
  split_.clear();
  for (uint64_t index = 0; index < nr_regions; ++index) {
    if (index % step == turn) {
      append_split(split_, regions[index], cut, min_region_bytes, random);
    } else {
      split_.push_back(regions[index]);
    }
  }
  std::swap(regions, split_);
}

}  // namespace damon_statfs
