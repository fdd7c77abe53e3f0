// SPDX-License-Identifier: GPL-2.0-or-later
//
// The command line: damon-statfs [-f] [-d] [-o OPT[,OPT...]] [SOURCE] MOUNTPOINT, as people type it
// and as mount(8) and systemd pass it on from fstab.
#pragma once

#include "damon_statfs/registry.h"
#include "damon_statfs/result.h"
#include "mount/options.h"

namespace damon_statfs {

// sloppy: words of -o that are not known are left out with a warning (mount -s).
// Returns: the options, or EINVAL with one line that names the wrong word and what is allowed.
Result<Options> parse_options(int argc, char** argv, const OperationsRegistry& registry,
                              bool sloppy = false);

}  // namespace damon_statfs
