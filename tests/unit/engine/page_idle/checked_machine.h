// SPDX-License-Identifier: GPL-2.0-or-later
//
// A machine of plain files whose pages are checked and marked by the rules of page_idle.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <vector>

#include "unit/engine/page_idle/page_idle_machine.h"

namespace damon_statfs::test {

constexpr uint64_t kFree = 1U << 10;  // KPF_BUDDY

// What a check has found of each page.
using Found = std::vector<PageAccess>;

class CheckedMachine : public PageIdleMachine {
 public:
  explicit CheckedMachine(std::initializer_list<uint64_t> pfns) {
    REQUIRE(operations->open());
    for (const uint64_t pfn : pfns) {
      CheckedPage page;
      page.addr = pfn * kPageBytes;
      page.head_pfn = pfn;
      pages_.push_back(page);
    }
  }

  // Checks all pages and marks those that need it. Returns: what was found, in the order of the
  // constructor.
  std::vector<PageAccess> check_and_mark() {
    std::vector<PageAccess> found = check_only();
    mark();
    return found;
  }

  void mark() {
    std::vector<CheckedPage*> unmarked = by_word();
    std::erase_if(unmarked, [](const auto* page) { return page->marked || !page->tracked(); });
    REQUIRE(operations->mark_pages(unmarked));
  }

  std::vector<PageAccess> check_only() {
    REQUIRE(operations->check_pages(by_word()));
    std::vector<PageAccess> found;
    for (const CheckedPage& page : pages_) found.push_back(page.access);
    return found;
  }

  // As the kernel frees a page: its idle flag goes with it.
  void free(uint64_t pfn) {
    set_flags(pfn, kFree);
    touch(pfn);
  }

  CheckedPage& page(size_t i) { return pages_[i]; }

 private:
  std::vector<CheckedPage*> by_word() {
    std::vector<CheckedPage*> sorted;
    for (CheckedPage& page : pages_) sorted.push_back(&page);
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const auto* a, const auto* b) { return a->word() < b->word(); });
    return sorted;
  }

  std::vector<CheckedPage> pages_;
};

}  // namespace damon_statfs::test
