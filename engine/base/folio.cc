// SPDX-License-Identifier: GPL-2.0-or-later
//
// Finds a folio's head. Folios are aligned to their size, so only the frames with one more low bit
// cleared each can be the head: at most nine reads for a 2 MiB folio, where scanning takes up to
// 511.
#include "engine/base/folio.h"

namespace damon_statfs {

Result<std::optional<Folio>> find_folio(const WordFile& kpageflags, uint64_t pfn) {
  for (uint64_t candidate = pfn;; candidate &= candidate - 1) {  // clears the lowest bit set
    DAMON_STATFS_TRY(flags, kpageflags.read(candidate));
    if (!flags) return std::optional<Folio>();
    const bool is_tail = (*flags & kPageCompoundTail) != 0;
    const bool is_head = (*flags & kPageCompoundHead) != 0;
    if (candidate == pfn ? !is_tail : is_head) return std::optional(Folio{candidate, *flags});
    if (!is_tail || candidate == 0) return std::optional<Folio>();
  }
}

Result<std::optional<PageKind>> find_page_kind(const WordFile& kpageflags, uint64_t pfn) {
  DAMON_STATFS_TRY(folio, find_folio(kpageflags, pfn));
  return folio ? std::optional(folio->kind()) : std::nullopt;
}

}  // namespace damon_statfs
