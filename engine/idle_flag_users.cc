// SPDX-License-Identifier: GPL-2.0-or-later
//
// The kernel's DAMON is found by what it shows of itself, our own daemons by a lock file. Neither
// can be made to wait for the other.
#include "engine/idle_flag_users.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <vector>

#include "damon_statfs/errno_failure.h"
#include "engine/damon_users.h"
#include "engine/lock_owner.h"

namespace damon_statfs {
namespace {

std::string lock_path(const std::string& rootfs) {
  return rootfs + "/run/damon-statfs/page_idle.lock";
}

Result<void> lock_now(const UniqueFd& file, const std::string& path) {
  if (flock(file.get(), LOCK_EX | LOCK_NB) == 0) return outcome::success();
  if (errno != EWOULDBLOCK) return errno_failure("{}", path);
  return failure(EBUSY, fmt::format("{}: another damon-statfs{} is monitoring through page_idle "
                                    "on this machine",
                                    path, lock_owner_text(file)));
}

}  // namespace

Result<void> refuse_running_kdamonds(const std::string& rootfs) {
  DAMON_STATFS_TRY(running, find_running_kdamonds(RootedKernelFiles(rootfs)));
  if (running.empty()) return outcome::success();
  return failure(EBUSY,
                 fmt::format("the kernel's DAMON is running ({}) and uses the same idle flags",
                             fmt::join(running, ", ")));
}

Result<UniqueFd> lock_idle_flags(const std::string& rootfs) {
  const std::string path = lock_path(rootfs);
  const std::filesystem::path directory = std::filesystem::path(path).parent_path();
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  if (failed) {
    return failure(failed.value(), fmt::format("{}: {}", directory.string(), failed.message()));
  }
  UniqueFd file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return errno_failure("{}", path);
  BOOST_OUTCOME_TRYV(lock_now(file, path));
  return file;
}

Result<void> refuse_locked_idle_flags(const std::string& rootfs) {
  const std::string path = lock_path(rootfs);
  const UniqueFd file(open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!file && (errno == ENOENT || errno == ENOTDIR)) return outcome::success();
  if (!file) return errno_failure("{}", path);
  return lock_now(file, path);
}

}  // namespace damon_statfs
