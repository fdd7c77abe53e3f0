// SPDX-License-Identifier: GPL-2.0-or-later
//
// A thread is known by its line in /proc/PID/stat: the name in it anybody may choose, the flags
// only the kernel sets.
#include "engine/damon/kdamond_threads.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>

namespace damon_statfs {
namespace {

constexpr unsigned long kKernelThreadFlag = 0x00200000;  // PF_KTHREAD

// A /proc/PID/stat line (proc(5)) starts with: pid (comm) state ppid pgrp session tty_nr tpgid
// flags. Returns: comm, if it is that of a kdamond.
std::optional<std::string> kdamond_name(const std::string& stat_line) {
  const size_t open = stat_line.find('(');
  const size_t close = stat_line.rfind(')');
  if (open == std::string::npos || close == std::string::npos) return std::nullopt;
  if (stat_line.compare(open, 9, "(kdamond.") != 0) return std::nullopt;
  unsigned long flags = 0;
  if (sscanf(stat_line.c_str() + close + 1, " %*c %*d %*d %*d %*d %*d %lu", &flags) != 1 ||
      (flags & kKernelThreadFlag) == 0) {
    return std::nullopt;
  }
  return stat_line.substr(open + 1, close - open - 1);
}

Result<std::optional<std::string>> kdamond_name(const KernelFiles& files, pid_t pid) {
  DAMON_STATFS_TRY(line, read_if_there(files, fmt::format("/proc/{}/stat", pid)));
  return line ? kdamond_name(*line) : std::nullopt;
}

}  // namespace

Result<std::vector<KdamondThread>> find_kdamond_threads(const KernelFiles& files) {
  std::vector<KdamondThread> threads;
  DAMON_STATFS_TRY(entries, list_if_there(files, "/proc"));
  for (const std::string& entry : entries) {
    pid_t pid = 0;
    const char* const end = entry.data() + entry.size();
    const auto [rest, invalid] = std::from_chars(entry.data(), end, pid);
    if (invalid != std::errc() || rest != end) continue;
    DAMON_STATFS_TRY(name, kdamond_name(files, pid));
    if (name) threads.push_back({pid, std::move(*name)});
  }
  std::sort(threads.begin(), threads.end(),
            [](const KdamondThread& a, const KdamondThread& b) { return a.pid < b.pid; });
  return threads;
}

Result<bool> is_kdamond_thread(const KernelFiles& files, pid_t pid) {
  DAMON_STATFS_TRY(name, kdamond_name(files, pid));
  return name.has_value();
}

}  // namespace damon_statfs
