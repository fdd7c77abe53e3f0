// SPDX-License-Identifier: GPL-2.0-or-later
//
// A page that is still idle needs nothing more. For the others the page flags have to tell an
// access from a page that was freed, or that is part of another folio now. They also tell whether
// the kernel has taken a mark: it ignores one, without saying so, for example of a page that is
// isolated just then.
#include "engine/page_idle/page_idle_checks.h"

#include <algorithm>

namespace damon_statfs {
namespace {

// How old it may be what is known of a page's kind. Only idle pages need looks for that alone, as
// the flags of all others are read with each check.
constexpr int64_t kLookNs = 60 * kNsPerSecond;

uint64_t bit_of(const CheckedPage& page) {
  return uint64_t{1} << (page.head_pfn % CheckedPage::kWordPages);
}

bool lacks_mark(const CheckedPage& page) {
  return page.access == PageAccess::kUnknown && !page.marked;
}

bool needs_bit(const CheckedPage* page) { return page->tracked() && !lacks_mark(*page); }

}  // namespace

Result<void> PageIdleChecks::for_each_word(WordFunction function,
                                           std::span<CheckedPage* const> pages) {
  while (!pages.empty()) {
    const std::span<CheckedPage* const> word = first_word(pages);
    BOOST_OUTCOME_TRYV((this->*function)(word));
    pages = pages.subspan(word.size());
  }
  return outcome::success();
}

Result<void> PageIdleChecks::check_word(std::span<CheckedPage* const> pages) {
  const uint64_t word = pages.front()->word();
  std::optional<uint64_t> idle_bits(0);
  if (std::any_of(pages.begin(), pages.end(), needs_bit)) {
    DAMON_STATFS_TRY(bits, bitmap_.read(word));
    idle_bits = bits;
  }
  for (size_t i = 0; i < pages.size(); ++i) {
    CheckedPage& page = *pages[i];
    if (lacks_mark(page)) {
      BOOST_OUTCOME_TRYV(check_without_mark(page));
      continue;
    }
    if (page.tracked() && !idle_bits) {
      BOOST_OUTCOME_TRYV(check_without_bit(page));
      continue;
    }
    const bool idle = page.tracked() && (*idle_bits & bit_of(page)) != 0;
    BOOST_OUTCOME_TRYV(check_folio(pages.first(i), idle, page));
    if (page.access != PageAccess::kIdle) page.marked = false;
  }
  return outcome::success();
}

// A folio carries its idle flag if the mark was taken. One that was freed since the last check has
// none to be set; the next check finds that out.
Result<void> PageIdleChecks::mark_word(std::span<CheckedPage* const> pages) {
  const uint64_t word = pages.front()->word();
  uint64_t mask = 0;
  for (const CheckedPage* const page : pages) mask |= bit_of(*page);
  DAMON_STATFS_TRY(written, bitmap_.write(word, mask));
  if (!written) drop_sample_(bitmap_, word * CheckedPage::kWordPages);
  const int64_t now_ns = clock_.now_ns();
  uint64_t verified_pfn = ~uint64_t{0}, head_flags = 0;
  bool taken = false;
  for (CheckedPage* const page : pages) {
    if (written && page->head_pfn != verified_pfn) {
      verified_pfn = page->head_pfn;
      DAMON_STATFS_TRY(flags, kpageflags_.read(verified_pfn));
      taken = flags && (*flags & kPageIdle) != 0;
      head_flags = flags.value_or(0);
    }
    if (taken) take_kind(*page, head_flags);
    page->marked = taken;
    page->marked_ns = now_ns;
    if (!taken) page->access = PageAccess::kUnknown;
  }
  return outcome::success();
}

// `before`: pages of the word that have been checked; what was found of a folio holds for all of
// its pages. idle: its folio's bit is still set.
Result<void> PageIdleChecks::check_folio(std::span<CheckedPage* const> before, bool idle,
                                         CheckedPage& page) {
  const PageAccess unchanged = idle ? PageAccess::kIdle : PageAccess::kAccessed;
  if (page.tracked()) {
    // That the head is as it was says nothing of tails that may have been split off.
    const auto known = std::find_if(before.begin(), before.end(), [&](const CheckedPage* other) {
      const bool is_tail = other->addr / page_bytes_ != other->head_pfn;
      return is_tail && other->head_pfn == page.head_pfn && other->access == unchanged;
    });
    if (known != before.end()) {
      page.unmapped_cache = (*known)->unmapped_cache;
      page.looked_ns = (*known)->looked_ns;
    }
    DAMON_STATFS_TRY(same, known != before.end() ? Result<bool>(true) : is_still(page, idle));
    if (same) {
      page.access = unchanged;
      return outcome::success();
    }
  }
  const bool was_tracked = page.tracked();
  DAMON_STATFS_TRY(folio, find_anew(page));
  // Parts of a folio that was split inherit its idle flag; memory that was allocated anew has none.
  const bool split = folio && was_tracked && (folio->head_flags & kPageIdle) != 0;
  page.access = !folio         ? PageAccess::kUntracked
                : !was_tracked ? PageAccess::kNew
                : split        ? PageAccess::kIdle
                               : PageAccess::kAccessed;
  return outcome::success();
}

// The bitmap has no answer, which is no access. The page is left as it is, unless it is gone too.
Result<void> PageIdleChecks::check_without_bit(CheckedPage& page) {
  drop_sample_(bitmap_, page.head_pfn);
  const uint64_t pfn = page.addr / page_bytes_;
  DAMON_STATFS_TRY(folio, find_folio(kpageflags_, pfn));
  page.access = folio && folio->trackable() ? PageAccess::kIdle : PageAccess::kUntracked;
  if (!page.tracked()) page.head_pfn = pfn;
  return outcome::success();
}

// The page stays as unknown as it is, unless it cannot be tracked any more. Its next mark is for
// the folio that it belongs to now.
Result<void> PageIdleChecks::check_without_mark(CheckedPage& page) {
  DAMON_STATFS_TRY(folio, find_anew(page));
  page.access = folio ? PageAccess::kUnknown : PageAccess::kUntracked;
  return outcome::success();
}

// Finds the folio that the page belongs to now. Returns: that, if accesses to it can be seen.
Result<std::optional<Folio>> PageIdleChecks::find_anew(CheckedPage& page) {
  const uint64_t pfn = page.addr / page_bytes_;
  DAMON_STATFS_TRY(folio, find_folio(kpageflags_, pfn));
  if (!folio) drop_sample_(kpageflags_, pfn);
  const bool tracked = folio && folio->trackable();
  page.head_pfn = tracked ? folio->head_pfn : pfn;
  if (!tracked) return std::optional<Folio>();
  take_kind(page, folio->head_flags);
  return folio;
}

// Whether the page belongs to the folio that it belonged to when it was marked. One that is idle
// has not been freed since, but it may have been split off.
Result<bool> PageIdleChecks::is_still(CheckedPage& page, bool idle) {
  const uint64_t pfn = page.addr / page_bytes_;
  const bool is_head = page.head_pfn == pfn;
  if (idle) {
    BOOST_OUTCOME_TRYV(look_if_due(page));
    if (is_head) return true;
  } else {
    DAMON_STATFS_TRY(flags, kpageflags_.read(page.head_pfn));
    if (!flags || !Folio{page.head_pfn, *flags}.trackable()) return false;
    take_kind(page, *flags);
    if (is_head) return (*flags & kPageCompoundTail) == 0;
    if ((*flags & kPageCompoundHead) == 0) return false;
  }
  DAMON_STATFS_TRY(own_flags, kpageflags_.read(pfn));
  return own_flags && (*own_flags & kPageCompoundTail) != 0;
}

void PageIdleChecks::take_kind(CheckedPage& page, uint64_t head_flags) const {
  page.unmapped_cache = Folio{page.head_pfn, head_flags}.kind() == PageKind::kUnmappedCache;
  page.looked_ns = clock_.now_ns();
}

// An idle page may have been mapped or unmapped meanwhile, which is no access. Without an answer,
// and off the LRU lists for a moment, it stays what it was.
Result<void> PageIdleChecks::look_if_due(CheckedPage& page) const {
  const int64_t now_ns = clock_.now_ns();
  if (now_ns - page.looked_ns < kLookNs) return outcome::success();
  page.looked_ns = now_ns;
  DAMON_STATFS_TRY(flags, kpageflags_.read(page.head_pfn));
  if (flags && Folio{page.head_pfn, *flags}.trackable()) take_kind(page, *flags);
  return outcome::success();
}

}  // namespace damon_statfs
