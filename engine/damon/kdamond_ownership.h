// SPDX-License-Identifier: GPL-2.0-or-later
//
// What is recorded of the kdamonds of ours, and the line that it is recorded as. Daemons of other
// versions read and write it, and whatever a disk makes of it may come in.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace damon_statfs {

struct KdamondOwnership {
  std::string boot_id;               // of the boot in which it was written, without blanks
  uint64_t mark = 0;                 // see Kdamond
  bool marked = false;               // whether the mark may be there already
  pid_t pid = -1;                    // once it is on
  pid_t owner_pid = 0;               // the daemon's
  uint64_t owner_pid_namespace = 0;  // in which owner_pid is that; 0: not known
  std::vector<pid_t> more_pids{};    // of kdamonds/1 and so on, as `pid`; none: there is only one
  bool ending = false;               // whether the daemon is giving DAMON back

  // How many kdamonds are recorded, and the pid of each.
  size_t nr_kdamonds() const { return 1 + more_pids.size(); }
  pid_t pid_of(size_t index) const { return index == 0 ? pid : more_pids.at(index - 1); }

  bool operator==(const KdamondOwnership&) const = default;
};

// Returns: "BOOT_ID MARK MARKED PID OWNER_PID OWNER_PID_NAMESPACE [PID...]", without a newline.
std::string format_ownership(const KdamondOwnership& ownership);

// The same back, with any blanks, line ends and zero bytes behind it. The namespace may be missing:
// older versions wrote none. Returns: none if it is something else.
std::optional<KdamondOwnership> parse_ownership(std::string_view line);

}  // namespace damon_statfs
