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
#include "fs/fuse_mount.h"
#include "fs/ops.h"

namespace damon_statfs {

// A mounted filesystem; unmounts itself, lazily, when destroyed.
class Session {
 public:
  // Mounts. `fs` outlives the session. debug: libfuse prints every request. Returns: why the mount
  // failed.
  static Result<Session> mount(const FuseMountConfig& config, bool debug, Filesystem& fs);

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

  enum class End { kDone, kUnmounted };

  // Answers requests until `done` ends it, or it is unmounted. Returns: ECONNABORTED if the
  // kernel has ended the connection though it is mounted, or why the first request failed.
  Result<End> run(const Events& events);

  // Unmounts. Returns: FuseMount::unmount()'s lines.
  std::vector<std::string> unmount() { return mount_.unmount(); }

 private:
  struct Destroy {
    void operator()(fuse_session* session) const { fuse_session_destroy(session); }
    void operator()(fuse_buf* buffer) const;
  };

  Session(std::unique_ptr<fuse_session, Destroy> session, FuseMount mount, Filesystem& fs)
      : session_(std::move(session)), buffer_(new fuse_buf{}), mount_(std::move(mount)), fs_(&fs) {}

  Result<void> process_requests();
  Result<End> unmounted_or_dead() const;

  std::unique_ptr<fuse_session, Destroy> session_;  // owns the descriptor of the mount
  std::unique_ptr<fuse_buf, Destroy> buffer_;       // libfuse allocates it at the first request
  FuseMount mount_;                                 // goes before the session
  Filesystem* fs_;
};

}  // namespace damon_statfs
