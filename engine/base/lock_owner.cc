// SPDX-License-Identifier: GPL-2.0-or-later
//
// Lines of /proc/locks: "1: FLOCK  ADVISORY  WRITE 4711 00:1a:123 0 EOF", with the process that has
// taken the lock, and the device in hexadecimal and the inode of the file.
#include "engine/base/lock_owner.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <fstream>
#include <sstream>

namespace damon_statfs {

std::string lock_owner_text(const UniqueFd& file) {
  struct stat info {};
  if (fstat(file.get(), &info) != 0) return {};
  const std::string wanted =
      fmt::format("{:02x}:{:02x}:{}", major(info.st_dev), minor(info.st_dev), info.st_ino);
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    std::istringstream fields(line);
    std::string number, kind, strength, mode, inode;
    pid_t pid = 0;
    fields >> number >> kind >> strength >> mode >> pid >> inode;
    if (fields && kind == "FLOCK" && inode == wanted && pid > 0) {
      return fmt::format(" (process {})", pid);
    }
  }
  return {};
}

}  // namespace damon_statfs
