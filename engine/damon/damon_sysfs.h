// SPDX-License-Identifier: GPL-2.0-or-later
//
// DAMON's sysfs interface, /sys/kernel/mm/damon/admin: where its files are, and what can be asked
// without a kdamond of our own. Kernel documentation:
// Documentation/admin-guide/mm/damon/usage.rst.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "damon_statfs/clock.h"
#include "damon_statfs/result.h"
#include "engine/base/kernel_files.h"

namespace damon_statfs {

constexpr const char* kKdamondsDirectory = "/sys/kernel/mm/damon/admin/kdamonds";

// Files of a context, below its directory.
constexpr const char* kUpdateUs = "monitoring_attrs/intervals/update_us";
constexpr const char* kSampleUs = "monitoring_attrs/intervals/sample_us";
constexpr const char* kAggrUs = "monitoring_attrs/intervals/aggr_us";
constexpr const char* kGoalAggrs = "monitoring_attrs/intervals/intervals_goal/aggrs";
constexpr const char* kTriedRegions = "schemes/0/tried_regions";

// The path of a file of the interface, of kdamond `index`, and of its only context.
std::string nr_kdamonds_path();
std::string kdamond_path(int index, std::string_view file);
std::string context_path(int index, std::string_view file);

// Returns: how many kdamonds are set up, by any program; ENODEV without the interface.
Result<uint64_t> read_nr_kdamonds(const KernelFiles& files);

// Returns: the update_us of kdamond 0, if it is such as our marks are: a daemon of ours may have
// set it up, of which there is no record.
std::optional<uint64_t> likely_mark(const KernelFiles& files);

// How long the interface is tried while another program holds its lock.
constexpr int64_t kMaxBusyNs = kNsPerSecond;

// Writes unless refuse() fails, which is asked again at each try: EBUSY means that another program
// is at work. Returns: what refuse() or the write has said.
Result<void> write_unless(const KernelFiles& files, const Clock& clock,
                          const std::function<Result<void>()>& refuse, const std::string& path,
                          const std::string& text);

}  // namespace damon_statfs
