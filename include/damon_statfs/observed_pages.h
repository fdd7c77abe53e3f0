// SPDX-License-Identifier: GPL-2.0-or-later
//
// Pages that are observed, whether they are asked in rounds of checks or a source tells of them by
// itself. The estimator of pages says which ones, and is told the state of each.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "damon_statfs/operations.h"
#include "damon_statfs/page_kind.h"
#include "damon_statfs/run_settings.h"

namespace damon_statfs {

// What observations tell of a page's past. Times are Clock::now_ns().
struct PageHistory {
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::min();

  bool accessed = false;            // whether the latest observation has found an access
  int64_t since_ns = 0;             // since when it has been accessed, or idle
  int64_t last_access_ns = kNever;  // of those that were observed
  int64_t observed_ns = 0;          // until when it was observed; 0: not yet

  // How long it has been idle; negative: accessed.
  int64_t idle_ns(int64_t now_ns) const {
    return accessed ? -(now_ns - since_ns) : now_ns - since_ns;
  }
};

// The state of one page.
struct PageState : PageHistory {
  uint64_t addr = 0;                     // of its first byte, physical
  PageKind kind = PageKind::kUntracked;  // may be a minute old while no access is found

  bool tracked() const { return kind != PageKind::kUntracked; }
};

// How often memory is accessed, as DAMON counts: a page once per sampling interval at most.
struct AccessRate {
  double per_page_s = 0;   // accesses per page of all memory and second
  uint64_t sample_us = 0;  // the sampling interval that they were counted with
  uint64_t aggr_us = 0;    // the aggregation interval that goes with it
};

// What a sample has to be like for its source.
struct SampleShape {
  uint64_t pages_per_word = 4;  // of 64 pages, as far apart as they can be
  // How many words: all if memory is used in small pieces, half if it is used in large ones, and
  // what max_cpu allows.
  uint64_t min_words = 500, max_words = 1'000;
  bool apart = false;  // whether no two pages may be neighbours
};

// Observation begins with the first select() after open(), and goes on until close().
class ObservedPages : public Operations {
 public:
  enum class Progress {
    kNone,     // there is more to do, at deadline_ns()
    kRound,    // the states are as new as they get for about a second
    kRefresh,  // the same, and the values of the files are due
  };

  // Observes these pages from now on, ascending by addr, and no others. What is known of a page
  // that was observed already is kept; of a new one its state is taken to be so until an
  // observation says otherwise. Precondition: no step() since open(), or the last one returned
  // kRound or kRefresh. Returns: why the source cannot go on.
  virtual Result<void> select(std::span<const PageState> pages) = 0;

  virtual SampleShape sample_shape() const { return {}; }

  // The states of the selected pages, ascending by addr.
  virtual std::vector<PageState> states() const = 0;

  // When step() is due (Clock::now_ns()).
  virtual int64_t deadline_ns() const = 0;

  // Does what is due. Returns: why observation cannot go on.
  virtual Result<Progress> step() = 0;

  // Goes on with these settings. What is known of pages is kept.
  virtual void change(const RunSettings& settings) = 0;

  // Whether the access rate is to be told from as few checks as possible.
  virtual void spare_checks(bool few) = 0;

  // Returns: the rate on average since the last call; 0 accesses without any observation since.
  virtual AccessRate take_access_rate() = 0;

  // Nominal time between two rounds.
  virtual int64_t period_ns() const = 0;

  // Checks of single pages since open().
  virtual uint64_t nr_checks() const = 0;
};

}  // namespace damon_statfs
