// SPDX-License-Identifier: GPL-2.0-or-later
//
// The CPU time of what monitors: the kernel's thread if it is one, and the daemon's threads apart
// from the main one, which answers the checker's own polling. Under plain emulation it only
// informs.
#pragma once

#include <cstdint>

namespace guest_test {

class MonitorCpu {
 public:
  // Starts to count. `daemon`: process, 0 for none. `worker`: what kdamond_pid says, 0 for nothing.
  MonitorCpu(int daemon, int worker);

  // Percent of one CPU since then: of a kdamond, and of the daemon's threads.
  double kdamond_percent() const;
  double daemon_percent() const;

 private:
  int64_t kdamond_ns() const;
  int64_t daemon_ns() const;
  double percent(int64_t used_ns) const;

  int daemon_;
  int worker_;
  int64_t start_ns_;
  int64_t kdamond_start_ns_;
  int64_t daemon_start_ns_;
};

}  // namespace guest_test
