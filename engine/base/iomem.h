// SPDX-License-Identifier: GPL-2.0-or-later
//
// The text of /proc/iomem, and what the files of memory blocks say: physical addresses in
// hexadecimal. Kernels and what copies their texts differ in the details, and any text may come in.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "damon_statfs/region.h"

namespace damon_statfs {

// No machine has physical addresses of more bits; sums of larger ones would wrap.
constexpr uint64_t kLastAddress = (uint64_t{1} << 62) - 1;

// One line, such as "  00100000-bffdffff : System RAM". Returns: its addresses, the end being the
// first one behind it, which may be at or before the start; none if the line is not of memory, or
// an address is above kLastAddress.
std::optional<AddressRange> parse_system_ram(std::string_view line);

struct ListedRam {
  std::vector<AddressRange> ranges;  // in the order of the text, none of them empty
  bool hidden = false;               // the kernel shows zeros instead of addresses
};

// All lines of memory in a text of /proc/iomem.
ListedRam parse_iomem(std::string_view text);

// Returns: the number in a name such as "memory42" of /sys/devices/system/memory, which is the
// memory block's address in blocks; none for another name.
std::optional<uint64_t> memory_block_number(std::string_view name);

// Returns: the size of a memory block in bytes, from the text of block_size_bytes; none if it is no
// size.
std::optional<uint64_t> parse_block_bytes(std::string_view text);

}  // namespace damon_statfs
