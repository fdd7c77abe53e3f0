// SPDX-License-Identifier: GPL-2.0-or-later
//
// What is recorded of a kdamond of ours, and the line that it is recorded as. Daemons of other
// versions read and write it, and whatever a disk makes of it may come in.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace damon_statfs {

struct KdamondOwnership {
  std::string boot_id;               // of the boot in which it was written, without blanks
  uint64_t mark = 0;                 // see DamonAdmin
  bool marked = false;               // whether the mark may be there already
  pid_t pid = -1;                    // once it is on
  pid_t owner_pid = 0;               // the daemon's
  uint64_t owner_pid_namespace = 0;  // in which owner_pid is that; 0: not known

  bool operator==(const KdamondOwnership&) const = default;
};

// Returns: "BOOT_ID MARK MARKED PID OWNER_PID OWNER_PID_NAMESPACE", without a newline.
std::string format_ownership(const KdamondOwnership& ownership);

// The same back, with any blanks, line ends and zero bytes behind it. The namespace may be missing:
// older versions wrote none. Returns: none if it is something else.
std::optional<KdamondOwnership> parse_ownership(std::string_view line);

}  // namespace damon_statfs
