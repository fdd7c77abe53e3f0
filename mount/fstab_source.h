// SPDX-License-Identifier: GPL-2.0-or-later
//
// fstab's old form for FUSE, "damon-statfs#SOURCE DIR fuse ...": mount.fuse(8) cuts the source at
// the "#", and `mount -a` looks for the whole in the table of mounts to see what is mounted.
#pragma once

#include <string>

namespace damon_statfs {

// Returns: the source as `fstab` writes it, if a line of type fuse there is for this mountpoint and
// leads to this source; else the same source.
std::string source_in_fstab(const std::string& source, const std::string& mountpoint,
                            const char* fstab = "/etc/fstab");

}  // namespace damon_statfs
