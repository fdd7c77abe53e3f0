// SPDX-License-Identifier: GPL-2.0-or-later
//
// The first check of a page finds out whether and through which folio it is tracked; the second one
// tells of an access. A page whose mark was not taken tells nothing.
#include "engine/regions/paged_region_checks.h"

#include <cassert>

namespace damon_statfs {

template <class Wanted>
std::span<CheckedPage* const> PagedRegionChecks::pages_where(std::span<CheckedPage> pages,
                                                             const Wanted& wanted) {
  chosen_.clear();
  for (CheckedPage& page : pages) {
    if (wanted(page)) chosen_.push_back(&page);
  }
  return chosen_;
}

// Regions ascend, and so do their pages and the heads of these.
Result<void> PagedRegionChecks::prepare_access_checks(std::span<Region> regions) {
  const size_t first = pages_.size();
  for (const Region& region : regions) {
    CheckedPage page;
    page.head_pfn = region.sampling_addr / page_bytes_;
    page.addr = page.head_pfn * page_bytes_;
    pages_.push_back(page);
  }
  const std::span<CheckedPage> pages = std::span(pages_).subspan(first);
  BOOST_OUTCOME_TRYV(source_->check_pages(pages_where(pages, [](const auto&) { return true; })));
  return source_->mark_pages(
      pages_where(pages, [](const CheckedPage& page) { return page.tracked(); }));
}

Result<void> PagedRegionChecks::check_accesses(std::span<Region> regions) {
  assert(nr_checked_ + regions.size() <= pages_.size());
  const std::span<CheckedPage> pages = std::span(pages_).subspan(nr_checked_, regions.size());
  const auto is_marked = [](const CheckedPage& page) { return page.marked; };
  const int64_t now_ns = clock_.now_ns();
  BOOST_OUTCOME_TRYV(source_->check_pages(pages_where(pages, is_marked)));
  for (size_t i = 0; i < regions.size(); ++i) {
    if (pages[i].access == PageAccess::kAccessed) regions[i].add_access(now_ns);
  }
  nr_checked_ += regions.size();
  if (nr_checked_ == pages_.size()) {
    pages_.clear();
    nr_checked_ = 0;
  }
  return outcome::success();
}

}  // namespace damon_statfs
