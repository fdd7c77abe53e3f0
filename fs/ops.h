// SPDX-License-Identifier: GPL-2.0-or-later
//
// The FUSE side of the directory: what each request does. Requests are answered from memory at
// once; a write that switches the engine is answered when the engine has done so.
#pragma once

#include <fuse_lowlevel.h>

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>

#include "damon_statfs/monitoring_switch.h"
#include "fs/enabled_file.h"
#include "fs/open_file.h"
#include "fs/tree.h"

namespace damon_statfs {

// The state behind a mount. It is the userdata of the FUSE session and belongs to its thread.
struct Filesystem {
  // engine: outlives the filesystem.
  Filesystem(Abi abi_in, MonitoringSwitch& engine)
      : abi(abi_in), snapshots(engine), tree(abi_in), enabled(engine) {}

  const Abi abi;
  SnapshotSource& snapshots;
  Tree tree;
  EnabledFile enabled;
  std::unordered_map<uint64_t, OpenFile> open_files;  // by file handle
  uint64_t next_handle = 1;
  std::function<std::string()> status;  // what the status ioctl answers; empty: there is none

  // Changes options (options_ioctl.h) and calls answer(refusal) once, with an empty text when all
  // is done; empty: none can be changed. request: what EnabledFile calls the writer.
  using Answer = std::function<void(const std::string& refusal)>;
  std::function<void(const void* request, std::string_view words, const Answer& answer)>
      change_options;

  bool initialised = false;  // the kernel has begun to talk to us
};

// The callbacks for fuse_session_new(), whose userdata is a Filesystem.
const fuse_lowlevel_ops& filesystem_ops();

}  // namespace damon_statfs
