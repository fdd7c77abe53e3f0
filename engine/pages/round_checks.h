// SPDX-License-Identifier: GPL-2.0-or-later
//
// Checks and marks of pages as their source wants them: in the order of the bitmap's words, and
// only where they can tell something.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "damon_statfs/page_checks.h"
#include "damon_statfs/result.h"

namespace damon_statfs {

class RoundChecks {
 public:
  // The source outlives the object.
  explicit RoundChecks(PageChecks& source) : source_(source) {}

  // Checks those of the pages of which a check can tell something. Returns: these, ascending by
  // word() as it was before.
  Result<std::vector<CheckedPage*>> check(std::span<CheckedPage* const> pages);

  // Marks those of the pages that are tracked and not marked. sentinels_only: only RoundPages of
  // the sentinel subsample.
  Result<void> mark(std::span<CheckedPage* const> pages, bool sentinels_only);

  // Checks of single pages so far.
  uint64_t nr_checks() const { return nr_checks_; }

 private:
  PageChecks& source_;
  uint64_t nr_checks_ = 0;
};

}  // namespace damon_statfs
