// SPDX-License-Identifier: GPL-2.0-or-later
//
// What users of the engine need of it, one small interface per need, so that the filesystem knows
// no thread, no operations set and no registry, and a test stands in for all three with a struct.
#pragma once

#include "damon_statfs/result.h"
#include "damon_statfs/run_settings.h"
#include "damon_statfs/snapshot.h"

namespace damon_statfs {

// Where the files' values come from.
class SnapshotSource {
 public:
  SnapshotSource() = default;
  SnapshotSource(const SnapshotSource&) = delete;
  SnapshotSource& operator=(const SnapshotSource&) = delete;
  virtual ~SnapshotSource() = default;

  // Returns: the newest snapshot; valid until the next call. Never waits.
  virtual const Snapshot& newest() = 0;
};

// What a write to `enabled` switches.
class MonitoringSwitch : public SnapshotSource {
 public:
  // Begins to start monitoring and returns; the state is then kStarting, and becomes kOn, or kOff
  // with the errno why not. A mirror takes over its source's state instead, with `mirrors` set.
  // Precondition: the state is kOff without a mirror. Returns: EAGAIN if there is no thread to be
  // had, EMFILE, ENFILE or ENOMEM if there is nothing else to start one with; the state is kOff
  // then, and the log says why.
  virtual Result<void> start() noexcept = 0;

  // Asks monitoring to stop and returns; the state becomes kOff when sampling has ended. A mirror
  // ends, and its source stays as it is.
  virtual void request_stop() = 0;

  // Hands a write of `enabled` to the mirror's source and returns; `forwarded` counts it when it is
  // done. Precondition: `mirrors`, and the one before was counted.
  virtual void forward(bool on) = 0;
};

// What mount -o remount changes while monitoring goes on.
class MonitoringSettings {
 public:
  MonitoringSettings() = default;
  MonitoringSettings(const MonitoringSettings&) = delete;
  MonitoringSettings& operator=(const MonitoringSettings&) = delete;
  virtual ~MonitoringSettings() = default;

  // Goes on with these settings; while monitoring is off, they are those of the next start.
  // Returns: false if the settings of the call before have not been taken over yet.
  virtual bool change(const RunSettings& settings) = 0;
};

}  // namespace damon_statfs
