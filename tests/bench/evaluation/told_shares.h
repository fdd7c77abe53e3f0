// SPDX-License-Identifier: GPL-2.0-or-later
//
// The shares that a mount's status tells, which are exact where those of 101 percentiles are known
// to half a point only, and their standard errors. Asked for by the ioctl, for which no program
// has to be started between two looks at the files.
#pragma once

#include <array>
#include <string>

namespace guest_test {

// Percent of the monitored memory; NaN: not told, as by the kernel's own DAMON_STAT.
struct ToldShare {
  double percent = 0;
  double standard_error = 0;
};

// Of memory idle for less than 1 s, 6 s and 60 s, as the mount on the directory tells them now.
std::array<ToldShare, 3> told_shares(const std::string& directory);

}  // namespace guest_test
