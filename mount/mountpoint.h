// SPDX-License-Identifier: GPL-2.0-or-later
//
// What has to be so of a mountpoint before anything is mounted on it, and what was left there by a
// daemon that died. Where autofs waits at the mountpoint, only processes of the automounter's
// group, such as mount(8)'s, may look at it, so all this is done before the daemon leaves that.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "damon_statfs/fd.h"
#include "damon_statfs/result.h"

namespace damon_statfs {

inline constexpr char kSubtype[] = "damon-statfs";

// Whether `path` lies below `directory`, or is it; both absolute, without a slash at the end.
bool is_below(std::string_view path, std::string_view directory);

// A mountpoint that is ours to mount on for as long as `lock` is open: two daemons starting at once
// on one directory do not both get it.
struct ClaimedMountpoint {
  std::string path;  // absolute, without symbolic links
  UniqueFd lock;     // none: there is no place for the file
  std::string unlocked_why;
};

// Removes a dead mount of our own type and takes the directory. The lock is a file below
// rootfs/run. Returns: ENOENT, ENOTDIR, or EBUSY where one of us is mounted or starting, ENOTCONN
// for another filesystem's dead mount.
Result<ClaimedMountpoint> claim_mountpoint(const std::string& path, const std::string& rootfs);

// Whether files that the daemon reads lie below the mountpoint, which would hide them. It may take
// the place of DAMON_STAT's directory, unless the daemon uses that: damon_stat_use says how, such
// as "ops=damon_stat mirrors", and is empty if it does not. Returns: EINVAL if so.
Result<void> check_hides_nothing(const std::string& mountpoint, const std::string& rootfs,
                                 std::string_view damon_stat_use);

// Whether what this process mounts stays unseen by the rest of the machine: it is not in the mount
// namespace of process 1. Unknown counts as no.
bool is_in_own_namespace();

// Checks what can be checked without taking it or removing anything: for mount -f.
Result<void> check_mountpoint(const std::string& path);

// Returns: the absolute path of our mount at `path`, dead or alive; EINVAL if there is none.
Result<std::string> our_mountpoint(const std::string& path);

// mount -o remount: changes ro, nosuid and the like of our mount at `path`. words: as from fstab.
Result<void> remount(const std::string& path, const std::vector<std::string>& words);

}  // namespace damon_statfs
