// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which pages of a sample are due in a round, and what looks at them tell. Pages that are in use,
// or were so not long ago, are due in every round. Old ones, long idle, take turns; but as soon as
// some of those whose turn it is were accessed, all are due.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/page_sample.h"

namespace damon_statfs {

class PageRound {
 public:
  // The sample outlives the object.
  explicit PageRound(PageSample& sample) : sample_(sample) {}

  // To be called when the sample has been fitted: it has other pages.
  void take_sample();

  // All pages, ascending by group.
  std::span<SampledPage* const> pages() const { return pages_; }

  // Begins a round. distance_ns: of the rounds, on average. nothing_known: nothing can be said of
  // the time before, so all pages are due.
  void begin(int64_t now_ns, int64_t distance_ns, bool nothing_known);

  // Returns: the pages that are due next, whole groups, about max_pages; none: the round is over.
  std::span<SampledPage* const> next_portion(size_t max_pages);

  // Takes in what looks at `pages` have found at now_ns.
  void note_looks(std::span<SampledPage* const> pages, int64_t now_ns);

  // Ends the round. Returns: the share of all pages that came into use in it, per second.
  double end();

  // Forgets the accesses to old pages that have been counted so far.
  void forget_accesses() { old_accessed_ = 0; }

  // Those that their last look found accessed, in the order of pages().
  std::vector<SampledPage*> used() const;

  // Of all pages, the share of those in use, or in use within the last `ns`.
  double share_used_within(int64_t ns, int64_t now_ns) const;

 private:
  bool is_due(const PageHistory& page, int64_t distance_ns) const;
  void add_old();

  PageSample& sample_;
  std::vector<SampledPage*> pages_;
  std::vector<SampledPage*> due_;  // of this round, in that order; then those added
  size_t nr_taken_ = 0;            // of them
  uint64_t round_ = 0;
  int64_t began_ns_ = 0;
  bool nothing_known_ = true;
  bool all_ = false;            // all pages are due
  uint64_t old_accessed_ = 0;   // old pages found accessed
  int64_t idle_until_ns_ = 0;   // until then old pages are taken to have been idle
  double new_share_per_s_ = 0;  // in this round
};

}  // namespace damon_statfs
