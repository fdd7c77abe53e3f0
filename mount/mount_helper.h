// SPDX-License-Identifier: GPL-2.0-or-later
//
// Called as /sbin/mount.damon-statfs by mount(8) for -t damon-statfs, whose rules for such programs
// give other meanings to our flags: mount.TYPE SOURCE DIR [-sfnv] [-N NAMESPACE] [-o OPTS] [-t T].
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "damon_statfs/result.h"

namespace damon_statfs {

struct HelperCall {
  std::vector<std::string> arguments;  // the same as damon-statfs takes it
  bool fake = false;                   // -f: check everything, mount nothing
  bool sloppy = false;                 // -s: words that are not known are left out
};

// Whether this is a name that mount(8) calls a helper by: mount.TYPE, with or without directories.
bool is_mount_helper(std::string_view program);

// Returns: EINVAL with one line for what no helper is given, and for -N with another mount
// namespace than ours.
Result<HelperCall> parse_helper_call(int argc, char** argv);

}  // namespace damon_statfs
