// SPDX-License-Identifier: GPL-2.0-or-later
//
// perf_event_open(2), "MMAP layout". A record that runs over the end of the ring is first put
// together.
#include "engine/damon/perf_ring.h"

#include <linux/perf_event.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace damon_statfs {
namespace {

// Bytes of the ring at any position, whole.
class RingReader {
 public:
  explicit RingReader(std::span<const std::byte> ring) : ring_(ring) {}

  std::span<const std::byte> at(uint64_t position, size_t bytes) {
    const size_t offset = static_cast<size_t>(position % ring_.size());
    const size_t to_end = ring_.size() - offset;
    if (bytes <= to_end) return ring_.subspan(offset, bytes);
    joined_.resize(bytes);
    std::copy_n(ring_.begin() + static_cast<std::ptrdiff_t>(offset), to_end, joined_.begin());
    std::copy_n(ring_.begin(), bytes - to_end,
                joined_.begin() + static_cast<std::ptrdiff_t>(to_end));
    return joined_;
  }

 private:
  const std::span<const std::byte> ring_;
  std::vector<std::byte> joined_;
};

template <class T>
T get(std::span<const std::byte> bytes, size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

// header, u64 time, u32 size, data. Returns: whether it makes sense.
bool take_sample(std::span<const std::byte> record, const OnPerfSample& on_sample) {
  constexpr size_t kTime = sizeof(perf_event_header);
  constexpr size_t kSize = kTime + sizeof(uint64_t);
  constexpr size_t kData = kSize + sizeof(uint32_t);
  if (record.size() < kData) return false;
  const auto size = get<uint32_t>(record, kSize);
  if (size > record.size() - kData) return false;
  on_sample(static_cast<int64_t>(get<uint64_t>(record, kTime)), record.subspan(kData, size));
  return true;
}

// header, u64 id, u64 lost. Returns: the number lost.
uint64_t lost_records(std::span<const std::byte> record) {
  constexpr size_t kLost = sizeof(perf_event_header) + sizeof(uint64_t);
  return record.size() < kLost + sizeof(uint64_t) ? 1 : get<uint64_t>(record, kLost);
}

}  // namespace

void walk_perf_ring(std::span<const std::byte> ring, uint64_t tail, uint64_t head,
                    const OnPerfSample& on_sample, const OnPerfLoss& on_loss) {
  if (head - tail > ring.size()) return on_loss(1);
  RingReader reader(ring);
  while (head - tail >= sizeof(perf_event_header)) {
    const auto header = get<perf_event_header>(reader.at(tail, sizeof(perf_event_header)), 0);
    // Without its size there is no way to the next one.
    if (header.size < sizeof header || header.size > head - tail) return on_loss(1);
    const std::span<const std::byte> record = reader.at(tail, header.size);
    if (header.type == PERF_RECORD_SAMPLE && !take_sample(record, on_sample)) on_loss(1);
    if (header.type == PERF_RECORD_LOST) on_loss(lost_records(record));
    tail += header.size;
  }
}

}  // namespace damon_statfs
