// SPDX-License-Identifier: GPL-2.0-or-later
//
// Exit statuses: mount(8)'s, and one for a daemon that has served its mount and lost it, after
// which another start is of use.
#pragma once

namespace damon_statfs {

inline constexpr int kExitOk = 0;
inline constexpr int kExitUsage = 1;
inline constexpr int kExitConnectionLost = 3;
inline constexpr int kExitMountFailed = 32;

}  // namespace damon_statfs
