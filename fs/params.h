// SPDX-License-Identifier: GPL-2.0-or-later
//
// The files of /sys/module/damon_stat/parameters as one table: name, mode, since when, what a read
// shows. A new file is one row.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "damon_statfs/snapshot.h"

namespace damon_statfs {

// The kernel whose directory is mimicked (mount option abi=).
enum class Abi { k6_17, k6_18, k7_2 };

struct Param {
  const char* name;
  mode_t mode;         // permission bits
  Abi since;           // the first kernel that has the file
  uint32_t name_hash;  // the kernel's hash of the name, which is the file's place in the directory
  bool writable;       // whether a write does something; a chmod alone does not make it so
  std::string (*show)(const Snapshot& snapshot, Abi abi);
};

// All files in directory order.
std::span<const Param> all_params();

// What a write to a boolean parameter means. Returns: none for text the kernel answers with EINVAL.
// Only the first one or two characters count.
std::optional<bool> parse_bool(std::string_view text, Abi abi);

}  // namespace damon_statfs
