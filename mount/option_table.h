// SPDX-License-Identifier: GPL-2.0-or-later
//
// Our own options for -o as one table: what the parser takes, what a refusal says is allowed, and
// what --help prints come from the same row.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "mount/options.h"

namespace damon_statfs {

// The values of an option that is a whole number.
struct NumberRange {
  const char* unit;
  uint64_t min;
  uint64_t max;
};

// One NAME=VALUE option. Either `range` and `number` are set, or `allowed` and `set`.
struct Option {
  const char* name;
  const char* syntax;    // of the value
  const char* standard;  // the default as it would be written; none: nullptr
  const char* help;
  const char* allowed = nullptr;                                    // what a refusal says
  bool (*set)(Options& options, std::string_view value) = nullptr;  // false: not allowed
  const NumberRange* range = nullptr;
  uint64_t& (*number)(Options& options) = nullptr;
  bool changeable = false;  // while it is mounted

  // Returns: false if the value is not allowed; then nothing is set.
  bool take(Options& options, std::string_view value) const;
  std::string allowed_text() const;
};

// In the order of --help.
std::span<const Option> all_options();

// Returns: the option of that name, or nullptr.
const Option* find_option(std::string_view name);

}  // namespace damon_statfs
