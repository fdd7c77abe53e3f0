// SPDX-License-Identifier: GPL-2.0-or-later
//
// The running program: the engine, the filesystem and the mount put together, from the first check
// of the mountpoint to the last line in the log.
#pragma once

#include "damon_statfs/engine.h"
#include "fs/session.h"
#include "mount/background.h"
#include "mount/ioctl_answers.h"
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
  Result<void> mount_and_serve();
  Result<UniqueFd> prepare();
  std::string damon_stat_use() const;
  Result<void> give_up_rights();
  bool start_mirror();
  Result<Session> mount();
  void serve(Session session);
  void end_session(Session& session, const Result<Session::End>& ended);
  void on_signal();
  void on_wake();
  void on_ready(int errno_value);
  bool stop_engine();
  bool wait_for_engine(int64_t deadline_ns);
  std::string state();

  const Options options_;  // as started with; those in force are in answers_
  Background& background_;
  Logging& logging_;
  const OperationsRegistry& registry_;
  UniqueFd signals_;     // those that have come, see signals.h
  const UniqueFd wake_;  // the engine's status has changed
  const SystemClock clock_;
  OperationsContext context_;  // what changes while monitoring is on is the engine's
  Engine engine_;
  Filesystem filesystem_;
  IoctlAnswers answers_;
  Supervision supervision_;

  std::string mountpoint_;
  bool mirrors_ = false;
  int status_;
  bool ready_ = false;  // the mount answers, and the one who started it knows
  bool done_ = false;   // the start has failed, or a signal has come
};

}  // namespace damon_statfs
