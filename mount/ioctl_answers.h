// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a running daemon answers to the ioctls of status_ioctl.h and options_ioctl.h. The options in
// force are kept here, as these ioctls alone read and change them while the daemon is mounted.
#pragma once

#include <string>
#include <string_view>

#include "damon_statfs/clock.h"
#include "damon_statfs/monitoring_switch.h"
#include "fs/enabled_file.h"
#include "fs/ops.h"
#include "mount/logging.h"
#include "mount/options.h"

namespace damon_statfs {

// All functions belong to the FUSE thread.
class IoctlAnswers {
 public:
  // What is asked for the status, and what a change of options reaches.
  struct Monitoring {
    SnapshotSource& snapshots;
    MonitoringSettings& settings;
    EnabledFile& enabled;
  };

  // All references outlive this object, which is made when the daemon starts. options: those in
  // force then.
  IoctlAnswers(const Options& options, Monitoring monitoring,
               const Clock& clock, const Logging& logging);

  // path: absolute; the status has an empty mountpoint before this call.
  void set_mountpoint(const std::string& path) { mountpoint_ = path; }

  // Returns: status_json() of now.
  std::string status() const;

  // For mount -o remount and systemctl reload: makes the words of -o be in force. Calls
  // answer(refusal) once, with an empty text when all is done. A switch of monitoring is answered
  // when it is done, as a write to `enabled` is. request: what EnabledFile calls the writer.
  void change_options(const void* request, std::string_view words,
                      const Filesystem::Answer& answer);

 private:
  bool change_settings(const RunSettings& settings);

  Options options_;  // in force: some change while the daemon is mounted
  const Monitoring monitoring_;
  const Clock& clock_;
  const Logging& logging_;
  const int64_t started_ns_;
  std::string mountpoint_;
};

}  // namespace damon_statfs
