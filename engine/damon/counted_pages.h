// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which pages a kdamond counts the accesses of, beside those of a sample.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "damon_statfs/observed_pages.h"
#include "damon_statfs/region.h"

namespace damon_statfs {

constexpr size_t kCountedPages = 128;

// Returns: the addresses of at most kCountedPages pages within the ranges, ascending, none in the
// sample or next to a page of it; fewer if the sample leaves no room. sample: ascending by addr.
std::vector<uint64_t> choose_counted_pages(std::span<const PageState> sample,
                                           std::span<const AddressRange> ranges,
                                           uint64_t page_bytes);

}  // namespace damon_statfs
