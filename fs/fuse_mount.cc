// SPDX-License-Identifier: GPL-2.0-or-later
//
// The device number tells the mounts of one FUSE file system from all others, as long as the file
// system lives. When the connection is gone, the number may be another file system's by now, so
// that only what is dead is unmounted then.
#include "fs/fuse_mount.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>

#include "damon_statfs/clock.h"
#include "damon_statfs/errno_failure.h"
#include "fs/mount_cover.h"

namespace damon_statfs {
namespace {

// Returns: of the newest mount of ours at the path, as the one before it is below; empty if it
// cannot be told.
std::string device_of(const std::string& mountpoint) {
  std::string device;
  const Result<std::vector<MountEntry>> table = read_mount_table();
  if (!table) return device;
  for (const MountEntry& entry : table.value()) {
    if (entry.mountpoint == mountpoint && entry.type == kMountType) device = entry.device;
  }
  return device;
}

// What lies below another mount cannot be asked, and a live mount would hardly be there by now.
bool may_be_dead(const MountEntry& entry) {
  const Result<uint64_t> id = mount_id_at(entry.mountpoint);
  return !id || id.value() != entry.id || ask_mount(entry.mountpoint) == MountHealth::kDead;
}

}  // namespace

unsigned long mount_flags(std::span<const std::string> words) {
  const auto has = [&](const char* word) {
    return std::find(words.begin(), words.end(), word) != words.end();
  };
  unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  if (has("ro")) flags |= MS_RDONLY;
  if (has("noatime")) flags |= MS_NOATIME;
  if (has("sync")) flags |= MS_SYNCHRONOUS;
  if (has("dirsync")) flags |= MS_DIRSYNC;
  if (has("nosymfollow")) flags |= MS_NOSYMFOLLOW;
  return flags;
}

std::string mount_data(int fuse_fd, std::span<const std::string> words, bool selinux) {
  std::string data =
      fmt::format("fd={},rootmode={:o},user_id={},group_id={},default_permissions,allow_other",
                  fuse_fd, unsigned{S_IFDIR}, getuid(), getgid());
  for (const std::string& word : words) {
    if (selinux && word.find("context=") != std::string::npos) data += "," + word;
  }
  return data;
}

Result<FuseMount> FuseMount::make(int fuse_fd, const FuseMountConfig& config) {
  const bool selinux = access("/sys/fs/selinux/enforce", F_OK) == 0;
  const std::string data = mount_data(fuse_fd, config.words, selinux);
  FuseMount made(config.mountpoint);
  if (mount(config.source.c_str(), config.mountpoint.c_str(), kMountType.data(),
            mount_flags(config.words), data.c_str()) != 0) {
    return errno_failure("{}: mount failed", config.mountpoint);
  }
  made.fuse_fd_ = fuse_fd;
  made.device_ = device_of(config.mountpoint);
  return made;
}

FuseMount::~FuseMount() {
  constexpr int kTries = 2;  // memory may be short for an instant
  for (int tries = 0; fuse_fd_ >= 0 && tries < kTries; ++tries) {
    try {
      unmount();
    } catch (const std::bad_alloc&) {
    }
  }
}

bool FuseMount::is_dead() const {
  constexpr int kTries = 10;
  constexpr int64_t kPauseNs = 20 * kNsPerMs;
  const SystemClock clock;
  for (int tries = 0; tries < kTries; ++tries) {
    const Result<std::vector<MountEntry>> left = entries();
    const bool dead = left && std::any_of(left.value().begin(), left.value().end(), may_be_dead);
    if (!dead) return false;
    clock.wait_until(clock.now_ns() + kPauseNs, -1);
  }
  return true;
}

std::vector<std::string> FuseMount::unmount() {
  std::vector<std::string> stay;
  if (fuse_fd_ < 0) return stay;
  const Result<std::vector<MountEntry>> ours = entries();
  if (!ours) {
    umount2(mountpoint_.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);
    fuse_fd_ = -1;
    return {};
  }
  // The newest first: it may lie on an older one.
  for (auto entry = ours.value().rbegin(); entry != ours.value().rend(); ++entry) {
    if (!connected() && !may_be_dead(*entry)) continue;
    if (const auto why = unmount(*entry)) stay.push_back(*why);
  }
  fuse_fd_ = -1;
  return stay;
}

bool FuseMount::connected() const {
  pollfd fuse{fuse_fd_, 0, 0};
  return ::poll(&fuse, 1, 0) == 0;  // else POLLERR
}

// Returns: the mounts of this file system, or that the table of mounts cannot tell them.
Result<std::vector<MountEntry>> FuseMount::entries() const {
  if (device_.empty()) return failure(ENOENT, fmt::format("{}: device not known", mountpoint_));
  DAMON_STATFS_TRY(table, read_mount_table());
  std::erase_if(table, [&](const MountEntry& entry) {
    return entry.device != device_ || entry.type != kMountType;
  });
  return table;
}

// Returns: why it stays.
std::optional<std::string> FuseMount::unmount(const MountEntry& entry) const {
  const std::string& path = entry.mountpoint;
  MountCover cover(entry);
  if (const Result<void> uncovered = cover.lift(); !uncovered) return uncovered.error().context;
  if (!connected() && !may_be_dead(entry)) return std::nullopt;  // it can be asked now
  if (umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0) {
    const auto failed = errno_failure("{}: cannot be unmounted", path);
    return failed.error().context;
  }
  return std::nullopt;
}

}  // namespace damon_statfs
