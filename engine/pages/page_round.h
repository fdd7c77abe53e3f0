// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which pages of a sample are due in a round, and what their checks tell. Hot pages, and those that
// were accessed not long ago, are due in every round of all pages. Old ones, long idle, take turns;
// but as soon as some of those whose turn it is were accessed, all are due.
//
// Every eighth word of pages, at random, is of the sentinel subsample, which is due in the rounds
// in between, too (two-phase sampling): it tells when the other pages became hot or idle, and how
// often memory that is not hot is accessed.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/pages/round_page.h"

namespace damon_statfs {

class PageRound {
 public:
  // kSentinels: only sentinels are due. kLast: the values are refreshed after it.
  enum class Kind { kSentinels, kAll, kLast };

  // Which accesses end() counts. kUncovered: those that bandwidth checks do not tell of, to
  // sentinels and, if they come after a long rest, to all pages. kSentinels: all, to the same
  // pages. kAll: all, to all pages.
  enum class Counted { kUncovered, kSentinels, kAll };

  // The rule by which RoundPage::sentinel is set when a round begins. It is the same for all pages
  // of one word, because marking one of a folio's pages marks them all.
  static bool is_sentinel(const CheckedPage& page) {
    return (page.word() * 0x9e3779b97f4a7c15) >> 61 == 0;
  }

  // The sample, ascending by addr, outlives the object.
  explicit PageRound(std::vector<RoundPage>& sample) : sample_(sample) {}

  // To be called when the sample has other pages.
  void take_pages();

  // All pages, ascending by word().
  std::span<CheckedPage* const> pages() const { return pages_; }

  // From the next round on these accesses count, one per page and sampling interval at most.
  void count(Counted counted, int64_t sample_ns) {
    counted_ = counted;
    sample_ns_ = sample_ns;
  }

  // Begins a round. distance_ns: of the rounds in which not only sentinels are due, on average.
  // nothing_known: nothing can be said of the time before, so all pages are due.
  void begin(Kind kind, int64_t now_ns, int64_t distance_ns, bool nothing_known);

  // Returns: the pages that are due next, whole words, about max_pages; none: the round is over.
  std::span<CheckedPage* const> next_portion(size_t max_pages);

  // Takes in what the checks of `pages` have found at now_ns.
  void note_checks(std::span<CheckedPage* const> pages, int64_t now_ns);

  // Ends the round. Returns: how many accesses it has counted, per page of all memory. Memory that
  // is hot() all the time is told from all its pages, as well as ever, whatever is counted.
  double end();

  // Forgets the accesses to old pages that have been counted so far.
  void forget_accesses() { old_accessed_ = 0; }

  // Takes those for hot() that their last check has found accessed. The last round's end does so,
  // too.
  void take_hot();

  // Those that were hot at the end of the last round of kind kLast, in the order of pages().
  std::span<CheckedPage* const> hot() const { return hot_; }

 private:
  bool is_due(const RoundPage& page, int64_t distance_ns) const;
  void sort_pages();
  void add_old();
  void date_changes();
  void count_access(const RoundPage& before, const RoundPage& page);
  double weight(const RoundPage& before, const RoundPage& page) const;
  double accesses_per_page() const;

  std::vector<RoundPage>& sample_;
  std::vector<CheckedPage*> pages_;      // all of the sample, ascending by word()
  std::vector<CheckedPage*> sentinels_;  // of pages_, in their order
  std::vector<CheckedPage*> hot_;        // of pages_, in their order

  // Of this round, set by begin().
  Kind kind_ = Kind::kAll;
  int64_t began_ns_ = 0;           // Clock::now_ns()
  int64_t passed_ns_ = 0;          // since the round before began
  bool nothing_known_ = true;      // its checks say nothing of the time before
  bool all_ = false;               // all pages are due
  std::vector<CheckedPage*> due_;  // in the order of pages_; behind them, old pages added later
  size_t nr_taken_ = 0;            // pages of due_ that next_portion() has returned
  bool old_checked_ = false;       // whether any old page has been checked
  double accesses_ = 0;            // counted so far, of all pages
  double sentinel_accesses_ = 0;   // the same of sentinels, which stand for all pages

  // Over rounds.
  uint64_t round_ = 0;            // number of rounds begun, without those of kind kSentinels
  int64_t all_began_ns_ = 0;      // when the newest round began that is not of kind kSentinels
  int64_t watched_since_ns_ = 0;  // when the one before the newest round of kind kLast began
  uint64_t old_accessed_ = 0;     // old pages found accessed since a round in which all were due
  int64_t idle_until_ns_ = 0;     // until then old pages are taken to have been idle
  Counted counted_ = Counted::kUncovered;  // set by count()
  int64_t sample_ns_ = 1;                  // the sampling interval, set by count()
};

}  // namespace damon_statfs
