// SPDX-License-Identifier: GPL-2.0-or-later
//
// The CPU time of what monitors: of all the kernel's threads named kdamond, of which some live for
// a fraction of a second, and of the daemon's threads apart from the main one, which answers the
// checker's own polling. Under plain emulation it only informs.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>

namespace guest_test {

// The time that kdamonds have run for, those that have ended included. A thread's time is looked at
// every 20 ms, so what it used in the last 20 ms of its life is not in it.
class KdamondCpu {
 public:
  KdamondCpu();

  // Nanoseconds since the start of each kdamond that was alive at the construction or later.
  int64_t used_ns();

  // The same of each, by thread id, as a text for the log.
  std::string text();

 private:
  void look();
  void look_for_new();

  std::mutex mutex_;   // of what follows
  int newest_id_ = 0;  // of all threads, at the last look
  int named_id_ = 0;   // the same at the look before: a thread gets its name after its id
  std::map<int, int64_t> used_ns_;  // by the kdamond's thread id, at the last look
  std::jthread looking_;            // ends first, because it uses the others
};

class MonitorCpu {
 public:
  // Starts to count. `daemon`: process, 0 for none.
  explicit MonitorCpu(int daemon);

  // Percent of one CPU since then: of the kdamonds, and of the daemon's threads.
  double kdamond_percent();
  std::string kdamonds_text() { return kdamonds_.text(); }
  double daemon_percent() const;

 private:
  int64_t daemon_ns() const;
  double percent(int64_t used_ns) const;

  int daemon_;
  KdamondCpu kdamonds_;
  int64_t start_ns_;
  int64_t kdamond_start_ns_;
  int64_t daemon_start_ns_;
};

}  // namespace guest_test
