// SPDX-License-Identifier: GPL-2.0-or-later
//
// A list of moments, between which time is taken to have passed evenly. When it gets long, every
// second of the older half goes: the past needs no detail.
#include "engine/damon/nominal_time.h"

#include <algorithm>

#include "engine/base/wide.h"

namespace damon_statfs {

void NominalTime::advance(int64_t now_ns, double real_per_nominal) {
  constexpr size_t kMaxPoints = 1024;
  const Point last = points_.back();
  if (now_ns <= last.real_ns) return;
  const int64_t nominal_ns =
      to_ns_saturated(static_cast<double>(now_ns - last.real_ns) / real_per_nominal);
  points_.push_back({now_ns, last.nominal_ns + nominal_ns});
  if (points_.size() < kMaxPoints) return;
  size_t kept = 1;
  for (size_t i = 2; i < points_.size(); i += i < kMaxPoints / 2 ? 2 : 1) {
    points_[kept++] = points_[i];
  }
  points_.resize(kept);
}

int64_t NominalTime::before_now_ns(int64_t nominal_ns) const {
  const int64_t wanted_ns = points_.back().nominal_ns - nominal_ns;
  if (wanted_ns <= 0) return points_.front().real_ns;
  // The first point that is not before it; there is one, and one before that.
  const auto after = std::lower_bound(
      points_.begin(), points_.end(), wanted_ns,
      [](const Point& point, int64_t nominal) { return point.nominal_ns < nominal; });
  const auto before = after - 1;
  const double share = static_cast<double>(wanted_ns - before->nominal_ns) /
                       static_cast<double>(after->nominal_ns - before->nominal_ns);
  return before->real_ns +
         to_ns_saturated(share * static_cast<double>(after->real_ns - before->real_ns));
}

}  // namespace damon_statfs
