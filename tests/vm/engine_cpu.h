// SPDX-License-Identifier: GPL-2.0-or-later
//
// The CPU time of the thread that does the sampling: the daemon's engine or a kernel kdamond, as
// the file kdamond_pid names it. The budget is checked from outside, not from what the daemon
// believes.
#pragma once

#include <cstdint>
#include <string>

namespace guest_test {

class EngineCpu {
 public:
  // Precondition: the engine is on. Throws when kdamond_pid names no thread.
  explicit EngineCpu(const std::string& directory);

  // Percent of one CPU that the thread has used since construction. Throws when it is gone.
  double percent() const;

  // What a budget of max_cpu percent allows since construction, in percent: a thread may use later
  // what it did not use within a second (engine/cpu_budget.h).
  double allowed_percent(double max_cpu) const;

  int64_t thread_id() const { return thread_id_; }

 private:
  int64_t used_ns() const;
  int64_t elapsed_ns() const;

  int64_t thread_id_;
  int64_t start_ns_;
  int64_t start_used_ns_;
};

}  // namespace guest_test
