// SPDX-License-Identifier: GPL-2.0-or-later
//
// What --help prints, made of the table of options.
#pragma once

#include <string>

namespace damon_statfs {

// The text for --help.
std::string usage();

}  // namespace damon_statfs
