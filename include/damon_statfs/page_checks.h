// SPDX-License-Identifier: GPL-2.0-or-later
//
// Access checks of single pages, as page_idle makes them: a page is marked as not accessed, and a
// later check tells whether it was accessed since.
#pragma once

#include <cassert>
#include <cstdint>
#include <span>

#include "damon_statfs/operations.h"
#include "damon_statfs/page_kind.h"
#include "damon_statfs/result.h"

namespace damon_statfs {

// What the latest check of a page has found.
enum class PageAccess : uint8_t {
  kUntracked,  // free, kernel or hugetlb memory, or none at all: no access can be seen
  kNew,        // tracked from now on; nothing is known of the time before
  kIdle,       // not accessed since it was marked
  kAccessed,   // accessed since then
  kUnknown,    // tracked, but the source did not take the mark, so no check could tell
};

// A page that is checked again and again, and what the source has to remember of it in between.
struct CheckedPage {
  uint64_t addr = 0;      // of its first byte, physical
  uint64_t head_pfn = 0;  // page frame number of its folio's head; for a new page, its own
  PageAccess access = PageAccess::kUntracked;  // found by the latest check
  bool marked = false;                         // whether the next check can tell of an access
  int64_t marked_ns = 0;                       // Clock::now_ns() when it was last marked
  bool unmapped_cache = false;  // tracked, and page cache that nothing maps, as far as is known
  int64_t looked_ns = 0;        // Clock::now_ns() when the source last found that out

  // Pages of one word cost little more than one of them if they are checked in the same call.
  static constexpr uint64_t kWordPages = 64;
  uint64_t word() const { return head_pfn / kWordPages; }  // of the page_idle bitmap

  bool tracked() const { return access != PageAccess::kUntracked; }

  PageKind kind() const {
    return !tracked()       ? PageKind::kUntracked
           : unmapped_cache ? PageKind::kUnmappedCache
                            : PageKind::kTracked;
  }

  // Whether a check can tell anything of it.
  bool worth_a_check() const { return marked || !tracked() || access == PageAccess::kUnknown; }
};

// The pages at the beginning of `pages` that are of one word. Precondition: there are any.
inline std::span<CheckedPage* const> first_word(std::span<CheckedPage* const> pages) {
  assert(!pages.empty());
  size_t size = 1;
  while (size < pages.size() && pages[size]->word() == pages[0]->word()) ++size;
  return pages.first(size);
}

class PageChecks : public Operations {
 public:
  // Checks pages, ascending by word(): sets `access` to what happened to each since it was marked.
  // Only what is idle stays marked; a page that is not marked counts as accessed, but one whose
  // mark was not taken stays kUnknown as long as it is tracked. A head_pfn may change, and so may
  // unmapped_cache. Returns: why the source cannot go on.
  virtual Result<void> check_pages(std::span<CheckedPage* const> pages) = 0;

  // Marks pages, ascending by word() and tracked, as not accessed. A page whose mark is not taken
  // is left unmarked and kUnknown. Returns: why the source cannot go on.
  virtual Result<void> mark_pages(std::span<CheckedPage* const> pages) = 0;
};

}  // namespace damon_statfs
