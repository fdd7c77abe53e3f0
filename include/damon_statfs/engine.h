// SPDX-License-Identifier: GPL-2.0-or-later
//
// The engine as its users see it: start it, ask it to stop, read its newest Snapshot. It runs in
// one thread of its own while monitoring is on, or a mirror runs, and else in none.
#pragma once

#include <memory>

#include "damon_statfs/engine_config.h"
#include "damon_statfs/observer.h"
#include "damon_statfs/registry.h"
#include "damon_statfs/run_settings.h"
#include "damon_statfs/snapshot.h"

namespace damon_statfs {

// All methods belong to one thread, the owner's.
class Engine {
 public:
  // `context`, its clock and `registry` outlive the engine, which takes what change() says over
  // into `context` (refresh_ms, attrs) and alone reads that there. wake_fd: an eventfd that the
  // engine adds 1 to whenever its status has changed; the owner keeps it open.
  Engine(EngineConfig config, OperationsContext& context, const OperationsRegistry& registry,
         int wake_fd);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine();  // stops the engine and waits for it

  // Starts the thread and returns; the state is then kStarting, and becomes kOn, or kOff with the
  // errno why not. A mirror takes over its source's state instead, with `mirrors` set.
  // Precondition: it is kOff without a mirror. Returns: EAGAIN if there is no thread to be had,
  // EMFILE, ENFILE or ENOMEM if there is nothing else to start one with; it is kOff then, and the
  // log says why.
  Result<void> start() noexcept;

  // Asks the thread to stop and returns; the status becomes kOff when sampling has ended. A mirror
  // ends, and its source stays as it is.
  void request_stop();

  // Hands a write of `enabled` to the mirror's source and returns; `forwarded` counts it when it is
  // done. Precondition: `mirrors`, and the one before was counted.
  void forward(bool on);

  // Goes on with these settings; while monitoring is off, they are those of the next start.
  // Returns: false if the thread has not come to take over those of the call before.
  bool change(const RunSettings& settings);

  // Returns: the newest snapshot; valid until the next call. Never waits.
  const Snapshot& newest();

  // The observer sees all monitoring from the next start on, in the engine thread, after snapshots
  // were published, and outlives the engine. Precondition: it is kOff.
  void add_observer(MonitoringObserver& observer);

 private:
  class Thread;
  std::unique_ptr<Thread> thread_;
};

}  // namespace damon_statfs
