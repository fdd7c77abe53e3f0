// SPDX-License-Identifier: GPL-2.0-or-later
//
// A mount over ours cannot be moved where mounts are shared between namespaces, as systemd makes
// them, but copied: the copy is the same file system with all that is in it. Another mount of the
// same file system is not put back, as it is dead like the covered one.
#include "fs/mount_cover.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>

#include <algorithm>
#include <cerrno>

#include "damon_statfs/errno_failure.h"

namespace damon_statfs {
namespace {

constexpr size_t kMaxLayers = 16;  // mounted at one path

}  // namespace

MountCover::~MountCover() {
  for (auto copy = taken_.rbegin(); copy != taken_.rend(); ++copy) {
    if (!*copy) continue;
    move_mount(copy->get(), "", AT_FDCWD, covered_.mountpoint.c_str(), MOVE_MOUNT_F_EMPTY_PATH);
  }
}

Result<void> MountCover::lift() {
  for (;;) {
    const Result<uint64_t> id = mount_id_at(covered_.mountpoint);
    if (id && id.value() == covered_.id) return outcome::success();
    DAMON_STATFS_TRY(top, mount_at(covered_.mountpoint));
    if (!top || !lies_on_it(*top) || taken_.size() >= kMaxLayers) {
      return failure(ENOENT, fmt::format("{}: something else is mounted over it, so the mount of "
                                         "damon-statfs stays below that, dead",
                                         covered_.mountpoint));
    }
    BOOST_OUTCOME_TRYV(take(*top));
  }
}

// Whether `top` lies, through any number of mounts at its path, on the covered one.
bool MountCover::lies_on_it(const MountEntry& top) const {
  const Result<std::vector<MountEntry>> table = read_mount_table();
  if (!table) return false;
  uint64_t id = top.parent_id;
  for (size_t layer = 0; layer < kMaxLayers && id != covered_.id; ++layer) {
    const auto below = std::find_if(
        table.value().begin(), table.value().end(),
        [&](const MountEntry& e) { return e.id == id && e.mountpoint == covered_.mountpoint; });
    if (below == table.value().end()) return false;
    id = below->parent_id;
  }
  return id == covered_.id;
}

// An automounter would not know the copy of its mount.
Result<void> MountCover::take(const MountEntry& top) {
  const char* const path = covered_.mountpoint.c_str();
  UniqueFd copy;
  if (top.device != covered_.device) {
    if (top.type == "autofs") return failure(EBUSY, fmt::format("{}: autofs lies over it", path));
    copy = UniqueFd(open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE));
    if (!copy) return errno_failure("{}: what is mounted over it cannot be copied", path);
  }
  if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) != 0) {
    return errno_failure("{}: what is mounted over it cannot be taken off", path);
  }
  taken_.push_back(std::move(copy));
  return outcome::success();
}

}  // namespace damon_statfs
