// SPDX-License-Identifier: GPL-2.0-or-later
//
// A record that makes no sense is lost like one that the kernel had no space for: the aggregation
// that it belongs to is not whole.
#include "engine/damon/record_decoder.h"

#include <optional>
#include <utility>

#include "engine/damon/perf_ring.h"

namespace damon_statfs {

RecordDecoder::Decoded RecordDecoder::decode(std::span<const std::byte> ring, uint64_t tail,
                                             uint64_t head) {
  Decoded decoded;
  const auto lose = [&](uint64_t count) {
    decoded.dropped += count;
    after_loss_ = true;
  };
  const auto take = [&](int64_t time_ns, std::span<const std::byte> raw) {
    std::optional<RegionRecord> record = format_.decode(raw);
    if (!record) return lose(1);
    record->time_ns = time_ns;
    record->after_loss = std::exchange(after_loss_, false);
    decoded.records.push_back(*record);
  };
  walk_perf_ring(ring, tail, head, take, lose);
  return decoded;
}

}  // namespace damon_statfs
