// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which physical addresses are memory, from /proc/iomem, and which of it a mount monitors.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "damon_statfs/operations.h"

namespace damon_statfs {

// The "System RAM" ranges of ROOTFS/proc/iomem, ascending. Returns: ENODEV if there are none,
// EACCES if the kernel hides the addresses (they read as zeros without CAP_SYS_ADMIN).
Result<std::vector<AddressRange>> read_system_ram(const std::string& rootfs);

// The ranges that `selection` means where `ram` is the memory there is. Precondition: ram not
// empty.
std::vector<AddressRange> select_ranges(const RamSelection& selection,
                                        const std::vector<AddressRange>& ram);

// What the mount monitors of the memory there is now. Errors: as read_system_ram().
Result<std::vector<AddressRange>> monitored_ranges(const OperationsContext& context);

// Returns: the bytes in all ranges. Precondition: they do not overlap.
uint64_t total_bytes(std::span<const AddressRange> ranges);

}  // namespace damon_statfs
