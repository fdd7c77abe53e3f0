// SPDX-License-Identifier: GPL-2.0-or-later
//
// The running program: the engine, the filesystem and the mount put together, from the first check
// of the mountpoint to the last line in the log.
#pragma once

#include "fs/session.h"
#include "mount/background.h"
#include "mount/logging.h"
#include "mount/options.h"
#include "mount/supervision.h"

namespace damon_statfs {

class Daemon {
 public:
  // All arguments outlive the daemon. Precondition: there is one thread, and no fork() to come.
  Daemon(const Options& options, const OperationsRegistry& registry, Background& background,
         Logging& logging);

  // Mounts, and serves the mount until it is unmounted or a signal comes. Returns: the exit status.
  int run();

 private:
  Result<Session> mount();
  Result<void> give_up_rights();
  void serve(Session session);
  void on_signal();
  void on_wake();
  Result<void> check_not_mirrored() const;
  bool start_mirror();
  void on_ready(int errno_value);
  bool stop_engine();
  bool wait_for_engine(int64_t deadline_ns);
  std::string state();
  std::string status();

  const Options& options_;
  Background& background_;
  Logging& logging_;
  const OperationsRegistry& registry_;
  const UniqueFd signals_;
  const UniqueFd wake_;  // the engine's status has changed
  const SystemClock clock_;
  const int64_t started_ns_;
  const OperationsContext context_;
  Engine engine_;
  Filesystem filesystem_;
  Supervision supervision_;

  std::string mountpoint_;
  int status_;
  bool done_ = false;  // the start has failed, or a signal has come
};

}  // namespace damon_statfs
