// SPDX-License-Identifier: GPL-2.0-or-later
//
// Marks and checks single pages through page_idle: the rules for what is an access. Reading a word
// of the bitmap costs about as much as all else together, so each is read once for all its pages.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <utility>

#include "damon_statfs/clock.h"
#include "damon_statfs/page_checks.h"
#include "engine/base/folio.h"
#include "engine/base/word_file.h"

namespace damon_statfs {

class PageIdleChecks {
 public:
  // Told of each page frame for which a kernel file gave no usable answer.
  using DropSample = std::function<void(const WordFile& file, uint64_t pfn)>;

  // The files and the clock outlive the object.
  PageIdleChecks(const WordFile& bitmap, const WordFile& kpageflags, const Clock& clock,
                 DropSample drop_sample)
      : bitmap_(bitmap),
        kpageflags_(kpageflags),
        clock_(clock),
        drop_sample_(std::move(drop_sample)) {}

  // As PageChecks::check_pages() and mark_pages().
  Result<void> check(std::span<CheckedPage* const> pages) {
    return for_each_word(&PageIdleChecks::check_word, pages);
  }
  Result<void> mark(std::span<CheckedPage* const> pages) {
    return for_each_word(&PageIdleChecks::mark_word, pages);
  }

 private:
  using WordFunction = Result<void> (PageIdleChecks::*)(std::span<CheckedPage* const>);

  Result<void> for_each_word(WordFunction function, std::span<CheckedPage* const> pages);
  Result<void> check_word(std::span<CheckedPage* const> pages);
  Result<void> mark_word(std::span<CheckedPage* const> pages);
  Result<void> check_folio(std::span<CheckedPage* const> before, bool idle, CheckedPage& page);
  Result<void> check_without_bit(CheckedPage& page);
  Result<void> check_without_mark(CheckedPage& page);
  Result<std::optional<Folio>> find_anew(CheckedPage& page);
  Result<bool> is_still(CheckedPage& page, bool idle);
  void take_kind(CheckedPage& page, uint64_t head_flags) const;
  Result<void> look_if_due(CheckedPage& page) const;

  const WordFile& bitmap_;
  const WordFile& kpageflags_;
  const Clock& clock_;
  const uint64_t page_bytes_ = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  const DropSample drop_sample_;
};

}  // namespace damon_statfs
