// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a kdamond of ours is set up for, and which value of which file that is. Nothing here reads
// or writes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "damon_statfs/attrs.h"
#include "damon_statfs/region.h"
#include "engine/base/kernel_files.h"

namespace damon_statfs {

struct KdamondSetup {
  MonitoringAttrs attrs;
  std::vector<AddressRange> ranges;  // ascending, apart, multiples of the page size
  bool stat_scheme = false;          // whether regions are read through tried_regions/
  uint64_t apply_interval_us = 0;    // of that scheme
};

// The intervals in force, as the kernel's tuning left them.
struct KdamondIntervals {
  uint64_t sample_us = 0;
  uint64_t aggr_us = 0;
  bool operator==(const KdamondIntervals&) const = default;
};

struct StagedValue {
  std::string file;  // below the context's directory
  std::string text;
  bool optional = false;  // whether the kernel may be without it
};

// Returns: all values of the setup but the bounds of its ranges, in the order in which they have to
// be written: the numbers of directories before what is in them. The mark is not among them.
std::vector<StagedValue> staged_values(const KdamondSetup& setup);

// The directory of the ranges, below the context's.
constexpr const char* kRangesDirectory = "targets/0/regions";

// The bounds of the range in directory `index` of it.
std::array<NamedText, 2> bounds_of(size_t index, const AddressRange& range);

// Returns: the bounds of those of the ranges that differ from `staged`, below that directory.
std::vector<NamedText> staged_ranges(const std::vector<AddressRange>& ranges,
                                     const std::vector<AddressRange>& staged = {});

}  // namespace damon_statfs
