// SPDX-License-Identifier: GPL-2.0-or-later
//
// A page that is still idle needs no second look. For the others the page flags have to tell an
// access from a page that was freed, or that is part of another folio now. They also tell whether
// the kernel has taken a mark: it ignores one, without saying so, for example of a page that is
// isolated just then.
#include "engine/page_idle/page_idle_checks.h"

#include <algorithm>

#include "engine/base/folio.h"

namespace damon_statfs {
namespace {

uint64_t bit_of(const SampledPage& page) {
  return uint64_t{1} << (page.handle % SampledPage::kGroupPages);
}

bool lacks_mark(const SampledPage& page) {
  return page.access == PageAccess::kUnknown && !page.marked;
}

bool needs_bit(const SampledPage* page) { return page->tracked() && !lacks_mark(*page); }

}  // namespace

Result<void> PageIdleChecks::for_each_group(GroupFunction function,
                                            std::span<SampledPage* const> pages) {
  while (!pages.empty()) {
    const std::span<SampledPage* const> group = first_group(pages);
    BOOST_OUTCOME_TRYV((this->*function)(group));
    pages = pages.subspan(group.size());
  }
  return outcome::success();
}

Result<void> PageIdleChecks::check_group(std::span<SampledPage* const> pages) {
  const uint64_t word = pages.front()->group();
  std::optional<uint64_t> idle_bits(0);
  if (std::any_of(pages.begin(), pages.end(), needs_bit)) {
    DAMON_STATFS_TRY(bits, bitmap_.read(word));
    idle_bits = bits;
  }
  for (size_t i = 0; i < pages.size(); ++i) {
    SampledPage& page = *pages[i];
    if (lacks_mark(page)) {
      BOOST_OUTCOME_TRYV(look_without_mark(page));
      continue;
    }
    if (page.tracked() && !idle_bits) {
      BOOST_OUTCOME_TRYV(look_without_bit(page));
      continue;
    }
    const bool idle = page.tracked() && (*idle_bits & bit_of(page)) != 0;
    BOOST_OUTCOME_TRYV(look_closer(pages.first(i), idle, page));
    if (page.access != PageAccess::kIdle) page.marked = false;
  }
  return outcome::success();
}

// A folio carries its idle flag if the mark was taken. One that was freed since the last look has
// none to be set; the next look finds that out.
Result<void> PageIdleChecks::mark_group(std::span<SampledPage* const> pages) {
  const uint64_t word = pages.front()->group();
  uint64_t mask = 0;
  for (const SampledPage* const page : pages) mask |= bit_of(*page);
  DAMON_STATFS_TRY(written, bitmap_.write(word, mask));
  if (!written) drop_sample_(bitmap_, word * SampledPage::kGroupPages);
  const int64_t now_ns = clock_.now_ns();
  uint64_t verified_pfn = ~uint64_t{0};
  bool taken = false;
  for (SampledPage* const page : pages) {
    if (written && page->handle != verified_pfn) {
      verified_pfn = page->handle;
      DAMON_STATFS_TRY(flags, kpageflags_.read(verified_pfn));
      taken = flags && (*flags & kPageIdle) != 0;
    }
    page->marked = taken;
    page->marked_ns = now_ns;
    if (!taken) page->access = PageAccess::kUnknown;
  }
  return outcome::success();
}

// `before`: pages of the group that have been looked at; what was found of a folio holds for all of
// its pages. idle: its folio's bit is still set.
Result<void> PageIdleChecks::look_closer(std::span<SampledPage* const> before, bool idle,
                                         SampledPage& page) {
  const PageAccess unchanged = idle ? PageAccess::kIdle : PageAccess::kAccessed;
  const uint64_t pfn = page.addr / page_bytes_;
  if (page.tracked()) {
    // That the head is as it was says nothing of tails that may have been split off.
    const bool known = std::any_of(before.begin(), before.end(), [&](const SampledPage* other) {
      const bool is_tail = other->addr / page_bytes_ != other->handle;
      return is_tail && other->handle == page.handle && other->access == unchanged;
    });
    DAMON_STATFS_TRY(same, known ? Result<bool>(true) : is_still(page, idle));
    if (same) {
      page.access = unchanged;
      return outcome::success();
    }
  }
  DAMON_STATFS_TRY(folio, find_folio(kpageflags_, pfn));
  if (!folio) drop_sample_(kpageflags_, pfn);
  const bool was_tracked = page.tracked();
  const bool tracked = folio && folio->trackable();
  page.handle = tracked ? folio->head_pfn : pfn;
  // Parts of a folio that was split inherit its idle flag; memory that was allocated anew has none.
  const bool split = tracked && was_tracked && (folio->head_flags & kPageIdle) != 0;
  page.access = !tracked       ? PageAccess::kUntracked
                : !was_tracked ? PageAccess::kNew
                : split        ? PageAccess::kIdle
                               : PageAccess::kAccessed;
  return outcome::success();
}

// The bitmap has no answer, which is no access. The page is left as it is, unless it is gone too.
Result<void> PageIdleChecks::look_without_bit(SampledPage& page) {
  drop_sample_(bitmap_, page.handle);
  const uint64_t pfn = page.addr / page_bytes_;
  DAMON_STATFS_TRY(folio, find_folio(kpageflags_, pfn));
  page.access = folio && folio->trackable() ? PageAccess::kIdle : PageAccess::kUntracked;
  if (!page.tracked()) page.handle = pfn;
  return outcome::success();
}

// The page stays as unknown as it is, unless it cannot be tracked any more. Its next mark is for
// the folio that it belongs to now.
Result<void> PageIdleChecks::look_without_mark(SampledPage& page) {
  const uint64_t pfn = page.addr / page_bytes_;
  DAMON_STATFS_TRY(folio, find_folio(kpageflags_, pfn));
  if (!folio) drop_sample_(kpageflags_, pfn);
  const bool tracked = folio && folio->trackable();
  page.handle = tracked ? folio->head_pfn : pfn;
  page.access = tracked ? PageAccess::kUnknown : PageAccess::kUntracked;
  return outcome::success();
}

// Whether the page belongs to the folio that it belonged to when it was marked. One that is idle
// has not been freed since, but it may have been split off.
Result<bool> PageIdleChecks::is_still(const SampledPage& page, bool idle) {
  const uint64_t pfn = page.addr / page_bytes_;
  const bool is_head = page.handle == pfn;
  if (idle && is_head) return true;
  if (!idle) {
    DAMON_STATFS_TRY(flags, kpageflags_.read(page.handle));
    if (!flags || !Folio{page.handle, *flags}.trackable()) return false;
    if (is_head) return (*flags & kPageCompoundTail) == 0;
    if ((*flags & kPageCompoundHead) == 0) return false;
  }
  DAMON_STATFS_TRY(own_flags, kpageflags_.read(pfn));
  return own_flags && (*own_flags & kPageCompoundTail) != 0;
}

}  // namespace damon_statfs
