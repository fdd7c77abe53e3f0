// SPDX-License-Identifier: GPL-2.0-or-later
//
// A kdamond of ours whose regions are single pages. The kernel can neither split nor merge those,
// so the pages stay what they are, and each is checked once per sampling interval.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "damon_statfs/clock.h"
#include "damon_statfs/result.h"
#include "engine/base/kernel_files.h"
#include "engine/damon/aggregated_events.h"
#include "engine/damon/own_kdamond.h"
#include "engine/damon/region_snapshots.h"

namespace damon_statfs {

class PageKdamond {
 public:
  // index: which of the kdamonds of `own`. All but open_events outlive the object.
  PageKdamond(OwnKdamond& own, size_t index, const KernelFiles& files, OpenEvents open_events,
              uint64_t page_bytes)
      : own_(own),
        index_(index),
        files_(files),
        open_events_(std::move(open_events)),
        page_bytes_(page_bytes) {}

  // Stages these pages, whose addresses ascend and are no neighbours', while it is off. Returns: as
  // Kdamond::stage().
  Result<void> stage(std::span<const uint64_t> addrs, KdamondIntervals intervals);

  // Switches it on, with its events opened but not recorded. Precondition: staged. Returns: ENOTSUP
  // if the kernel refuses the pages.
  Result<void> turn_on();

  // Switches it off, and waits for the end. Precondition: on. Returns: as Kdamond::turn_off().
  Result<void> turn_off();

  // Puts other pages and intervals in force while it is on. What is known of pages that stay is
  // kept, since Linux 6.10. Returns: false if another program holds the interface just then.
  Result<bool> commit(std::span<const uint64_t> addrs, KdamondIntervals intervals);

  // Whether it is on. Returns: ESRCH if another program has stopped it. While another program holds
  // the interface it is taken to be on.
  Result<void> verify_on() const;

  // Whether it is as it was set up; of many pages a few are looked at in each call. Returns: EBUSY
  // if another program has changed what is staged.
  Result<void> verify_staged() const;

  // Records aggregations from now on, or no longer.
  Result<void> record();
  void rest() noexcept;
  bool recording() const { return events_ && events_->recording(); }

  // Returns: the newest aggregation that was recorded since the last call, if any. Its regions are
  // the pages. ENOTSUP if the kernel has made larger ones of them.
  Result<std::optional<RegionSnapshot>> poll();

  // Whether its thread has ended.
  bool has_ended() const { return events_ && events_->ended(); }

  bool is_on() const { return own_.pid(index_) > 0; }
  pid_t pid() const { return own_.pid(index_); }
  size_t nr_pages() const { return setup_.ranges.size(); }
  KdamondIntervals intervals() const { return {setup_.attrs.sample_us, setup_.attrs.aggr_us}; }
  uint64_t dropped() const { return dropped_before_ + (events_ ? events_->dropped() : 0); }

  // CPU time of its threads, as far as they were asked for it.
  int64_t cpu_ns() const { return ended_cpu_ns_ + thread_cpu_ns_; }
  void ask_cpu_time();

  // Lets go of its events. For the time before the kdamonds are stopped all together.
  void forget_events();

 private:
  KdamondSetup make_setup(std::span<const uint64_t> addrs, KdamondIntervals intervals) const;

  OwnKdamond& own_;
  const size_t index_;
  const KernelFiles& files_;
  const OpenEvents open_events_;
  const uint64_t page_bytes_;

  KdamondSetup setup_;  // staged, and in force while it is on
  std::unique_ptr<RegionSnapshots> events_;
  uint64_t dropped_before_ = 0;
  int64_t ended_cpu_ns_ = 0;   // of threads that have ended
  int64_t thread_cpu_ns_ = 0;  // of the one that is on
};

}  // namespace damon_statfs
