// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the daemon says of itself: as JSON through an ioctl (status_ioctl.h), and the same as lines
// for people, in the log after SIGUSR1 and from damon-statfs --status.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mount/figures.h"

namespace damon_statfs {

// The figures of the table in figures.h, of which each is a member: null if it does not apply, or
// is not known. Numbers have three decimals at most. Returns: one line of ASCII, at most as long as
// struct damon_statfs_status holds.
std::string status_json(const StatusFacts& facts);

// The members of such an object that are not null, as lines "name: value" of printable text.
// Returns: none if it is not one. The text may come from any program: what answers need not be a
// daemon of ours.
std::vector<std::string> status_lines(std::string_view json);

// Such an object in one line of ASCII. Returns: nothing if it is not one.
std::string ascii_json(std::string_view json);

}  // namespace damon_statfs
