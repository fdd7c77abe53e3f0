// SPDX-License-Identifier: GPL-2.0-or-later
//
// The records in the ring that perf_event_open(2) and mmap(2) give, walked without trusting what
// they say of their own size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

namespace damon_statfs {

// time_ns and raw data of a sample; the data is valid during the call.
using OnPerfSample = std::function<void(int64_t time_ns, std::span<const std::byte> raw)>;

// How many records are missing at this point: lost for want of space, or making no sense.
using OnPerfLoss = std::function<void(uint64_t count)>;

// Calls on_sample for each sample of PERF_SAMPLE_TIME | PERF_SAMPLE_RAW between the positions
// `tail` and `head`, which count bytes since the ring was made, and on_loss where some are missing.
// ring: its data, a power of two of bytes.
void walk_perf_ring(std::span<const std::byte> ring, uint64_t tail, uint64_t head,
                    const OnPerfSample& on_sample, const OnPerfLoss& on_loss);

}  // namespace damon_statfs
