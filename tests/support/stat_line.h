// SPDX-License-Identifier: GPL-2.0-or-later
//
// Lines of /proc/PID/stat as the kernel writes them, of its own threads and of programs.
#pragma once

#include <string>

namespace damon_statfs::test {

constexpr unsigned long kKernelThread = 2129984;  // flags 0x208040, PF_KTHREAD among them
constexpr unsigned long kProgram = 4194560;       // flags 0x400100

inline std::string stat_line(int pid, const std::string& name, unsigned long flags) {
  return std::to_string(pid) + " (" + name + ") S 2 0 0 0 -1 " + std::to_string(flags) +
         " 0 0 0 0 0 0 0 0 20 0 1 0 57 0 0\n";
}

}  // namespace damon_statfs::test
