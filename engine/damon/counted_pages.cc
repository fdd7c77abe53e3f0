// SPDX-License-Identifier: GPL-2.0-or-later
//
// Where no page of the sample is near.
#include "engine/damon/counted_pages.h"

#include <algorithm>

namespace damon_statfs {

// Of the gaps between pages of the sample the largest one in each of so many parts of memory; its
// middle is hardly ever in the same folio as one of the sample, whose marks it would take.
std::vector<uint64_t> choose_counted_pages(std::span<const PageState> sample,
                                           std::span<const AddressRange> ranges,
                                           uint64_t page_bytes) {
  const size_t nr_gaps = sample.empty() ? 0 : sample.size() - 1;
  std::vector<uint64_t> addrs;
  for (size_t part = 0; part < kCountedPages; ++part) {
    uint64_t largest = 2 * page_bytes, middle = 0;
    const size_t end = (part + 1) * nr_gaps / kCountedPages;
    for (size_t gap = part * nr_gaps / kCountedPages; gap < end; ++gap) {
      const uint64_t size = sample[gap + 1].addr - sample[gap].addr;
      const uint64_t between = (sample[gap].addr + size / 2) / page_bytes * page_bytes;
      const bool monitored =
          std::any_of(ranges.begin(), ranges.end(), [&](const AddressRange& range) {
            return range.start <= between && between + page_bytes <= range.end;
          });
      if (size <= largest || !monitored) continue;
      largest = size;
      middle = between;
    }
    if (middle != 0) addrs.push_back(middle);
  }
  return addrs;
}

}  // namespace damon_statfs
