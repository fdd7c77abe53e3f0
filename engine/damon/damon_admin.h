// SPDX-License-Identifier: GPL-2.0-or-later
//
// One kdamond of ours in DAMON's sysfs interface, /sys/kernel/mm/damon/admin. The interface has no
// owners, so everything here first makes sure that what it touches is still ours. Kernel
// documentation: Documentation/admin-guide/mm/damon/usage.rst.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "damon_statfs/attrs.h"
#include "damon_statfs/clock.h"
#include "damon_statfs/region.h"
#include "damon_statfs/result.h"
#include "engine/base/kernel_files.h"

namespace damon_statfs {

// What our kdamond is set up for.
struct KdamondSetup {
  MonitoringAttrs attrs;
  std::vector<AddressRange> ranges;  // ascending, apart, multiples of the page size
  bool stat_scheme = false;          // whether regions are read through tried_regions/
  uint64_t apply_interval_us = 0;    // of that scheme
};

// The intervals in force, as the kernel's tuning left them.
struct KdamondIntervals {
  uint64_t sample_us = 0;
  uint64_t aggr_us = 0;
  bool operator==(const KdamondIntervals&) const = default;
};

class DamonAdmin {
 public:
  static constexpr const char* kKdamonds = "/sys/kernel/mm/damon/admin/kdamonds";

  // mark: a number that nobody else would choose. It is kept in update_us, which means nothing for
  // physical memory, and tells our set-up from one that somebody else has put in its place.
  DamonAdmin(const KernelFiles& files, const Clock& clock, uint64_t mark)
      : files_(files), clock_(clock), mark_(mark) {}

  // Returns: how many kdamonds are set up, by anybody; ENODEV without the interface.
  static Result<uint64_t> nr_kdamonds(const KernelFiles& files);

  // Returns: the update_us of kdamond 0, if it is such as our marks are: a daemon of ours may have
  // set it up, of which there is no record.
  static std::optional<uint64_t> likely_mark(const KernelFiles& files);

  // Makes kdamond 0 with a context that carries our mark. Returns: EBUSY if there are kdamonds.
  Result<void> make();

  // Sets it up, off. Precondition: made. Returns: EBUSY if somebody else has come in between,
  // ENODEV if the kernel cannot monitor physical memory.
  Result<void> stage(const KdamondSetup& setup);

  // Switches it on. Returns: the pid of its thread. Precondition: staged.
  Result<pid_t> turn_on();

  // Switches it off if its thread is `pid`, or whatever it is if that is -1, and waits for the end,
  // for limit_ns at most. Returns: EBUSY if somebody has held the interface all the time.
  Result<void> turn_off(pid_t pid, int64_t limit_ns);

  // Gives its directory back. Precondition: off, and marked or made by us and untouched since.
  Result<void> release();

  // Whether the thread of kdamond 0 is `pid`. EBUSY: not known now.
  Result<bool> is_pid(pid_t pid) const;

  // Whether kdamond 0 is on. EBUSY: not known now.
  Result<bool> is_on() const;

  // Whether what is staged carries our mark. An error: not known.
  Result<bool> is_marked() const;

  // Whether make() has made a kdamond, though perhaps without a mark.
  bool made() const { return made_; }

  // Whether it was switched on and not, as far as is known, off again.
  bool may_be_on() const { return may_be_on_; }

  // Whether nothing is staged, as just after making the kdamonds. An error: not known.
  Result<bool> is_untouched() const;

  // Returns: EBUSY naming the file that is not as we have set it up.
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
  struct Value {
    std::string file;  // below the context's directory
    std::string text;
    bool optional = false;  // whether the kernel may be without it
  };

  static void add_attributes(const MonitoringAttrs& attrs, std::vector<Value>& values);
  static void add_ranges(const std::vector<AddressRange>& ranges, std::vector<Value>& values);
  static void add_scheme(uint64_t apply_interval_us, std::vector<Value>& values);
  static std::vector<Value> values(const KdamondSetup& setup);
  Result<void> make_context();
  Result<bool> is_default(uint64_t update_us) const;
  Result<void> refuse_staged(uint64_t update_us) const;

  // Writes unless refuse() fails, which is asked again at each try: EBUSY means that somebody else
  // is at work. Returns: what refuse() or the write has said.
  Result<void> write_unless(const std::function<Result<void>()>& refuse, const std::string& path,
                            const std::string& text);
  Result<void> set_values(const std::vector<Value>& values);
  Result<void> refuse_foreign() const;
  void let_commands_end() const;
  Result<void> command(const std::string& word);

  const KernelFiles& files_;
  const Clock& clock_;
  const uint64_t mark_;
  bool made_ = false;
  bool may_be_on_ = false;
  bool mark_counts_ = true;   // false: it has gone into what somebody else has set up
  bool half_staged_ = false;  // neither could be staged whole
};

}  // namespace damon_statfs
