// SPDX-License-Identifier: GPL-2.0-or-later
//
// A look costs one pread, so not all pages get one at each refresh.
#include "engine/damon/page_kinds.h"

#include <cerrno>
#include <utility>

#include "engine/base/folio.h"

namespace damon_statfs {

Result<void> PageKinds::open() {
  DAMON_STATFS_TRY(flags, files_.open_words("/proc/kpageflags", WordAccess::kRead,
                                            "the kernel is built without "
                                            "CONFIG_PROC_PAGE_MONITOR"));
  // Where the kernel is locked down the file may be there and tell nothing.
  DAMON_STATFS_TRY(first, flags->read(0));
  if (!first) return failure(ENODATA, flags->path() + ": empty");
  kpageflags_ = std::move(flags);
  return outcome::success();
}

void PageKinds::look_at_new(std::span<PageState> pages) const {
  for (PageState& page : pages) {
    if (page.observed_ns == 0) look_at(page);
  }
}

void PageKinds::look_at_some(std::span<PageState> pages) {
  constexpr size_t kCalls = 12;
  const size_t count = (pages.size() + kCalls - 1) / kCalls;
  for (size_t i = 0; i < count; ++i) look_at(pages[next_++ % pages.size()]);
}

void PageKinds::look_at(PageState& page) const {
  page.kind = PageKind::kUnknown;
  if (!kpageflags_) return;
  const auto kind = find_page_kind(*kpageflags_, page.addr / page_bytes_);
  if (kind) page.kind = kind.value().value_or(PageKind::kUntracked);
}

}  // namespace damon_statfs
