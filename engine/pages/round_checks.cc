// SPDX-License-Identifier: GPL-2.0-or-later
//
// Any check since the pages were in order may have found some to be part of other folios. Few do,
// and sorting costs more than to see that.
#include "engine/pages/round_checks.h"

#include <algorithm>
#include <iterator>

#include "engine/pages/round_page.h"

namespace damon_statfs {
namespace {

// Those of the pages that `wanted` says, ascending by word().
template <class Wanted>
std::vector<CheckedPage*> sorted_where(std::span<CheckedPage* const> pages, const Wanted& wanted) {
  std::vector<CheckedPage*> sorted;
  std::copy_if(pages.begin(), pages.end(), std::back_inserter(sorted), wanted);
  const auto ascending = [](const CheckedPage* a, const CheckedPage* b) {
    return a->word() < b->word();
  };
  if (!std::is_sorted(sorted.begin(), sorted.end(), ascending)) {
    std::stable_sort(sorted.begin(), sorted.end(), ascending);
  }
  return sorted;
}

}  // namespace

Result<std::vector<CheckedPage*>> RoundChecks::check(std::span<CheckedPage* const> pages) {
  std::vector<CheckedPage*> checked =
      sorted_where(pages, [](const CheckedPage* page) { return page->worth_a_check(); });
  BOOST_OUTCOME_TRYV(source_.check_pages(checked));
  nr_checks_ += checked.size();
  return checked;
}

Result<void> RoundChecks::mark(std::span<CheckedPage* const> pages, bool sentinels_only) {
  return source_.mark_pages(sorted_where(pages, [&](const CheckedPage* page) {
    const bool chosen = !sentinels_only || static_cast<const RoundPage*>(page)->sentinel;
    return page->tracked() && !page->marked && chosen;
  }));
}

}  // namespace damon_statfs
