// SPDX-License-Identifier: GPL-2.0-or-later
//
// Records of regions out of any bytes. What cannot be decoded is counted, and the next record that
// can be says that some are missing before it.
#include "engine/damon/record_decoder.h"

#include <linux/perf_event.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "engine/base/random.h"
#include "support/catch.h"
#include "support/event_formats.h"

namespace damon_statfs::test {
namespace {

constexpr size_t kRingBytes = 4096;
constexpr uint32_t kRawBytes = 48;  // of kAggregatedFormat

struct Ring {
  std::vector<std::byte> bytes = std::vector<std::byte>(kRingBytes);
  uint64_t tail = 0;
  uint64_t head = 0;

  template <class T>
  void put(T value) {
    std::byte raw[sizeof value];
    std::memcpy(raw, &value, sizeof value);
    for (const std::byte byte : raw) bytes[head++ % kRingBytes] = byte;
  }
  void region(int64_t time_ns, uint64_t start, uint64_t end, uint32_t nr_regions = 2) {
    put(perf_event_header{PERF_RECORD_SAMPLE, 0, 72});
    put(time_ns);
    put(kRawBytes);
    put(uint64_t{0});   // common fields
    put(uint64_t{3});   // target_id
    put(nr_regions);    //
    put(uint32_t{0});   // a hole
    put(start);         //
    put(end);           //
    put(uint32_t{17});  // nr_accesses
    put(uint32_t{9});   // age
    put(uint32_t{0});   // records are multiples of 8 bytes
  }
  void lost(uint64_t count) {
    put(perf_event_header{PERF_RECORD_LOST, 0, 24});
    put(uint64_t{1});
    put(count);
  }
  RecordDecoder::Decoded decode(RecordDecoder& decoder) {
    RecordDecoder::Decoded decoded = decoder.decode(bytes, tail, head);
    tail = head;
    return decoded;
  }
};

RecordDecoder make_decoder() {
  return RecordDecoder(RegionEventFormat::parse(kAggregatedFormat).value());
}

TEST_CASE("records of regions", "[record_decoder]") {
  Ring ring;
  RecordDecoder decoder = make_decoder();
  ring.region(1'000, 4096, 8192);
  ring.region(1'001, 8192, 12288);
  const auto [records, dropped] = ring.decode(decoder);
  REQUIRE(records.size() == 2);
  CHECK(dropped == 0);
  CHECK(records[0].time_ns == 1'000);
  CHECK(records[0].target_id == 3);
  CHECK(records[0].nr_regions == 2);
  CHECK(records[0].start == 4096);
  CHECK(records[0].end == 8192);
  CHECK(records[0].nr_accesses == 17);
  CHECK(records[0].age == 9);
  CHECK_FALSE(records[0].after_loss);
  CHECK(records[1].start == 8192);
  CHECK(ring.decode(decoder).records.empty());
}

TEST_CASE("the record behind a loss says so, also in the next call", "[record_decoder]") {
  Ring ring;
  RecordDecoder decoder = make_decoder();
  ring.region(1, 4096, 8192);
  ring.lost(5);
  RecordDecoder::Decoded decoded = ring.decode(decoder);
  CHECK(decoded.dropped == 5);
  REQUIRE(decoded.records.size() == 1);
  CHECK_FALSE(decoded.records[0].after_loss);
  ring.region(2, 4096, 8192);
  ring.region(3, 8192, 12288);
  decoded = ring.decode(decoder);
  CHECK(decoded.dropped == 0);
  REQUIRE(decoded.records.size() == 2);
  CHECK(decoded.records[0].after_loss);
  CHECK_FALSE(decoded.records[1].after_loss);
}

TEST_CASE("a record that makes no sense is lost", "[record_decoder]") {
  Ring ring;
  RecordDecoder decoder = make_decoder();
  ring.region(1, 8192, 8192);
  ring.region(2, 4096, 8192, 0);
  ring.put(perf_event_header{PERF_RECORD_SAMPLE, 0, 24});  // too short for a region
  ring.put(int64_t{3});
  ring.put(uint32_t{4});
  ring.put(uint32_t{0});
  ring.region(4, 4096, 8192);
  const auto [records, dropped] = ring.decode(decoder);
  CHECK(dropped == 3);
  REQUIRE(records.size() == 1);
  CHECK(records[0].time_ns == 4);
  CHECK(records[0].after_loss);
}

TEST_CASE("any bytes at any positions", "[record_decoder]") {
  Random random(4711);
  for (int round = 0; round < 2'000; ++round) {
    CAPTURE(round);
    RecordDecoder decoder = make_decoder();
    Ring ring;
    // Whole records first, of which some bytes are then overwritten.
    while (ring.head < kRingBytes - 100) ring.region(1, 4096, 8192);
    for (int damage = 0; damage < 20; ++damage) {
      ring.bytes[random.in_range(0, kRingBytes)] = static_cast<std::byte>(random.in_range(0, 256));
    }
    ring.tail = random.in_range(0, 2) == 0 ? 0 : random.in_range(0, kRingBytes);
    const uint64_t written = ring.head;
    if (random.in_range(0, 4) == 0) ring.head = random.in_range(0, UINT64_MAX);
    const auto [records, dropped] = ring.decode(decoder);
    CHECK(records.size() <= written / 72);
    CHECK(std::all_of(records.begin(), records.end(), [](const RegionRecord& record) {
      return record.start < record.end && record.nr_regions > 0;
    }));
  }
}

}  // namespace
}  // namespace damon_statfs::test
