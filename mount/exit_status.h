// SPDX-License-Identifier: GPL-2.0-or-later
//
// Exit statuses, as mount(8) knows them.
#pragma once

namespace damon_statfs {

inline constexpr int kExitOk = 0;
inline constexpr int kExitUsage = 1;
inline constexpr int kExitMountFailed = 32;

}  // namespace damon_statfs
