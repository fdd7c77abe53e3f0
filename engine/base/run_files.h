// SPDX-License-Identifier: GPL-2.0-or-later
//
// The daemon's own files, in ROOTFS/run/damon-statfs: locks, and the record of what is ours in the
// kernel. Only a file that no other user can have made or changed is locked, believed or written.
#pragma once

#include <optional>
#include <string>

#include "damon_statfs/fd.h"
#include "damon_statfs/result.h"

namespace damon_statfs {

// Returns: ROOTFS/run/damon-statfs/NAME.
std::string run_file_path(const std::string& rootfs, const std::string& name);

// Opens that file for reading and writing; makes it and its directory if they are not there.
// Returns: EPERM if either is not the user's own, or may be written by others, or is a link or has
// a second name.
Result<UniqueFd> open_run_file(const std::string& rootfs, const std::string& name);

// The same without making anything. Returns: none if there is no such file.
Result<std::optional<UniqueFd>> open_existing_run_file(const std::string& rootfs,
                                                       const std::string& name);

}  // namespace damon_statfs
