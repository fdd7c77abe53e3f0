// SPDX-License-Identifier: GPL-2.0-or-later
//
// The way out of the engine: makes snapshots of what happens in the engine thread and publishes
// them. Of the observers of monitoring it is the first.
#pragma once

#include <cstdint>
#include <string_view>

#include "damon_statfs/observer.h"
#include "damon_statfs/operations_context.h"
#include "damon_statfs/operations_set.h"
#include "damon_statfs/snapshot.h"
#include "damon_statfs/snapshot_cell.h"
#include "engine/estimate/estimator.h"

namespace damon_statfs {

// All but newest() belongs to the engine thread, and to the owner while there is none.
class Publisher final : public MonitoringObserver {
 public:
  // wake_fd: an eventfd that is signalled when the status has changed. Both outlive the object.
  Publisher(const OperationsContext& context, int wake_fd) : context_(context), wake_fd_(wake_fd) {}

  // For the owner. Returns: the newest snapshot; valid until the next call. Never waits.
  const Snapshot& newest() { return cell_.newest(); }

  // A thread is about to be started, which chooses an operations set.
  void starting();

  // It has chosen this set, whose source is opened next.
  void opening(const OperationsSet& set);

  // Forgets how the statistics before came about. estimator: the name of the one that goes with the
  // set.
  void begin(const OperationsSet& set, std::string_view estimator);

  // It has opened the source of the estimator, which outlives the monitoring; this began at
  // began_ns (Clock::now_ns()), when the thread had used cpu_ns. It is on from the next call of
  // on().
  void opened(const Estimator& estimator, int64_t began_ns, int64_t cpu_ns);
  void on(const Estimator& estimator);

  // Settings were taken over.
  void changed();

  // A mirror was read, and shows this now; it is read again at next_ns (Clock::now_ns()).
  void mirrored(const Snapshot& shown, int64_t next_ns);

  // A write of `enabled` was handed to the mirror's source, and came to this.
  void forwarded(int errno_value);

  // The thread goes on working at due_ns, and then takes no longer than closing may. It is told
  // about once a second, and not for each sampling interval.
  void promise_life(int64_t due_ns);

  // The thread ends, or could not be started.
  void end(int errno_value);

  void refreshed(const Statistics& statistics, const MonitoringDetails& details) override;

  // The details as they are now.
  const MonitoringDetails& details() const { return latest_.details; }

 private:
  void take(const Statistics& statistics);
  bool extend_promise(int64_t due_ns);
  void publish();
  void log_refresh(const MonitoringDetails& details) const;

  const OperationsContext& context_;
  const int wake_fd_;
  SnapshotCell cell_;  // engine -> owner
  Snapshot latest_;
  Snapshot published_;
  const Estimator* estimator_ = nullptr;  // of the monitoring that is on
  int64_t started_cpu_ns_ = 0;            // Clock::thread_cpu_ns() when it began
};

}  // namespace damon_statfs
