// SPDX-License-Identifier: GPL-2.0-or-later
//
// Marks and looks at single pages through page_idle, for estimator=pages. A look at a word of the
// bitmap costs about as much as all else together, so every word is read once for all its pages.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <functional>
#include <span>
#include <utility>

#include "damon_statfs/operations.h"
#include "engine/base/word_file.h"

namespace damon_statfs {

class PageIdleChecks {
 public:
  // Told of each page frame for which a kernel file gave no usable answer.
  using DropSample = std::function<void(const WordFile& file, uint64_t pfn)>;

  // The files outlive the object. A page's handle is the page frame number of its folio's head.
  PageIdleChecks(const WordFile& bitmap, const WordFile& kpageflags, const Clock& clock,
                 DropSample drop_sample)
      : bitmap_(bitmap),
        kpageflags_(kpageflags),
        clock_(clock),
        drop_sample_(std::move(drop_sample)) {}

  // As Operations::check_pages() and mark_pages().
  Result<void> check(std::span<SampledPage* const> pages) {
    return for_each_group(&PageIdleChecks::check_group, pages);
  }
  Result<void> mark(std::span<SampledPage* const> pages) {
    return for_each_group(&PageIdleChecks::mark_group, pages);
  }

 private:
  using GroupFunction = Result<void> (PageIdleChecks::*)(std::span<SampledPage* const>);

  Result<void> for_each_group(GroupFunction function, std::span<SampledPage* const> pages);
  Result<void> check_group(std::span<SampledPage* const> pages);
  Result<void> mark_group(std::span<SampledPage* const> pages);
  Result<void> look_closer(std::span<SampledPage* const> before, bool idle, SampledPage& page);
  Result<void> look_without_bit(SampledPage& page);
  Result<void> look_without_mark(SampledPage& page);
  Result<bool> is_still(const SampledPage& page, bool idle);

  const WordFile& bitmap_;
  const WordFile& kpageflags_;
  const Clock& clock_;
  const uint64_t page_bytes_ = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  const DropSample drop_sample_;
};

}  // namespace damon_statfs
