// SPDX-License-Identifier: GPL-2.0-or-later
//
// A FUSE mount outlives a daemon that is killed, and then every access to it fails; mounting over
// it does too. The corpse is taken away here, if it is ours.
#include "mount/mountpoint.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "damon_statfs/clock.h"
#include "damon_statfs/errno_failure.h"
#include "damon_statfs/mirror.h"
#include "engine/base/file_lock.h"
#include "engine/base/lock_owner.h"
#include "engine/base/run_files.h"
#include "fs/fuse_mount.h"
#include "fs/mount_table.h"

namespace damon_statfs {
namespace {

constexpr int64_t kMaxLockNs = 5 * kNsPerSecond;  // a start holds the lock for some milliseconds

// What the operations sets read, and where the daemon keeps its own files.
struct NeededDirectory {
  const char* path;
  bool with_contents;  // what is in it is the kernel's, so nothing can be mounted there either
};
constexpr std::array kNeededDirectories = {
    NeededDirectory{"/proc", true},          NeededDirectory{kDamonStatDirectory, false},
    NeededDirectory{"/sys/kernel/mm", true}, NeededDirectory{"/sys/kernel/tracing", true},
    NeededDirectory{"/dev", false},          NeededDirectory{"/run/damon-statfs", false},
};

std::optional<std::string> real_path(const std::string& path) {
  std::string resolved(PATH_MAX, '\0');
  if (realpath(path.c_str(), resolved.data()) == nullptr) return std::nullopt;
  resolved.resize(std::strlen(resolved.c_str()));
  return resolved;
}

// Only the way to the last part is looked up, as realpath() may ask the file system that is mounted
// there, which may be dead or silent. A last part that is a symbolic link leads on.
Result<std::string> absolute_path(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  const size_t slash = path.rfind('/');
  const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const std::string last = slash == std::string::npos ? path : path.substr(slash + 1);
  std::array<char, PATH_MAX> target{};
  const bool leads_on = last.empty() || last == "." || last == ".." ||
                        readlink(path.c_str(), target.data(), target.size()) >= 0;
  const std::optional<std::string> resolved = real_path(leads_on ? path : parent);
  if (!resolved) return errno_failure("{}", path);
  if (leads_on) return *resolved;
  return (*resolved == "/" ? "" : *resolved) + "/" + last;
}

std::string dead_mount_text(const MountEntry& mount) {
  return fmt::format("{}: is a dead mount of type {}; unmount it first", mount.mountpoint,
                     mount.type);
}

auto refuse_mounted(const std::string& path, const char* rest = "") {
  return failure(EBUSY, fmt::format("{}: damon-statfs is already mounted there{}", path, rest));
}

bool is_fuse(const MountEntry& mount) { return mount.type.starts_with("fuse"); }

// Returns: whether a dead mount of ours is in the way; EBUSY for one of ours that is not dead,
// ENOTCONN for a dead one of another type.
Result<bool> dead_mount_at(const std::string& path) {
  DAMON_STATFS_TRY(mount, mount_at(path));
  if (!mount || !is_fuse(*mount)) return false;
  const bool ours = mount->type == kMountType;
  switch (ask_mount(path)) {
    case MountHealth::kDead:
      if (!ours) return failure(ENOTCONN, dead_mount_text(*mount));
      return true;
    case MountHealth::kSilent:
      if (ours) return refuse_mounted(path, " and does not answer");
      return failure(EBUSY, fmt::format("{}: a mount of type {} is there and does not answer", path,
                                        mount->type));
    case MountHealth::kAnswers:
      break;
  }
  if (ours) return refuse_mounted(path);
  return false;
}

Result<void> remove_dead_mounts(const std::string& path) {
  for (;;) {
    DAMON_STATFS_TRY(dead, dead_mount_at(path));
    if (!dead) return outcome::success();
    if (umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0) {
      return errno_failure("{}: a dead mount cannot be removed", path);
    }
  }
}

Result<void> check_directory(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return errno_failure("{}", path);
  if (S_ISDIR(info.st_mode)) return outcome::success();
  return failure(ENOTDIR, fmt::format("{}: {}", path, std::strerror(ENOTDIR)));
}

// Waits for another daemon that is just starting, on whatever mountpoint.
Result<void> take_lock(const UniqueFd& lock, const std::string& path) {
  DAMON_STATFS_TRY(
      taken, lock_file(lock, path + ": mount.lock", SystemClock(), [] { return kMaxLockNs; }));
  if (taken) return outcome::success();
  return failure(
      EBUSY, fmt::format("{}: another damon-statfs{} is being mounted and does not get on", path,
                         lock_owner_text(lock)));
}

}  // namespace

bool is_below(std::string_view path, std::string_view directory) {
  if (directory == "/") return true;
  return path.starts_with(directory) &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

Result<ClaimedMountpoint> claim_mountpoint(const std::string& path, const std::string& rootfs) {
  ClaimedMountpoint claimed;
  DAMON_STATFS_TRY(absolute, absolute_path(path));
  claimed.path = absolute;
  // The file is root's and no other user may open it, so none can lock it.
  Result<UniqueFd> lock = open_run_file(rootfs, "mount.lock");
  if (lock) {
    BOOST_OUTCOME_TRYV(take_lock(lock.value(), path));
    claimed.lock = std::move(lock.value());
  } else {
    claimed.unlocked_why = lock.error().context;
  }
  BOOST_OUTCOME_TRYV(remove_dead_mounts(claimed.path));
  BOOST_OUTCOME_TRYV(check_directory(claimed.path));
  return claimed;
}

Result<void> check_hides_nothing(const std::string& mountpoint, const std::string& rootfs,
                                 std::string_view damon_stat_use) {
  for (const NeededDirectory& needed : kNeededDirectories) {
    std::error_code unknown;
    const std::string path = std::filesystem::weakly_canonical(rootfs + needed.path, unknown);
    const bool hidden =
        is_below(path, mountpoint) || (needed.with_contents && is_below(mountpoint, path));
    if (unknown || !hidden) continue;
    if (path != mountpoint || std::string_view(needed.path) != kDamonStatDirectory) {
      return failure(EINVAL, fmt::format("{}: the mount would hide files that damon-statfs reads; "
                                         "mount it somewhere else",
                                         mountpoint));
    }
    if (damon_stat_use.empty()) continue;
    return failure(EINVAL, fmt::format("{}: {} this directory; mount it somewhere else", mountpoint,
                                       damon_stat_use));
  }
  return outcome::success();
}

bool is_in_own_namespace() {
  struct stat ours {};
  struct stat first {};
  return stat("/proc/self/ns/mnt", &ours) == 0 && stat("/proc/1/ns/mnt", &first) == 0 &&
         ours.st_ino != first.st_ino;
}

Result<void> check_mountpoint(const std::string& path) {
  DAMON_STATFS_TRY(absolute, absolute_path(path));
  DAMON_STATFS_TRY(would_be_replaced, dead_mount_at(absolute));
  return would_be_replaced ? outcome::success() : check_directory(absolute);
}

Result<std::string> our_mountpoint(const std::string& path) {
  DAMON_STATFS_TRY(absolute, absolute_path(path));
  DAMON_STATFS_TRY(mount, mount_at(absolute));
  if (mount && mount->type == kMountType) return absolute;
  if (!mount && access(absolute.c_str(), F_OK) != 0) return errno_failure("{}", path);
  return failure(EINVAL, fmt::format("{}: no damon-statfs is mounted there", path));
}

Result<void> remount(const std::string& path, const std::vector<std::string>& words) {
  DAMON_STATFS_TRY(absolute, our_mountpoint(path));
  const unsigned long flags = MS_REMOUNT | mount_flags(words);
  if (mount(nullptr, absolute.c_str(), nullptr, flags, nullptr) == 0) return outcome::success();
  return errno_failure("{}: remount failed", path);
}

}  // namespace damon_statfs
