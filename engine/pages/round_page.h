// SPDX-License-Identifier: GPL-2.0-or-later
//
// A page that is checked in rounds, and what its checks tell of its past.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "damon_statfs/observed_pages.h"
#include "damon_statfs/page_checks.h"

namespace damon_statfs {

struct RoundPage : CheckedPage, PageHistory {
  uint64_t addr_word = 0;   // word of the page_idle bitmap that its own page frame is in
  bool hot = false;         // accessed in the last period before the last refresh
  bool stayed_hot = false;  // the same, and in that before the refresh before

  // Set by PageRound when a round begins, and the same until it ends.
  uint64_t round_word = 0;  // its word()
  bool sentinel = false;    // whether it is of the sentinel subsample

  // Takes in what a check at now_ns has left in `access`. An access is taken to have happened in
  // the middle of the time that the check tells about: half of all will have been earlier.
  void note_check(int64_t now_ns);

  // The same for a check after which nothing can be said of the time before.
  void note_mark(int64_t now_ns) { observed_ns = now_ns; }

  // Takes in that it was idle until then_ns, whatever the last check has found.
  void note_idle(int64_t then_ns);
};

// Makes `pages` those of `selected`, which ascend by addr. One that is there already stays as it
// is; a new one has the past that is taken to be its own. page_bytes: the page size.
void select_pages(std::vector<RoundPage>& pages, std::span<const PageState> selected,
                  uint64_t page_bytes);

}  // namespace damon_statfs
