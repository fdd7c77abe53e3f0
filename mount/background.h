// SPDX-License-Identifier: GPL-2.0-or-later
//
// Going into the background the way mount(8) and systemd expect it: the process they started ends
// when the mount works, or says by its exit status that it does not. Until then the daemon is of
// its group, which an automounter lets through to the mountpoint, and ends with it.
#pragma once

#include <optional>

#include "damon_statfs/fd.h"

namespace damon_statfs {

class Background {
 public:
  // In the process that was started: waits for the daemon's report. Returns: that exit status. In
  // the daemon: returns none. Precondition: there is one thread.
  std::optional<int> fork();

  // In the daemon: lets the starting process end with 0, and leaves its group and its terminal.
  // Returns: whether that one was still there; else the mount is not wanted.
  bool detach();

 private:
  UniqueFd report_;  // to the process that waits; closed after the report
};

// Closes what was inherited beyond the three standard descriptors, and opens those that are
// missing.
void sanitize_descriptors();

}  // namespace damon_statfs
