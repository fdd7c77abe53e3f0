// SPDX-License-Identifier: GPL-2.0-or-later
//
// The values of mount options as text. Each parser takes the whole text or nothing; what is allowed
// is said by the option table, which knows the option's name.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "damon_statfs/operations_context.h"

namespace damon_statfs {

// A decimal number from `min` to `max`.
std::optional<uint64_t> parse_count(std::string_view text, uint64_t min, uint64_t max);

// A percentage from 0.001 to 100; decimals allowed.
std::optional<double> parse_percent(std::string_view text);

// A process id: a decimal number, at least 1.
std::optional<pid_t> parse_pid(std::string_view text);

// SIZE@PERIOD[+SIZE@PERIOD...]: sizes with K, M, G, T or P (powers of 1,024), multiples of 4K;
// periods with us, ms or s, or "never".
std::optional<std::vector<SimPart>> parse_sim(std::string_view text);

// all, biggest, span or START-END[+START-END...]: ascending addresses, multiples of 4K, decimal, 0x
// hexadecimal or with K to P; END is the first address after the range.
std::optional<RamSelection> parse_ram(std::string_view text);

}  // namespace damon_statfs
