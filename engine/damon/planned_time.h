// SPDX-License-Identifier: GPL-2.0-or-later
//
// A kdamond counts sampling intervals and not time, so its ages fall behind whenever a tick takes
// longer than planned. This knows how much real time its planned time has been.
#pragma once

#include <cstdint>
#include <vector>

namespace damon_statfs {

class PlannedTime {
 public:
  explicit PlannedTime(int64_t start_ns) : points_{{start_ns, 0}} {}

  // Since the last call, or the start, planned time has taken `stretch` times as long, up to
  // now_ns. Precondition: stretch > 0.
  void advance(int64_t now_ns, double stretch);

  // Returns: when it was so much planned time before the last advance(); not before the start.
  int64_t before_now_ns(int64_t planned_ns) const;

 private:
  struct Point {
    int64_t real_ns;
    int64_t planned_ns;  // since the start
  };
  std::vector<Point> points_;  // ascending
};

}  // namespace damon_statfs
