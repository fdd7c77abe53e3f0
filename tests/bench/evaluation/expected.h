// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a reading taken at one moment should say, from the workload's record. A share is a range: a
// pass that is under way, or has ended less than a check period ago, may count either way.
#pragma once

#include <cstddef>
#include <cstdint>

#include "touch_record.h"

namespace guest_test {

// Percent of the monitored memory.
struct ShareRange {
  double low = 0;
  double high = 0;
};

// The monitored memory, and since when it is. No reader knows of anything before that, so
// everything has been idle since then at most.
struct Monitored {
  int64_t bytes = 0;
  int64_t since_ns = 0;
};

ShareRange share_idle_below(const TouchState& state, const Monitored& monitored, int64_t now_ns,
                            int64_t limit_ms);

// Percent of memory that was touched since monitoring began.
double share_touched(const TouchState& state, const Monitored& monitored);

// Distinct memory touched within one sampling interval, per second, as the mean of the time between
// two states. A part that is passed over more often than once an interval counts once.
double bytes_per_second(const TouchState& before, const TouchState& after, int64_t elapsed_ns,
                        int64_t sample_us);

// How far a share is outside of a range, with its sign.
double distance(double share, const ShareRange& range);

}  // namespace guest_test
