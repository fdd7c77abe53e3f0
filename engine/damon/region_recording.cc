// SPDX-License-Identifier: GPL-2.0-or-later
//
// An aggregation is complete only if all of it was recorded, and its length is known only if the
// end of the one before was, too; so recording takes up to two aggregations.
#include "engine/damon/region_recording.h"

#include <algorithm>

#include "damon_statfs/clock.h"
#include "engine/base/wide.h"

namespace damon_statfs {
namespace {

constexpr int64_t kMinPauseNs = 10 * kNsPerMs;
constexpr int64_t kFirstPauseNs = 50 * kNsPerMs;  // half of DAMON's default aggregation
constexpr int64_t kMaxPauseNs = kNsPerSecond;

}  // namespace

int64_t RegionRecording::pause_ns(int64_t window_ns) {
  return window_ns == 0 ? kFirstPauseNs : std::clamp(window_ns / 2, kMinPauseNs, kMaxPauseNs);
}

Result<bool> RegionRecording::begin(int64_t now_ns, int64_t first_pause_ns) {
  if (recording()) return false;
  BOOST_OUTCOME_TRYV(snapshots_.begin());
  pause_ns_ = first_pause_ns;
  due_ns_ = now_ns + first_pause_ns;
  return true;
}

std::optional<RegionSnapshot> RegionRecording::poll(int64_t now_ns, int64_t window_ns) {
  std::optional<RegionSnapshot> snapshot = snapshots_.poll();
  if (window_ns != 0 || snapshot) {
    pause_ns_ = pause_ns(snapshot ? snapshot->window_ns : window_ns);
  } else {
    pause_ns_ = std::min(2 * pause_ns_, kMaxPauseNs);
  }
  due_ns_ = now_ns + pause_ns_;
  return snapshot;
}

void RegionRecording::rest_until(int64_t begin_ns, int64_t now_ns, int64_t window_ns) {
  if (begin_ns - now_ns > times_ns(2, window_ns)) end();
}

int64_t next_refresh_ns(uint64_t refresh_ms, int64_t now_ns) {
  constexpr int64_t kMarginNs = 20 * kNsPerMs;
  return now_ns + static_cast<int64_t>(refresh_ms) * kNsPerMs + kMarginNs;
}

}  // namespace damon_statfs
