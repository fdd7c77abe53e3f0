// SPDX-License-Identifier: GPL-2.0-or-later
//
// A thread is known by its line in /proc/PID/stat: the name in it any program may choose, the
// flags only the kernel sets.
#include "engine/damon/kdamond_threads.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "engine/base/process_stat.h"
#include "engine/base/text.h"

namespace damon_statfs {
namespace {

Result<std::optional<std::string>> kdamond_name_of(const KernelFiles& files, pid_t pid) {
  DAMON_STATFS_TRY(line, read_if_there(files, fmt::format("/proc/{}/stat", pid)));
  return line ? kdamond_name(*line) : std::nullopt;
}

}  // namespace

std::optional<std::string> kdamond_name(std::string_view stat_line) {
  std::optional<ProcessStat> stat = parse_process_stat(stat_line);
  if (!stat || !stat->is_kernel_thread() || !stat->name.starts_with("kdamond.")) {
    return std::nullopt;
  }
  return std::move(stat->name);
}

Result<std::vector<KdamondThread>> find_kdamond_threads(const KernelFiles& files) {
  std::vector<KdamondThread> threads;
  DAMON_STATFS_TRY(entries, list_if_there(files, "/proc"));
  for (const std::string& entry : entries) {
    const auto pid = parse_number<pid_t>(entry);
    if (!pid) continue;
    DAMON_STATFS_TRY(name, kdamond_name_of(files, *pid));
    if (name) threads.push_back({*pid, std::move(*name)});
  }
  std::sort(threads.begin(), threads.end(),
            [](const KdamondThread& a, const KdamondThread& b) { return a.pid < b.pid; });
  return threads;
}

Result<bool> is_kdamond_thread(const KernelFiles& files, pid_t pid) {
  DAMON_STATFS_TRY(name, kdamond_name_of(files, pid));
  return name.has_value();
}

}  // namespace damon_statfs
