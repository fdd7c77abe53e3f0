// SPDX-License-Identifier: GPL-2.0-or-later
//
// The line of /proc/PID/stat (proc(5)): what a process or thread is. Its name is chosen by the
// program that runs it and may hold anything, parentheses, blanks and line ends included.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace damon_statfs {

struct ProcessStat {
  std::string name;         // as in /proc/PID/comm
  char state = '\0';        // one letter; Z: it has ended and its parent has not asked for that yet
  unsigned long flags = 0;  // PF_* of the kernel's include/linux/sched.h

  bool is_kernel_thread() const;
};

// Returns: none if the line ends before the flags or is something else.
std::optional<ProcessStat> parse_process_stat(std::string_view line);

}  // namespace damon_statfs
