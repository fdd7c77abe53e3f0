// SPDX-License-Identifier: GPL-2.0-or-later
//
// One kdamond of ours in DAMON's sysfs interface. The interface has no owners, so everything here
// first makes sure that what it touches is still ours.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "damon_statfs/clock.h"
#include "damon_statfs/region.h"
#include "damon_statfs/result.h"
#include "engine/base/kernel_files.h"
#include "engine/damon/kdamond_setup.h"

namespace damon_statfs {

class Kdamond {
 public:
  // mark: a number that no other program would choose. It is kept in update_us, which means nothing
  // for physical memory, and tells our set-up from one that another program has put in its place.
  // index: the kdamond's directory. nr_ours: how many kdamonds are made together with it, itself
  // included. Both objects outlive this one.
  Kdamond(const KernelFiles& files, const Clock& clock, uint64_t mark, int index, size_t nr_ours)
      : files_(files), clock_(clock), mark_(mark), index_(index), nr_ours_(nr_ours) {}

  // Makes a context that carries our mark. Precondition: the kdamond was just made. Returns: EBUSY
  // if another program has come in between.
  Result<void> make_context();

  // Removes the context. Precondition: off and ours. Returns: EBUSY if another program holds the
  // interface just then.
  Result<void> remove_context() const;

  // Sets it up, off. Precondition: made. Returns: EBUSY if another program has come in between,
  // ENODEV if the kernel cannot monitor physical memory.
  Result<void> stage(const KdamondSetup& setup);

  // Switches it on. Returns: the pid of its thread. Precondition: staged.
  Result<pid_t> turn_on();

  // Switches it off if its thread is `pid`, or whatever it is if that is -1, and waits for the end,
  // for limit_ns at most. Returns: EBUSY if another program has held the interface all the time.
  Result<void> turn_off(pid_t pid, int64_t limit_ns);

  // Whether its thread is `pid`. EBUSY: not known now.
  Result<bool> is_pid(pid_t pid) const;

  // Whether it is on. EBUSY: not known now.
  Result<bool> is_on() const;

  // Whether it was switched on and not, as far as is known, off again.
  bool may_be_on() const { return may_be_on_; }

  // Whether what is staged carries our mark. An error: not known.
  Result<bool> is_marked() const;

  // Whether nothing is staged, as just after making the kdamonds. An error: not known.
  Result<bool> is_untouched() const;

  // Returns: EBUSY naming the file that is not as we have set it up. Of many ranges the next few
  // are looked at in each call.
  Result<void> verify(const KdamondSetup& setup) const;

  // Whether the kernel tunes the intervals (since 6.15). An error: not known.
  Result<bool> tunes_intervals() const;

  // Returns: the intervals as the kernel's tuning has them now. Takes up to one sampling interval.
  Result<KdamondIntervals> tuned_intervals();

  // Puts the attributes and ranges of `setup` in force while on; if that fails, `in_force` is
  // staged again. Returns: what is in force now, with the intervals as the kernel has tuned them.
  // Precondition: verify(in_force).
  Result<KdamondSetup> commit(const KdamondSetup& in_force, const KdamondSetup& setup);

  // Returns: the regions of the scheme of KdamondSetup::stat_scheme, ascending; they may be
  // incomplete. Takes up to one sampling interval.
  Result<std::vector<Region>> tried_regions();

 private:
  std::string path(std::string_view file) const;
  Result<bool> is_default(uint64_t update_us) const;
  Result<void> refuse_staged(uint64_t update_us) const;
  Result<void> refuse_foreign() const;
  Result<void> set_values(const std::vector<StagedValue>& values);
  Result<void> set_ranges(const std::vector<AddressRange>& ranges);
  Result<void> put(const KdamondSetup& setup);
  Result<void> verify_text(const std::string& file, const std::string& text, bool optional) const;
  Result<void> command(const std::string& word);

  const KernelFiles& files_;
  const Clock& clock_;
  const uint64_t mark_;
  const int index_;
  const size_t nr_ours_;
  bool may_be_on_ = false;
  bool mark_counts_ = true;   // false: it has gone into what another program has set up
  bool half_staged_ = false;  // neither could be staged whole
  std::vector<AddressRange> staged_ranges_;  // as last written; none: not known
  mutable size_t next_verified_ = 0;         // of them
};

}  // namespace damon_statfs
