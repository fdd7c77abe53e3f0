// SPDX-License-Identifier: GPL-2.0-or-later
//
// The modules' parameters, the sysfs interface and the kernel's threads are looked through in turn;
// nothing is written anywhere.
#include "engine/damon/damon_users.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engine/damon/damon_sysfs.h"
#include "engine/damon/kdamond_threads.h"

namespace damon_statfs {
namespace {

// The kernel's own users of DAMON, by module name.
Result<void> add_modules(const KernelFiles& files, std::vector<std::string>& users) {
  for (const char* module : {"damon_stat", "damon_reclaim", "damon_lru_sort"}) {
    const std::string path = fmt::format("/sys/module/{}/parameters/enabled", module);
    DAMON_STATFS_TRY(enabled, read_if_there(files, path));
    if (enabled == "Y" && !is_on_fuse(files, path)) users.emplace_back(module);
  }
  return outcome::success();
}

// What any program has started through DAMON's sysfs interface.
Result<void> add_sysfs_kdamonds(const KernelFiles& files, std::vector<std::string>& users) {
  DAMON_STATFS_TRY(names, list_if_there(files, kKdamondsDirectory));
  for (const std::string& name : names) {
    DAMON_STATFS_TRY(state,
                     read_if_there(files, fmt::format("{}/{}/state", kKdamondsDirectory, name)));
    if (state == "on") users.push_back(fmt::format("kdamonds/{}", name));
  }
  return outcome::success();
}

// DAMON_STAT runs alone if at all, so a thread beside it is its own; more of them are not.
Result<DamonUsers> look_for_users(const KernelFiles& files) {
  DamonUsers users;
  BOOST_OUTCOME_TRYV(add_modules(files, users.names));
  BOOST_OUTCOME_TRYV(add_sysfs_kdamonds(files, users.names));
  users.only_damon_stat = users.names == std::vector<std::string>{"damon_stat"};
  DAMON_STATFS_TRY(threads, find_kdamond_threads(files));
  users.only_damon_stat = users.only_damon_stat && threads.size() <= 1;
  for (const KdamondThread& thread : threads) {
    users.names.push_back(fmt::format("{}, pid {}", thread.name, thread.pid));
  }
  return users;
}

// How the administrator can tell and end a kdamond of ours whose record is gone: a container that
// had /run for itself takes it along.
std::string hint_at_ours(const KernelFiles& files) {
  const std::optional<uint64_t> mark = likely_mark(files);
  if (!mark) return "";
  return fmt::format(
      "; kdamonds/0 has update_us {}, as only damon-statfs sets it: if it was killed together with "
      "its container, and no other one runs on this machine, \"echo off > {}/0/state; "
      "echo 0 > {}/nr_kdamonds\" ends what it has left behind",
      *mark, kKdamondsDirectory, kKdamondsDirectory);
}

}  // namespace

Result<DamonUsers> find_running_kdamonds(const KernelFiles& files) {
  Result<DamonUsers> users = look_for_users(files);
  if (users) return users;
  return failure(
      users.error().code.value(),
      fmt::format("whether another program uses the kernel's DAMON cannot be found out: {}",
                  users.error().context));
}

Result<void> refuse_damon_users(const KernelFiles& files, DamonStatUse damon_stat) {
  DAMON_STATFS_TRY(set_up, read_nr_kdamonds(files));
  DAMON_STATFS_TRY(running, find_running_kdamonds(files));
  if (!may_start_beside(running, damon_stat)) {
    return failure(EBUSY, fmt::format("another program uses the kernel's DAMON: {}{}",
                                      fmt::join(running.names, ", "), hint_at_ours(files)));
  }
  if (set_up == 0) return outcome::success();
  return failure(
      EBUSY, fmt::format("{}/nr_kdamonds: another program has set up {} kdamond{}{}",
                         kKdamondsDirectory, set_up, set_up == 1 ? "" : "s", hint_at_ours(files)));
}

}  // namespace damon_statfs
