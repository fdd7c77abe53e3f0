// SPDX-License-Identifier: GPL-2.0-or-later
//
// A kdamond counts sampling intervals and not time, so its ages fall behind whenever a tick takes
// longer than nominal. This knows how much real time its nominal time has been.
#pragma once

#include <cstdint>
#include <vector>

namespace damon_statfs {

class NominalTime {
 public:
  explicit NominalTime(int64_t start_ns) : points_{{start_ns, 0}} {}

  // Since the last call, or the start, nominal time has taken `real_per_nominal` times as long, up
  // to now_ns. Precondition: real_per_nominal > 0.
  void advance(int64_t now_ns, double real_per_nominal);

  // Returns: when it was so much nominal time before the last advance(); not before the start.
  int64_t before_now_ns(int64_t nominal_ns) const;

 private:
  struct Point {
    int64_t real_ns;
    int64_t nominal_ns;  // since the start
  };
  std::vector<Point> points_;  // ascending
};

}  // namespace damon_statfs
