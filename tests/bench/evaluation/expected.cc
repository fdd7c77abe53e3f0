// SPDX-License-Identifier: GPL-2.0-or-later
//
// The arithmetic of the truth. A pass goes from one end of a part to the other at an even pace, so
// that even a long pass tells for every moment how much of the part is idle for less than a limit.
#include "expected.h"

#include <algorithm>
#include <cstdlib>

namespace guest_test {
namespace {

constexpr int64_t kNsPerMs = 1'000'000;
constexpr double kNsPerSecond = 1e9;

// The part of the memory that a pass went over after a moment.
double fraction_after(const TouchPass& pass, int64_t from_ns) {
  if (pass.end_ns <= from_ns) return 0;
  if (pass.start_ns >= from_ns) return 1;
  return static_cast<double>(pass.end_ns - from_ns) /
         static_cast<double>(pass.end_ns - pass.start_ns);
}

// Of one part, as fractions of it.
ShareRange fraction_idle_below(const PartRecord& part, int64_t now_ns, int64_t limit_ms) {
  const int64_t from_ns = now_ns - limit_ms * kNsPerMs;
  const int64_t settled_ns = now_ns - kCheckPeriodNs;
  const double now = part.begun_ns != 0 ? 1 : fraction_after(part.last, from_ns);
  if (part.run_since_ns == 0 || part.run_since_ns > settled_ns) {
    return {std::min(now, fraction_after(part.before_run, from_ns)), now};
  }
  TouchPass known = part.last;
  if (part.period_ns == 0 && part.begun_ns == 0 && known.end_ns > settled_ns) {
    // A part that is no longer hot was last seen to be at least a check period ago.
    known = {settled_ns - (known.end_ns - known.start_ns), settled_ns};
  }
  return {std::min(now, fraction_after(known, from_ns)), now};
}

}  // namespace

ShareRange share_idle_below(const TouchState& state, const Monitored& monitored, int64_t now_ns,
                            int64_t limit_ms) {
  const int64_t missing_ns = limit_ms * kNsPerMs - (now_ns - monitored.since_ns);
  if (missing_ns > kCheckPeriodNs) return {100, 100};
  ShareRange share;
  for (const PartRecord& part : state.parts) {
    const ShareRange fraction = fraction_idle_below(part, now_ns, limit_ms);
    const double percent =
        100.0 * static_cast<double>(part.bytes) / static_cast<double>(monitored.bytes);
    share.low += percent * fraction.low;
    share.high += percent * fraction.high;
  }
  if (missing_ns > -kCheckPeriodNs) share.high = 100;
  return share;
}

double share_touched(const TouchState& state, const Monitored& monitored) {
  int64_t bytes = 0;
  for (const PartRecord& part : state.parts) {
    if (part.begun_ns != 0 || part.last.end_ns > monitored.since_ns) bytes += part.bytes;
  }
  return 100.0 * static_cast<double>(bytes) / static_cast<double>(monitored.bytes);
}

double bytes_per_second(const TouchState& before, const TouchState& after, int64_t elapsed_ns,
                        int64_t sample_us) {
  const double elapsed_s = static_cast<double>(elapsed_ns) / kNsPerSecond;
  double sum = static_cast<double>(after.once_bytes - before.once_bytes) / elapsed_s;
  for (size_t i = 0; i < after.parts.size(); ++i) {
    const PartRecord& part = after.parts[i];
    const int64_t earlier = i < before.parts.size() ? before.parts[i].passes : 0;
    if (part.passes <= earlier) continue;
    const double passes_per_s = static_cast<double>(part.passes - earlier) / elapsed_s;
    const double most_per_s = 1e6 / static_cast<double>(std::max<int64_t>(sample_us, 1));
    sum += static_cast<double>(part.bytes) * std::min(passes_per_s, most_per_s);
  }
  return sum;
}

double distance(double share, const ShareRange& range) {
  if (share < range.low) return share - range.low;
  return share > range.high ? share - range.high : 0;
}

}  // namespace guest_test
