// SPDX-License-Identifier: GPL-2.0-or-later
//
// From a page frame to its folio, and what can be told of accesses to it. page_idle answers for the
// first page of a folio only (a transparent huge page, a large page-cache folio), and access checks
// of any kind work only for folios on an LRU list.
#pragma once

#include <cstdint>
#include <optional>

#include "damon_statfs/page_kind.h"
#include "damon_statfs/result.h"
#include "engine/base/word_file.h"

namespace damon_statfs {

// Bits of a /proc/kpageflags word (kernel doc: Documentation/admin-guide/mm/pagemap.rst).
constexpr uint64_t kPageLru = 1U << 5;
constexpr uint64_t kPageMmap = 1U << 11;
constexpr uint64_t kPageAnon = 1U << 12;
constexpr uint64_t kPageCompoundHead = 1U << 15;
constexpr uint64_t kPageCompoundTail = 1U << 16;
constexpr uint64_t kPageHugetlb = 1U << 17;
constexpr uint64_t kPageNoPage = 1U << 20;
constexpr uint64_t kPageIdle = 1U << 25;

struct Folio {
  uint64_t head_pfn = 0;
  uint64_t head_flags = 0;

  // Whether access checks work on it: free, kernel and hugetlb pages are not on an LRU list.
  bool trackable() const {
    return (head_flags & kPageLru) != 0 && (head_flags & (kPageHugetlb | kPageNoPage)) == 0;
  }

  // Memory of tmpfs and memfd that nothing maps is page cache, too.
  PageKind kind() const {
    if (!trackable()) return PageKind::kUntracked;
    const bool is_cache = (head_flags & (kPageAnon | kPageMmap)) == 0;
    return is_cache ? PageKind::kUnmappedCache : PageKind::kTracked;
  }
};

// Returns: the folio that page frame `pfn` belongs to, or none if the flags do not make one: a
// frame without memory, a folio that changed while it was looked at, or garbage.
Result<std::optional<Folio>> find_folio(const WordFile& kpageflags, uint64_t pfn);

// Returns: the kind of page frame `pfn`, or none if the flags do not make a folio.
Result<std::optional<PageKind>> find_page_kind(const WordFile& kpageflags, uint64_t pfn);

}  // namespace damon_statfs
