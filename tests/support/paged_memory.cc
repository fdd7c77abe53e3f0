// SPDX-License-Identifier: GPL-2.0-or-later
//
// Checks and marks. Tests do millions of them, so this file is optimised, which theirs are not.
#include "support/paged_memory.h"

#include <stdexcept>

namespace damon_statfs::test {
namespace {

void expect_ascending(std::span<CheckedPage* const> pages) {
  for (size_t i = 1; i < pages.size(); ++i) {
    if (pages[i]->word() < pages[i - 1]->word()) throw std::logic_error("words out of order");
    if (pages[i] == pages[i - 1]) throw std::logic_error("a page twice in one call");
  }
}

}  // namespace

Result<void> PagedMemory::check_pages(std::span<CheckedPage* const> pages) {
  ++check_calls;
  if (check_errno != 0) return failure(check_errno, "scripted error in check_pages");
  expect_ascending(pages);
  for (CheckedPage* const page : pages) {
    clock_.use_cpu(cpu_ns_per_check);
    check(*page);
    if (counts_pages) ++checks[page->addr];
  }
  on_check(pages);
  return outcome::success();
}

Result<void> PagedMemory::mark_pages(std::span<CheckedPage* const> pages) {
  ++mark_calls;
  if (mark_errno != 0) return failure(mark_errno, "scripted error in mark_pages");
  expect_ascending(pages);
  for (CheckedPage* const page : pages) {
    if (!page->tracked()) throw std::logic_error("only tracked pages can be marked");
    clock_.use_cpu(cpu_ns_per_mark);
    page->marked = takes_mark(page->addr);
    if (!page->marked) page->access = PageAccess::kUnknown;
    page->marked_ns = clock_.now_ns();
    if (counts_pages) ++marks[page->addr];
  }
  return outcome::success();
}

Result<std::vector<AddressRange>> PagedMemory::update() {
  ++updates;
  if (update_errno != 0) return failure(update_errno, "scripted error in update");
  return ranges;
}

void PagedMemory::check(CheckedPage& page) const {
  const int64_t now_ns = clock_.now_ns();
  const bool was_tracked = page.tracked();
  const bool lacks_mark = page.access == PageAccess::kUnknown && !page.marked;
  const bool idle = page.marked && last_access(page.addr, now_ns) <= page.marked_ns;
  page.access = !tracked(page.addr) ? PageAccess::kUntracked
                : !was_tracked      ? PageAccess::kNew
                : lacks_mark        ? PageAccess::kUnknown
                : idle              ? PageAccess::kIdle
                                    : PageAccess::kAccessed;
  page.marked = page.access == PageAccess::kIdle;
  page.unmapped_cache = unmapped_cache(page.addr);
}

}  // namespace damon_statfs::test
