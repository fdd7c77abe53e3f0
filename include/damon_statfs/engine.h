// SPDX-License-Identifier: GPL-2.0-or-later
//
// The engine, which does what the interfaces of monitoring_switch.h promise. It runs in one thread
// of its own while monitoring is on, or a mirror runs, and else in none.
#pragma once

#include <memory>

#include "damon_statfs/engine_config.h"
#include "damon_statfs/monitoring_switch.h"
#include "damon_statfs/observer.h"
#include "damon_statfs/registry.h"

namespace damon_statfs {

// All methods belong to one thread, the owner's.
class Engine final : public MonitoringSwitch, public MonitoringSettings {
 public:
  // `context`, its clock and `registry` outlive the engine, which takes what change() says over
  // into `context` (refresh_ms, attrs) and alone reads that there. wake_fd: an eventfd that the
  // engine adds 1 to whenever its status has changed; the owner keeps it open.
  Engine(EngineConfig config, OperationsContext& context, const OperationsRegistry& registry,
         int wake_fd);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine() override;  // stops the engine and waits for it

  // Starts the thread.
  Result<void> start() noexcept override;
  void request_stop() override;
  void forward(bool on) override;
  bool change(const RunSettings& settings) override;
  const Snapshot& newest() override;

  // The observer sees all monitoring from the next start on, in the engine thread, after snapshots
  // were published, and outlives the engine. Precondition: it is kOff.
  void add_observer(MonitoringObserver& observer);

 private:
  class Thread;
  std::unique_ptr<Thread> thread_;
};

}  // namespace damon_statfs
