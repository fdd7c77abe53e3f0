// SPDX-License-Identifier: GPL-2.0-or-later
//
// The modules' parameters, the sysfs interface and the kernel's threads are looked through in turn;
// nothing is written anywhere.
#include "engine/damon_users.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engine/damon_admin.h"
#include "engine/kdamond_threads.h"

namespace damon_statfs {
namespace {

// The kernel's own users of DAMON, by module name.
void add_modules(const KernelFiles& files, std::vector<std::string>& users) {
  for (const char* module : {"damon_stat", "damon_reclaim", "damon_lru_sort"}) {
    const Result<std::string> enabled =
        files.read(fmt::format("/sys/module/{}/parameters/enabled", module));
    if (enabled && enabled.value() == "Y") users.emplace_back(module);
  }
}

// What somebody has started through DAMON's sysfs interface.
void add_sysfs_kdamonds(const KernelFiles& files, std::vector<std::string>& users) {
  for (const std::string& name : files.list(DamonAdmin::kKdamonds)) {
    const Result<std::string> state =
        files.read(fmt::format("{}/{}/state", DamonAdmin::kKdamonds, name));
    if (state && state.value() == "on") users.push_back(fmt::format("kdamonds/{}", name));
  }
}

}  // namespace

std::vector<std::string> find_running_kdamonds(const KernelFiles& files) {
  std::vector<std::string> users;
  add_modules(files, users);
  add_sysfs_kdamonds(files, users);
  for (const KdamondThread& thread : find_kdamond_threads(files)) {
    users.push_back(fmt::format("{}, pid {}", thread.name, thread.pid));
  }
  return users;
}

Result<void> refuse_damon_users(const KernelFiles& files) {
  DAMON_STATFS_TRY(set_up, DamonAdmin::nr_kdamonds(files));
  const std::vector<std::string> running = find_running_kdamonds(files);
  if (!running.empty()) {
    return failure(
        EBUSY, fmt::format("somebody else uses the kernel's DAMON: {}", fmt::join(running, ", ")));
  }
  if (set_up == 0) return outcome::success();
  return failure(EBUSY, fmt::format("{}/nr_kdamonds: somebody else has set up {} kdamond{}",
                                    DamonAdmin::kKdamonds, set_up, set_up == 1 ? "" : "s"));
}

}  // namespace damon_statfs
