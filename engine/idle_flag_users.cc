// SPDX-License-Identifier: GPL-2.0-or-later
//
// Kernel threads are found by name in /proc, which works for every kernel version and every user of
// DAMON; our own daemons by a lock file.
#include "engine/idle_flag_users.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace damon_statfs {
namespace {

// Field 9 of /proc/PID/stat (proc(5)); any program may call itself kdamond, only the kernel sets
// this.
constexpr unsigned long kKernelThreadFlag = 0x00200000;

// A /proc/PID/stat line starts with: pid (comm) state ppid pgrp session tty_nr tpgid flags.
bool is_kdamond(const std::string& stat_line) {
  const size_t open = stat_line.find('(');
  const size_t close = stat_line.rfind(')');
  if (open == std::string::npos || close == std::string::npos) return false;
  if (stat_line.compare(open, 9, "(kdamond.") != 0) return false;
  unsigned long flags = 0;
  return sscanf(stat_line.c_str() + close + 1, " %*c %*d %*d %*d %*d %*d %lu", &flags) == 1 &&
         (flags & kKernelThreadFlag) != 0;
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
  std::string holders;
  std::error_code unreadable;
  for (const auto& entry : std::filesystem::directory_iterator(rootfs + "/proc", unreadable)) {
    const std::string pid = entry.path().filename();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream file(entry.path() / "stat");
    std::string line;
    if (!std::getline(file, line) || !is_kdamond(line)) continue;
    const size_t name = line.find('(') + 1;
    holders += fmt::format("{}{} (pid {})", holders.empty() ? "" : ", ",
                           line.substr(name, line.rfind(')') - name), pid);
  }
  if (holders.empty()) return outcome::success();
  return failure(
      EBUSY,
      fmt::format("the kernel's DAMON is running, {}, and uses the same idle flags", holders));
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
