// SPDX-License-Identifier: GPL-2.0-or-later
//
// The kernel's DAMON is found by what it shows of itself, our own daemons by a lock file. Neither
// can be made to wait for the other.
#include "engine/page_idle/idle_flag_users.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cerrno>
#include <vector>

#include "engine/base/file_lock.h"
#include "engine/base/lock_owner.h"
#include "engine/base/run_files.h"

namespace damon_statfs {
namespace {

constexpr const char* kLockFile = "page_idle.lock";

Result<void> lock_now(const UniqueFd& file, const std::string& rootfs) {
  const std::string path = run_file_path(rootfs, kLockFile);
  DAMON_STATFS_TRY(locked, try_lock_file(file, path));
  if (locked) return outcome::success();
  return failure(EBUSY, fmt::format("{}: another damon-statfs{} is monitoring through page_idle "
                                    "on this machine",
                                    path, lock_owner_text(file)));
}

}  // namespace

Result<void> refuse_running_kdamonds(const KernelFiles& files, DamonStatUse damon_stat) {
  DAMON_STATFS_TRY(running, find_running_kdamonds(files));
  if (may_start_beside(running, damon_stat)) return outcome::success();
  return failure(EBUSY,
                 fmt::format("the kernel's DAMON is running ({}) and uses the same idle flags",
                             fmt::join(running.names, ", ")));
}

Result<UniqueFd> lock_idle_flags(const std::string& rootfs) {
  DAMON_STATFS_TRY(file, open_run_file(rootfs, kLockFile));
  BOOST_OUTCOME_TRYV(lock_now(file, rootfs));
  return std::move(file);
}

Result<void> refuse_locked_idle_flags(const std::string& rootfs) {
  DAMON_STATFS_TRY(file, open_existing_run_file(rootfs, kLockFile));
  return file ? lock_now(*file, rootfs) : outcome::success();
}

}  // namespace damon_statfs
