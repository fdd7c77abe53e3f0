// SPDX-License-Identifier: GPL-2.0-or-later
//
// The kernel threads in which the kernel's DAMON works, kdamond.0, kdamond.1 and so on. Only /proc
// tells them from programs of that name, and a container may see none of them.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/kernel_files.h"

namespace damon_statfs {

struct KdamondThread {
  pid_t pid = -1;
  std::string name;  // kdamond.N
};

// Returns: the name of the kdamond that a line of /proc/PID/stat describes; none if it describes
// something else, or no thread at all.
std::optional<std::string> kdamond_name(std::string_view stat_line);

// Returns: all that run now, by pid; an error if one may have been missed.
Result<std::vector<KdamondThread>> find_kdamond_threads(const KernelFiles& files);

// Returns: whether the thread of that pid is one of them; an error if that is not known.
Result<bool> is_kdamond_thread(const KernelFiles& files, pid_t pid);

}  // namespace damon_statfs
