// SPDX-License-Identifier: GPL-2.0-or-later
//
// Lines of /proc/locks: "1: FLOCK  ADVISORY  WRITE 4711 00:1a:123 0 EOF", with the process that has
// taken the lock, and the device in hexadecimal and the inode of the file.
#include "engine/base/lock_owner.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "engine/base/kernel_files.h"
#include "engine/base/text.h"

namespace damon_statfs {

std::optional<pid_t> flock_owner(std::string_view locks, std::string_view file_id) {
  while (!locks.empty()) {
    std::string_view line = take_line(locks);
    take_word(line);  // the lock's number
    if (take_word(line) != "FLOCK") continue;
    take_word(line);  // ADVISORY
    take_word(line);  // READ or WRITE
    const auto pid = parse_number<pid_t>(take_word(line));
    if (pid && *pid > 0 && take_word(line) == file_id) return pid;
  }
  return std::nullopt;
}

std::string lock_owner_text(const UniqueFd& file) {
  struct stat info {};
  if (fstat(file.get(), &info) != 0) return {};
  const std::string file_id =
      fmt::format("{:02x}:{:02x}:{}", major(info.st_dev), minor(info.st_dev), info.st_ino);
  const Result<std::string> locks = RootedKernelFiles("").read_whole("/proc/locks");
  const std::optional<pid_t> pid = locks ? flock_owner(locks.value(), file_id) : std::nullopt;
  return pid ? fmt::format(" (process {})", *pid) : "";
}

}  // namespace damon_statfs
