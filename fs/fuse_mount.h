// SPDX-License-Identifier: GPL-2.0-or-later
//
// A FUSE file system in the table of mounts: mount(2), and umount2(2) of what was mounted wherever
// it is by then. libfuse would unmount whatever is at the path, and only at the path.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "damon_statfs/result.h"
#include "fs/mount_table.h"

namespace damon_statfs {

inline constexpr std::string_view kMountType = "fuse.damon-statfs";  // fuse.SUBTYPE

struct FuseMountConfig {
  std::string mountpoint;          // absolute
  std::string source;              // the first field of fstab
  std::vector<std::string> words;  // of -o: ro, sync, dirsync, noatime, nosymfollow, context=
};

// mount(2)'s flags for these words, and those that every mount of ours has.
unsigned long mount_flags(std::span<const std::string> words);

// mount(2)'s text for FUSE. SELinux's words are in it where that is on; another kernel would refuse
// them, and mount(8) leaves them out there, too.
std::string mount_data(int fuse_fd, std::span<const std::string> words, bool selinux);

class FuseMount {
 public:
  // fuse_fd: an open /dev/fuse, which stays open for as long as this. Returns: mount(2)'s errno.
  static Result<FuseMount> make(int fuse_fd, const FuseMountConfig& config);

  FuseMount(FuseMount&& other) noexcept
      : fuse_fd_(std::exchange(other.fuse_fd_, -1)),
        mountpoint_(std::move(other.mountpoint_)),
        device_(std::move(other.device_)) {}
  FuseMount(const FuseMount&) = delete;
  FuseMount& operator=(const FuseMount&) = delete;
  FuseMount& operator=(FuseMount&&) = delete;
  ~FuseMount();

  // Whether the kernel has ended the connection and not the mount: no daemon will answer there
  // again. A forced umount(8) does one shortly before the other, so this waits a moment for that.
  bool is_dead() const;

  // Unmounts all mounts of this file system that are in this mount namespace, lazily, and nothing
  // else: what has been mounted over one of them is put back. Where the table of mounts cannot be
  // read, the path alone says what is unmounted. Returns: a line for each mount that could not be
  // reached and stays.
  std::vector<std::string> unmount();

 private:
  explicit FuseMount(std::string mountpoint) : mountpoint_(std::move(mountpoint)) {}

  bool connected() const;
  Result<std::vector<MountEntry>> entries() const;
  std::optional<std::string> unmount(const MountEntry& entry) const;

  int fuse_fd_ = -1;        // -1: not mounted
  std::string mountpoint_;  // where it was mounted
  std::string device_;      // major:minor; empty: not known
};

}  // namespace damon_statfs
