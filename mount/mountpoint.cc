// SPDX-License-Identifier: GPL-2.0-or-later
//
// A FUSE mount outlives a daemon that is killed, and then every access to it fails; mounting over
// it does too. The corpse is taken away here, if it is ours.
#include "mount/mountpoint.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string_view>

namespace damon_statfs {
namespace {

constexpr std::string_view kOurType = "fuse.damon-statfs";  // fuse.SUBTYPE

std::optional<std::string> real_path(const std::string& path) {
  std::string resolved(PATH_MAX, '\0');
  if (realpath(path.c_str(), resolved.data()) == nullptr) return std::nullopt;
  resolved.resize(std::strlen(resolved.c_str()));
  return resolved;
}

// realpath() that also works where the last part is a dead mount.
Result<std::string> absolute_path(std::string path) {
  if (const std::optional<std::string> resolved = real_path(path)) return *resolved;
  if (errno != ENOTCONN) return failure(errno, fmt::format("{}: {}", path, std::strerror(errno)));
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  const size_t slash = path.rfind('/');
  const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const std::optional<std::string> resolved = real_path(parent);
  if (!resolved) return failure(errno, fmt::format("{}: {}", parent, std::strerror(errno)));
  return (*resolved == "/" ? "" : *resolved) + "/" + path.substr(slash + 1);
}

// Undoes the \040 and the like of /proc/self/mountinfo.
std::string unescape(const std::string& text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      plain += static_cast<char>(std::stoi(text.substr(i + 1, 3), nullptr, 8));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

// Whether requests to the filesystem at `path` are answered. statfs() is never served from a cache.
bool is_alive(const std::string& path) {
  struct statfs info {};
  if (statfs(path.c_str(), &info) == 0) return true;
  return errno != ENOTCONN && errno != ECONNABORTED;  // dead, or dying just now
}

std::string dead_mount_text(const std::string& path, const std::optional<std::string>& type) {
  return fmt::format("{}: is a dead mount of type {}; unmount it first", path,
                     type.value_or("unknown"));
}

Result<void> remove_dead_mounts(const std::string& path) {
  while (!is_alive(path)) {
    const std::optional<std::string> type = mounted_type(path);
    if (type != kOurType) {
      return failure(ENOTCONN, dead_mount_text(path, type));
    }
    if (umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0) {
      return failure(
          errno, fmt::format("{}: a dead mount cannot be removed: {}", path, std::strerror(errno)));
    }
  }
  return outcome::success();
}

}  // namespace

std::optional<std::string> mounted_type(const std::string& path) {
  std::ifstream mountinfo("/proc/self/mountinfo");
  std::optional<std::string> type;
  for (std::string line; std::getline(mountinfo, line);) {
    std::istringstream fields(line);
    std::string mount_id, parent_id, device, root, mountpoint, word;
    fields >> mount_id >> parent_id >> device >> root >> mountpoint;
    while (fields >> word && word != "-") {
    }
    if (unescape(mountpoint) == path && fields >> word) type = word;  // later lines are on top
  }
  return type;
}

Result<ClaimedMountpoint> claim_mountpoint(const std::string& path) {
  ClaimedMountpoint claimed;
  DAMON_STATFS_TRY(absolute, absolute_path(path));
  claimed.path = absolute;
  BOOST_OUTCOME_TRYV(remove_dead_mounts(claimed.path));
  if (mounted_type(claimed.path) == kOurType) {
    return failure(EBUSY, fmt::format("{}: damon-statfs is already mounted there", path));
  }
  claimed.lock = UniqueFd(open(claimed.path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!claimed.lock) return failure(errno, fmt::format("{}: {}", path, std::strerror(errno)));
  if (flock(claimed.lock.get(), LOCK_EX | LOCK_NB) != 0 || mounted_type(claimed.path) == kOurType) {
    return failure(EBUSY, fmt::format("{}: another damon-statfs is being mounted there", path));
  }
  return claimed;
}

bool is_in_own_namespace() {
  struct stat ours {};
  struct stat first {};
  return stat("/proc/self/ns/mnt", &ours) == 0 && stat("/proc/1/ns/mnt", &first) == 0 &&
         ours.st_ino != first.st_ino;
}

Result<void> check_mountpoint(const std::string& path) {
  DAMON_STATFS_TRY(absolute, absolute_path(path));
  struct stat info {};
  const std::optional<std::string> type = mounted_type(absolute);
  if (!is_alive(absolute)) {
    if (type == kOurType) return outcome::success();  // it would be replaced
    return failure(ENOTCONN, dead_mount_text(path, type));
  }
  if (stat(absolute.c_str(), &info) == 0 && !S_ISDIR(info.st_mode)) {
    return failure(ENOTDIR, fmt::format("{}: {}", path, std::strerror(ENOTDIR)));
  }
  if (type != kOurType) return outcome::success();
  return failure(EBUSY, fmt::format("{}: damon-statfs is already mounted there", path));
}

Result<std::string> our_mountpoint(const std::string& path) {
  DAMON_STATFS_TRY(absolute, absolute_path(path));
  if (mounted_type(absolute) == kOurType) return absolute;
  return failure(EINVAL, fmt::format("{}: no damon-statfs is mounted there", path));
}

Result<void> remount(const std::string& path, const std::vector<std::string>& words) {
  DAMON_STATFS_TRY(absolute, our_mountpoint(path));
  const auto has = [&](const char* word) {
    return std::find(words.begin(), words.end(), word) != words.end();
  };
  unsigned long flags = MS_REMOUNT | MS_NOSUID | MS_NODEV | MS_NOEXEC;
  if (has("ro")) flags |= MS_RDONLY;
  if (has("noatime")) flags |= MS_NOATIME;
  if (has("sync")) flags |= MS_SYNCHRONOUS;
  if (has("dirsync")) flags |= MS_DIRSYNC;
  if (mount(nullptr, absolute.c_str(), nullptr, flags, nullptr) == 0) return outcome::success();
  return failure(errno, fmt::format("{}: remount failed: {}", path, std::strerror(errno)));
}

}  // namespace damon_statfs
