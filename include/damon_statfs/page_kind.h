// SPDX-License-Identifier: GPL-2.0-or-later
//
// What can be told of accesses to a page, and which pages count. It is apart from the checks,
// because a source that observes pages by itself has to say it of each page, too.
#pragma once

#include <cstdint>

namespace damon_statfs {

enum class PageKind : uint8_t {
  kUnknown,        // the kernel does not tell: taken for one whose accesses are seen
  kUntracked,      // free, kernel or hugetlb memory, or none at all: no access can be seen
  kTracked,        // accesses are seen
  kUnmappedCache,  // page cache that nothing maps: accesses are seen, but where the
                   // multi-generational LRU is on none by read(2)
};

// Which pages of a sample do not count. What is not excluded and cannot be seen counts as idle.
enum class ExcludedPages : uint8_t {
  kNone,
  kUntracked,
  kUnmapped,  // kUntracked, and page cache that nothing maps
};

constexpr bool is_excluded(PageKind kind, ExcludedPages excluded) {
  switch (kind) {
    case PageKind::kUntracked:
      return excluded != ExcludedPages::kNone;
    case PageKind::kUnmappedCache:
      return excluded == ExcludedPages::kUnmapped;
    case PageKind::kTracked:
    case PageKind::kUnknown:
      break;
  }
  return false;
}

// The option as its user writes it.
constexpr const char* to_option(ExcludedPages excluded) {
  switch (excluded) {
    case ExcludedPages::kUntracked:
      return "untracked=exclude";
    case ExcludedPages::kUnmapped:
      return "untracked=exclude_unmapped";
    case ExcludedPages::kNone:
      break;
  }
  return "untracked=idle";
}

}  // namespace damon_statfs
