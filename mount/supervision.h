// SPDX-License-Identifier: GPL-2.0-or-later
//
// The daemon as a service manager follows it: ready, in which state, alive, stopping. What cannot
// be told is logged, once until it works again.
#pragma once

#include <cstdint>
#include <string>

#include "damon_statfs/fd.h"
#include "mount/notify.h"

namespace damon_statfs {

class Supervision {
 public:
  explicit Supervision(ServiceManager manager) : manager_(std::move(manager)) {}

  // Starts the timer of the watchdog where one is expected. Returns: why there is none to be had.
  Result<void> start_watchdog();

  // Returns: the timer's descriptor, or -1.
  int watchdog_fd() const { return timer_.get(); }

  void tell_ready(const std::string& state);

  // Tells a state that differs from the last one, once it is ready.
  void tell_state(const std::string& state);

  void tell_stopping();

  // The timer's descriptor is readable. stuck: whether the engine makes no progress any more, as
  // far as is known: after a stall of the whole machine this may be asked before the engine has run
  // again, so it is asked once more a second later. A manager that hears nothing then ends the
  // daemon.
  void on_watchdog(bool stuck);

 private:
  void tell(const std::string& lines);
  bool arm(uint64_t first_us);

  const ServiceManager manager_;
  UniqueFd timer_;
  std::string told_;  // the last state; empty: not ready yet
  bool failed_ = false;
  uint64_t period_us_ = 0;
  bool suspected_ = false;  // found stuck the last time
  bool logged_ = false;     // that it is
};

}  // namespace damon_statfs
