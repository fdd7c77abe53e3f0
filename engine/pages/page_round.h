// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which pages of a sample are due in a round, and what looks at them tell. Pages that are in use,
// or were so not long ago, are due in every round of all pages. Old ones, long idle, take turns;
// but as soon as some of those whose turn it is were accessed, all are due.
//
// Every eighth group of pages, at random, are scouts, which are due in the rounds in between, too.
// They tell when the others came into or out of use, and how often what is not in use is accessed.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/pages/page_sample.h"

namespace damon_statfs {

class PageRound {
 public:
  // kScouts: only scouts are due. kLast: the values are refreshed after it.
  enum class Kind { kScouts, kAll, kLast };

  // Which accesses end() counts. kUntried: those to scouts that trials do not tell of. kScouts: all
  // to scouts. kAll: all.
  enum class Counted { kUntried, kScouts, kAll };

  // The rule by which PageHistory::scout is set when a round begins. It is the same for all pages
  // of one group, because marking one of a folio's pages marks them all.
  static bool is_scout(const CheckedPage& page) {
    return (page.word() * 0x9e3779b97f4a7c15) >> 61 == 0;
  }

  // The sample outlives the object.
  explicit PageRound(PageSample& sample) : sample_(sample) {}

  // To be called when the sample has been fitted: it has other pages.
  void take_sample();

  // All pages, ascending by group.
  std::span<CheckedPage* const> pages() const { return pages_; }

  // From the next round on these accesses count, one per page and sampling interval at most.
  void count(Counted counted, int64_t sample_ns) {
    counted_ = counted;
    sample_ns_ = sample_ns;
  }

  // Begins a round. distance_ns: of the rounds in which not only scouts are due, on average.
  // nothing_known: nothing can be said of the time before, so all pages are due.
  void begin(Kind kind, int64_t now_ns, int64_t distance_ns, bool nothing_known);

  // Returns: the pages that are due next, whole groups, about max_pages; none: the round is over.
  std::span<CheckedPage* const> next_portion(size_t max_pages);

  // Takes in what looks at `pages` have found at now_ns.
  void note_looks(std::span<CheckedPage* const> pages, int64_t now_ns);

  // Ends the round. Returns: how many accesses it has counted, per page of all memory. Memory that
  // is used() all the time is told from all its pages, as well as ever, whatever is counted.
  double end();

  // Forgets the accesses to old pages that have been counted so far.
  void forget_accesses() { old_accessed_ = 0; }

  // Takes those for used() that their last look found accessed. The last round's end does so, too.
  void take_used();

  // Those in use at the end of the last round of kind kLast, in the order of pages().
  std::span<CheckedPage* const> used() const { return used_; }

 private:
  bool is_due(const PageHistory& page, int64_t distance_ns) const;
  void sort_pages();
  void add_old();
  void date_changes();
  double weight(const PageHistory& before, const PageHistory& page) const;
  double accesses_per_page() const;

  PageSample& sample_;
  std::vector<CheckedPage*> pages_;
  std::vector<CheckedPage*> scouts_, used_;  // of them, in that order
  std::vector<CheckedPage*> due_;            // of this round, in that order; then those added
  size_t nr_taken_ = 0;                      // of them
  Kind kind_ = Kind::kAll;
  uint64_t round_ = 0;  // those of scouts do not count
  int64_t began_ns_ = 0;
  int64_t all_began_ns_ = 0;      // the latest round of other kinds than kScouts
  int64_t watched_since_ns_ = 0;  // the one before the latest of kind kLast
  bool nothing_known_ = true;
  bool all_ = false;            // all pages are due
  uint64_t old_accessed_ = 0;   // old pages found accessed
  bool old_looked_at_ = false;  // in this round, any old page
  int64_t idle_until_ns_ = 0;   // until then old pages are taken to have been idle
  Counted counted_ = Counted::kUntried;
  int64_t sample_ns_ = 1;
  int64_t passed_ns_ = 0;  // between the beginnings of the last round and this one
  double accesses_ = 0;    // counted in this round
};

}  // namespace damon_statfs
