// SPDX-License-Identifier: GPL-2.0-or-later
//
// The daemon as a service manager follows it: ready, in which state, alive, stopping. What cannot
// be told is logged, once until it works again.
#pragma once

#include <string>

#include "damon_statfs/fd.h"
#include "mount/notify.h"

namespace damon_statfs {

class Supervision {
 public:
  explicit Supervision(ServiceManager manager) : manager_(std::move(manager)) {}

  // Starts the timer of the watchdog. Returns: its descriptor, or -1 where none is expected.
  int start_watchdog();

  void tell_ready(const std::string& state);

  // Tells a state that differs from the last one, once it is ready.
  void tell_state(const std::string& state);

  void tell_stopping();

  // The timer's descriptor is readable. stuck: whether the engine makes no progress any more; a
  // manager that hears nothing for twice as long then ends the daemon.
  void on_watchdog(bool stuck);

 private:
  void tell(const std::string& lines);

  const ServiceManager manager_;
  UniqueFd timer_;
  std::string told_;  // the last state; empty: not ready yet
  bool failed_ = false;
  bool stuck_ = false;
};

}  // namespace damon_statfs
