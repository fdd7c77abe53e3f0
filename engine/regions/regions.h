// SPDX-License-Identifier: GPL-2.0-or-later
//
// DAMON's region operations: set up, age, merge, split. Pure functions over one ascending list of
// regions; kernel documentation: "Region Based Sampling" and "Adaptive Regions Adjustment".
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "damon_statfs/attrs.h"
#include "damon_statfs/region.h"
#include "damon_statfs/result.h"
#include "engine/base/random.h"

namespace damon_statfs {

// Ascending, not overlapping; gaps are memory that is not monitored.
using Regions = std::vector<Region>;

// Fits `regions` to `ranges`, whose ends are first aligned outwards to min_region_bytes (a power of
// two). Regions inside a range keep their history and are stretched or cut to its ends; everything
// else is new and begins at now_ns. Returns: EINVAL if a range is empty, or not after the one
// before.
Result<void> set_regions(Regions& regions, std::span<const AddressRange> ranges,
                         uint64_t min_region_bytes, int64_t now_ns);

uint64_t total_bytes(std::span<const Region> regions);

// Cuts regions so that there are about min_nr_regions of equal size at least. Returns: the largest
// size a region may have, a multiple of min_region_bytes.
uint64_t apply_min_nr_regions(Regions& regions, uint64_t min_nr_regions, uint64_t min_region_bytes);

// One aggregation older: age and since_ns start anew where nr_accesses moved by more than
// `threshold`, or between zero and not zero; elsewhere age grows by 1. The new pattern began at
// aggr_start_ns, or with the last access if there are no more.
void age_regions(std::span<Region> regions, uint32_t threshold, int64_t aggr_start_ns);

// One pass: joins neighbours whose nr_accesses differ by at most `threshold`, up to
// max_region_bytes. Counts, ages and since_ns of the joined are averages weighted by size, rounded
// down; the last access is the later one.
void merge_regions(Regions& regions, uint32_t threshold, uint64_t max_region_bytes);

// The same, but memory whose idle times at now_ns differ by more than a factor of two stays apart:
// the average would belong to neither. The kernel does not look at ages here, and so loses memory
// that is touched every few seconds in memory that is not (kernel documentation, "Age Tracking").
void merge_alike(Regions& regions, uint32_t threshold, uint64_t max_region_bytes, int64_t now_ns);

// Passes with a doubling threshold, until there are at most max_nr_regions or it reaches
// max_threshold.
void merge_to_fit(Regions& regions, uint32_t threshold, uint64_t max_region_bytes,
                  uint64_t max_nr_regions, uint32_t max_threshold);

// The end of an aggregation: nr_accesses becomes last_nr_accesses and starts from 0.
void reset_aggregated(std::span<Region> regions);

// The counts and the age of `region` as they would be under the new attributes, rounded down.
// Counts stay if the number of samples does. Nothing if one of the four intervals is 0.
void rescale(Region& region, const MonitoringAttrs& from, const MonitoringAttrs& to);

// The same with the kernel's rounding: counts become basis points of the samples before, rounded
// down, and these become counts again. 1 of 3 samples is 0 of 3 then.
void rescale_in_bp(Region& region, const MonitoringAttrs& from, const MonitoringAttrs& to);

// Splits regions at random, once per aggregation. Remembers what the next split depends on.
class Splitter {
 public:
  // Splits each region in two, or in three if the last split changed nothing; only every n-th
  // region when that could exceed max_nr_regions, none when that is reached.
  void split(Regions& regions, uint64_t max_nr_regions, uint64_t min_region_bytes, Random& random);

 private:
  Regions split_;  // the list being made; kept for its memory
  uint64_t last_nr_regions_ = 0;
  uint64_t rotation_ = 0;
};

}  // namespace damon_statfs
