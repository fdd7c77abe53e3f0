// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which physical addresses are memory in use, from /proc/iomem and the states of memory blocks, and
// which of it a mount monitors.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "damon_statfs/operations_context.h"
#include "engine/base/kernel_files.h"

namespace damon_statfs {

// The "System RAM" ranges of /proc/iomem, ascending, without memory blocks that are offline:
// /proc/iomem lists those, too. Returns: ENODEV if there are none, EACCES if the kernel hides the
// addresses (they read as zeros without CAP_SYS_ADMIN).
Result<std::vector<AddressRange>> read_system_ram(const KernelFiles& files);

// The ranges that `selection` means where `ram` is the memory there is; of addresses that were
// given, those that are memory. Precondition: ram not empty.
std::vector<AddressRange> select_ranges(const RamSelection& selection,
                                        const std::vector<AddressRange>& ram);

// What the mount monitors of the memory there is now. Returns: never an empty list, but ENODEV if
// none of the addresses that were given is memory; other errors as read_system_ram().
Result<std::vector<AddressRange>> monitored_ranges(const OperationsContext& context,
                                                   const KernelFiles& files);

// Logs how much of the addresses that were given is left out of `monitored`, if anything is.
void log_left_out(const OperationsContext& context, std::span<const AddressRange> monitored);

// Returns: the bytes in all ranges. Precondition: they do not overlap.
uint64_t total_bytes(std::span<const AddressRange> ranges);

}  // namespace damon_statfs
