// SPDX-License-Identifier: GPL-2.0-or-later
//
// What DAMON's sysfs directories hold when the kernel has just made them, by kernel version. The
// product tells versions apart by nothing but these files.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "damon_statfs/region.h"

namespace damon_statfs::test {

// The first versions with a set of files that matters; none: DAMON is not built in.
enum class Kernel { none, k6_2, k6_7, k6_12, k6_15, k6_17, k7_2 };

inline const std::string kKdamonds = "/sys/kernel/mm/damon/admin/kdamonds";
inline const std::string kDamonStatSwitch = "/sys/module/damon_stat/parameters/enabled";

// Files by absolute path, without their final newline. A directory is there if a file is below it.
using Files = std::map<std::string, std::string>;

// One numbered directory each, as writing its nr_* file makes it. dir: with the number.
void make_kdamond(Files& files, const std::string& dir, Kernel kernel);
void make_context(Files& files, const std::string& dir, Kernel kernel);
void make_target(Files& files, const std::string& dir, Kernel kernel);
void make_range(Files& files, const std::string& dir);
void make_scheme(Files& files, const std::string& dir, Kernel kernel);
void make_filter(Files& files, const std::string& dir);
void make_tried_region(Files& files, const std::string& dir, const Region& region, Kernel kernel);

// Whether the kernel offers this file's name for reading only.
bool is_read_only(std::string_view path);

// Whether `path` is `dir` or below it.
bool is_within(std::string_view path, std::string_view dir);

// Removes what is in `dir` under a number.
void remove_numbered(Files& files, const std::string& dir);

// Returns: the names in a directory.
std::vector<std::string> names_in(const Files& files, const std::string& dir);

}  // namespace damon_statfs::test
