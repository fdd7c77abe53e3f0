// SPDX-License-Identifier: GPL-2.0-or-later
//
// From the bytes of a perf ring to the records of regions, and what is missing among them. Takes
// any bytes: a ring is memory that the kernel writes meanwhile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/damon/event_format.h"
#include "engine/damon/region_record.h"

namespace damon_statfs {

class RecordDecoder {
 public:
  explicit RecordDecoder(const RegionEventFormat& format) : format_(format) {}

  struct Decoded {
    std::vector<RegionRecord> records;  // in the order in which they were written
    uint64_t dropped = 0;               // lost for want of space, or malformed
  };

  // Takes the records between the positions `tail` and `head` of a ring, both as of
  // walk_perf_ring(). The first record behind a loss says so, also if the loss was at the end of
  // the call before.
  Decoded decode(std::span<const std::byte> ring, uint64_t tail, uint64_t head);

 private:
  const RegionEventFormat format_;
  bool after_loss_ = false;  // whether records before the next one are missing
};

}  // namespace damon_statfs
