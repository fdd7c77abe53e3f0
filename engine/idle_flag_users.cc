// SPDX-License-Identifier: GPL-2.0-or-later
//
// The kernel's DAMON is looked for in its modules, its sysfs interface and among the kernel's
// threads: any of the three may be out of sight. Our own daemons are found by a lock file.
#include "engine/idle_flag_users.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

#include "engine/kdamond_threads.h"

namespace damon_statfs {
namespace {

std::string first_line(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// The entries of a directory, none if it cannot be read.
std::filesystem::directory_iterator entries(const std::string& directory) {
  std::error_code unreadable;
  return std::filesystem::directory_iterator(directory, unreadable);
}

// The kernel's own users of DAMON, by module name.
std::vector<std::string> enabled_modules(const std::string& rootfs) {
  std::vector<std::string> enabled;
  for (const char* module : {"damon_stat", "damon_reclaim", "damon_lru_sort"}) {
    if (first_line(fmt::format("{}/sys/module/{}/parameters/enabled", rootfs, module)) == "Y")
      enabled.emplace_back(module);
  }
  return enabled;
}

// What somebody has started through DAMON's sysfs interface. Only reads it.
std::vector<std::string> running_sysfs_kdamonds(const std::string& rootfs) {
  std::vector<std::string> running;
  for (const auto& kdamond : entries(rootfs + "/sys/kernel/mm/damon/admin/kdamonds")) {
    if (first_line(kdamond.path() / "state") != "on") continue;
    running.push_back(fmt::format("kdamonds/{}", kdamond.path().filename().string()));
  }
  return running;
}

// The kernel threads themselves.
std::vector<std::string> running_threads(const std::string& rootfs) {
  std::vector<std::string> running;
  for (const KdamondThread& thread : find_kdamond_threads(RootedKernelFiles(rootfs))) {
    running.push_back(fmt::format("{}, pid {}", thread.name, thread.pid));
  }
  return running;
}

std::string lock_path(const std::string& rootfs) {
  return rootfs + "/run/damon-statfs/page_idle.lock";
}

Result<void> lock_now(const UniqueFd& file, const std::string& path) {
  if (flock(file.get(), LOCK_EX | LOCK_NB) == 0) return outcome::success();
  if (errno != EWOULDBLOCK) {
    return failure(errno, fmt::format("{}: {}", path, std::strerror(errno)));
  }
  return failure(EBUSY, fmt::format("{}: another damon-statfs is monitoring through page_idle on "
                                    "this machine",
                                    path));
}

}  // namespace

Result<void> refuse_running_kdamonds(const std::string& rootfs) {
  std::vector<std::string> holders = enabled_modules(rootfs);
  for (const auto& more : {running_sysfs_kdamonds(rootfs), running_threads(rootfs)}) {
    holders.insert(holders.end(), more.begin(), more.end());
  }
  if (holders.empty()) return outcome::success();
  return failure(EBUSY,
                 fmt::format("the kernel's DAMON is running ({}) and uses the same idle flags",
                             fmt::join(holders, ", ")));
}

Result<UniqueFd> lock_idle_flags(const std::string& rootfs) {
  const std::string path = lock_path(rootfs);
  std::error_code failed;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), failed);
  UniqueFd file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return failure(errno, fmt::format("{}: {}", path, std::strerror(errno)));
  BOOST_OUTCOME_TRYV(lock_now(file, path));
  return file;
}

Result<void> refuse_locked_idle_flags(const std::string& rootfs) {
  const std::string path = lock_path(rootfs);
  const UniqueFd file(open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!file) return outcome::success();
  return lock_now(file, path);
}

}  // namespace damon_statfs
