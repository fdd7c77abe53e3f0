// SPDX-License-Identifier: GPL-2.0-or-later
//
// umount2(2) takes the mount that is on top at a path, and lazily takes all that is mounted in it,
// too. What others have mounted over a mount of ours has to be out of the way for that.
#pragma once

#include <string>
#include <vector>

#include "damon_statfs/fd.h"
#include "damon_statfs/result.h"
#include "fs/mount_table.h"

namespace damon_statfs {

class MountCover {
 public:
  explicit MountCover(const MountEntry& covered) : covered_(covered) {}
  MountCover(const MountCover&) = delete;
  MountCover& operator=(const MountCover&) = delete;
  ~MountCover();  // puts what was taken off back to where it was

  // Takes off what has been mounted over the covered mount until that is on top at its path. What
  // is taken off is kept as a detached copy (open_tree(2), Linux 5.2). Returns: why it cannot be:
  // ENOENT where something else is mounted over a directory above it.
  Result<void> lift();

 private:
  bool lies_on_it(const MountEntry& top) const;
  Result<void> take(const MountEntry& top);

  const MountEntry& covered_;
  std::vector<UniqueFd> taken_;  // the topmost first; none: not to be put back
};

}  // namespace damon_statfs
