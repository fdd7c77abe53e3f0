// SPDX-License-Identifier: GPL-2.0-or-later
//
// Samples of pages and their pasts, made by hand: the tests of the sample and of its statistics
// need the same few.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <set>
#include <vector>

#include "engine/pages/page_sample.h"
#include "support/catch.h"
#include "unit/engine/regions/region_lists.h"

namespace damon_statfs::test {

constexpr uint64_t kSamplePageBytes = 4096;
constexpr uint64_t kSampleWordBytes = 64 * kSamplePageBytes;

using Addresses = std::vector<uint64_t>;

inline Addresses addresses_of(const PageSample& sample) {
  Addresses addresses;
  for (const PageState& page : sample.pages()) addresses.push_back(page.addr);
  return addresses;
}

inline std::set<uint64_t> words_of(const PageSample& sample) {
  std::set<uint64_t> words;
  for (const PageState& page : sample.pages()) words.insert(page.addr / kSampleWordBytes);
  return words;
}

// Ascending, whole pages, within the ranges.
inline bool is_within(const PageSample& sample, const Ranges& ranges) {
  const auto pages = sample.pages();
  for (size_t i = 0; i < pages.size(); ++i) {
    const uint64_t start = pages[i].addr, end = start + kSamplePageBytes;
    if (start % kSamplePageBytes != 0 || (i > 0 && pages[i - 1].addr >= start)) return false;
    const bool inside = std::any_of(ranges.begin(), ranges.end(), [&](const AddressRange& range) {
      return start >= range.start && end <= range.end;
    });
    if (!inside) return false;
  }
  return true;
}

// A tracked page that has been idle, or accessed, since then.
inline void set_past(PageState& page, bool accessed, int64_t since_ns) {
  page.kind = PageKind::kTracked;
  page.accessed = accessed;
  page.since_ns = since_ns;
  page.observed_ns = since_ns + 1;
}

}  // namespace damon_statfs::test
