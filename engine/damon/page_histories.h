// SPDX-License-Identifier: GPL-2.0-or-later
//
// The pasts of pages that a kdamond checks once per period: it tells of each page whether it was
// accessed in the last period, and for how many periods that has been so.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "damon_statfs/observed_pages.h"
#include "engine/damon/nominal_time.h"
#include "engine/damon/region_snapshots.h"

namespace damon_statfs {

class PageHistories {
 public:
  // The kdamond is switched on at now_ns, and a period of it is nominally period_ns.
  PageHistories(int64_t now_ns, int64_t period_ns);

  // It was switched on only at now_ns, and nothing is known of the time before.
  void start(int64_t now_ns);

  // Goes on with these pages, ascending by addr, at now_ns. One that is there already keeps what is
  // known of it.
  void select(std::span<const PageState> pages, int64_t now_ns);

  // A period is nominally so long from now on.
  void set_period(int64_t period_ns);

  // From from_ns to to_ns others may have taken the kdamond's marks of pages in use, so that these
  // seem to have been idle for a moment.
  void note_disturbance(int64_t from_ns, int64_t to_ns);

  // Takes in an aggregation, later than the one before. Pages that it does not tell of stay as they
  // are.
  void take(const RegionSnapshot& snapshot);

  // How much of the sample was accessed lately, by the last aggregation. In use: in each of the
  // last kRecentPeriods, or in all since the start if that is less. Now and then: in some of them.
  static constexpr uint32_t kRecentPeriods = 5;
  size_t nr_now_and_then() const { return nr_now_and_then_; }
  std::span<const uint64_t> in_use() const { return in_use_; }  // addresses, ascending

  std::span<PageState> pages() { return pages_; }
  std::span<const PageState> pages() const { return pages_; }

  // When the last aggregation ended, or the kdamond was switched on.
  int64_t ended_ns() const { return ended_ns_; }

  // Real time that a period has taken of late.
  int64_t real_period_ns() const;

 private:
  // What the last aggregation has told of a page.
  struct Told {
    bool known = false;
    bool accessed = false;
    uint32_t age = 0;
  };

  uint64_t periods_passed(const RegionSnapshot& snapshot) const;
  void note_reset(const RegionSnapshot& snapshot);
  void take_page(PageState& page, Told& told, const Region& region);
  bool has_lasted(const PageState& page, const Told& told, int64_t began_ns) const;
  void count(const PageState& page, const Region& region, bool known);
  int64_t before_ns(double periods) const;

  int64_t period_ns_;
  NominalTime time_;
  int64_t ended_ns_;
  double real_per_nominal_ = 1;
  uint64_t nr_periods_ = 0;     // since the start, saturating at kRecentPeriods
  int64_t selected_ns_;         // when pages were last selected
  bool selected_anew_ = false;  // since the last aggregation
  int64_t reset_ns_;            // when the kdamond last forgot what it knew
  int64_t disturbed_from_ns_ = 0, disturbed_to_ns_ = 0;

  std::vector<PageState> pages_;
  std::vector<Told> told_;  // of each of them
  size_t nr_now_and_then_ = 0;
  std::vector<uint64_t> in_use_;
};

}  // namespace damon_statfs
