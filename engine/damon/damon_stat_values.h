// SPDX-License-Identifier: GPL-2.0-or-later
//
// The texts of DAMON_STAT's parameter files, parsed strictly: what is not exactly what a kernel
// writes is no value. Each text comes without its final newline.
#pragma once

#include <optional>
#include <string_view>

#include "damon_statfs/snapshot.h"

namespace damon_statfs {

using IdlePercentiles = decltype(Statistics::memory_idle_ms_percentiles);

// The text of `enabled`: "Y" or "N". Returns: none if it is something else.
std::optional<bool> parse_enabled(std::string_view text);

// The text of memory_idle_ms_percentiles: 101 numbers in milliseconds with a comma between two.
// Returns: none if it is something else.
std::optional<IdlePercentiles> parse_percentiles(std::string_view text);

}  // namespace damon_statfs
