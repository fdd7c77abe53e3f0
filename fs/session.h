// SPDX-License-Identifier: GPL-2.0-or-later
//
// The FUSE session and its loop. The loop is our own poll() over all descriptors, as libfuse's
// cannot be woken from outside before 3.19.
#pragma once

#include <fuse_lowlevel.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "damon_statfs/result.h"
#include "fs/ops.h"

namespace damon_statfs {

struct SessionConfig {
  std::string mountpoint;
  std::vector<std::string> mount_options;  // words for -o: fsname=..., nosuid, ...
  bool debug = false;                      // libfuse prints every request
};

// A mounted filesystem; unmounts itself, lazily, when destroyed.
class Session {
 public:
  // Mounts. `fs` outlives the session. Returns: why the mount failed; libfuse may have printed
  // more.
  static Result<Session> mount(const SessionConfig& config, Filesystem& fs);

  // A descriptor that the loop waits for beside the requests.
  struct Source {
    int fd = -1;
    std::function<void()> on_readable;  // reads it empty
  };

  // Called from the loop, in its thread.
  struct Events {
    std::vector<Source> sources;
    std::function<void()> on_initialised;  // once, when the mount answers requests
    std::function<bool()> done;            // asked after every event; true ends the loop
  };

  // Answers requests until it is unmounted (returns true) or `done` ends it (false).
  bool run(const Events& events);

 private:
  struct Destroy {
    void operator()(fuse_session* session) const;
    void operator()(fuse_buf* buffer) const;
  };

  Session(std::unique_ptr<fuse_session, Destroy> session, Filesystem& fs)
      : session_(std::move(session)), buffer_(new fuse_buf{}), fs_(&fs) {}

  void process_requests();

  std::unique_ptr<fuse_session, Destroy> session_;
  std::unique_ptr<fuse_buf, Destroy> buffer_;  // libfuse allocates its memory at the first request
  Filesystem* fs_;
};

}  // namespace damon_statfs
