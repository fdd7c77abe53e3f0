// SPDX-License-Identifier: GPL-2.0-or-later
//
// A ring buffer is memory that a kernel writes while we read. Whatever bytes are in it, reading
// ends, stays inside, and says what was lost.
#include "engine/damon/perf_ring.h"

#include <linux/perf_event.h>

#include <cstring>
#include <string>
#include <vector>

#include "engine/base/random.h"
#include "support/catch.h"

namespace damon_statfs::test {
namespace {

constexpr uint64_t kRingBytes = 1024;

struct Sample {
  int64_t time_ns;
  std::string data;
  bool operator==(const Sample&) const = default;
};

struct Content {
  std::vector<Sample> samples;
  uint64_t lost = 0;
  uint64_t times_lost = 0;
};

// A ring as the kernel fills it: positions only grow.
struct Ring {
  std::vector<std::byte> bytes = std::vector<std::byte>(kRingBytes);
  uint64_t tail = 0;
  uint64_t head = 0;

  explicit Ring(uint64_t position = 0) : tail(position), head(position) {}

  template <class T>
  void put(T value) {
    std::byte raw[sizeof value];
    std::memcpy(raw, &value, sizeof value);
    for (const std::byte byte : raw) bytes[head++ % kRingBytes] = byte;
  }
  void header(uint32_t type, int size_bytes) {
    put(perf_event_header{type, 0, static_cast<uint16_t>(size_bytes)});
  }
  // 40 bytes, of which data_bytes are said to be data.
  void sample(int64_t time_ns, char letter, uint32_t data_bytes = 20) {
    header(PERF_RECORD_SAMPLE, 40);
    put(static_cast<uint64_t>(time_ns));
    put(data_bytes);
    for (int i = 0; i < 20; ++i) put(letter);
  }
  void lost(uint64_t count) {
    header(PERF_RECORD_LOST, 24);
    put<uint64_t>(1);
    put(count);
  }

  Content read() const {
    Content content;
    const auto on_sample = [&](int64_t time_ns, std::span<const std::byte> raw) {
      const auto* const text = reinterpret_cast<const char*>(raw.data());
      content.samples.push_back({time_ns, std::string(text, raw.size())});
    };
    const auto on_loss = [&](uint64_t count) {
      content.lost += count;
      ++content.times_lost;
    };
    walk_perf_ring(bytes, tail, head, on_sample, on_loss);
    return content;
  }
};

const std::string kA(20, 'a');
const std::string kB(20, 'b');

TEST_CASE("samples, in the order in which they were written", "[perf_ring]") {
  Ring ring;
  ring.sample(5, 'a');
  ring.sample(6, 'b', 4);
  const Content content = ring.read();
  CHECK(content.samples == std::vector<Sample>{{5, kA}, {6, "bbbb"}});
  CHECK(content.lost == 0);
}

TEST_CASE("an empty ring", "[perf_ring]") {
  CHECK(Ring(1'000'000).read().samples.empty());
  CHECK(Ring(1'000'000).read().lost == 0);
}

TEST_CASE("records that wrap around the end", "[perf_ring]") {
  for (uint64_t before_end = 0; before_end <= 80; before_end += 8) {
    CAPTURE(before_end);
    Ring ring(5 * kRingBytes - before_end);
    ring.sample(5, 'a');
    ring.sample(6, 'b');
    CHECK(ring.read().samples == std::vector<Sample>{{5, kA}, {6, kB}});
    CHECK(ring.read().lost == 0);
  }
}

TEST_CASE("positions that wrap around 64 bits", "[perf_ring]") {
  Ring ring(~uint64_t{0} - 23);
  ring.sample(5, 'a');
  CHECK(ring.read().samples == std::vector<Sample>{{5, kA}});
}

TEST_CASE("losses are told, other records skipped", "[perf_ring]") {
  Ring ring;
  ring.sample(5, 'a');
  ring.lost(17);
  ring.header(PERF_RECORD_THROTTLE, 16);
  ring.put<uint64_t>(0);
  ring.lost(3);
  ring.sample(6, 'b');
  const Content content = ring.read();
  CHECK(content.samples == std::vector<Sample>{{5, kA}, {6, kB}});
  CHECK(content.lost == 20);
}

TEST_CASE("a malformed sample does not hide the next", "[perf_ring]") {
  Ring ring;
  ring.sample(5, 'a', 21);             // more data than the record has
  ring.sample(6, 'a', 4'000'000'000);  // far more
  ring.sample(7, 'b');
  const Content content = ring.read();
  CHECK(content.samples == std::vector<Sample>{{7, kB}});
  CHECK(content.lost == 2);
}

TEST_CASE("sizes that lead nowhere end the walk", "[perf_ring]") {
  for (const int size_bytes : {0, 7, 800, 65'535}) {
    CAPTURE(size_bytes);
    Ring ring;
    ring.sample(5, 'a');
    ring.header(PERF_RECORD_SAMPLE, size_bytes);
    ring.sample(6, 'b');
    const Content content = ring.read();
    CHECK(content.samples == std::vector<Sample>{{5, kA}});
    CHECK(content.lost == 1);
  }
}

TEST_CASE("records too short for what they are", "[perf_ring]") {
  for (const uint32_t type : {PERF_RECORD_SAMPLE, PERF_RECORD_LOST}) {
    Ring ring;
    ring.header(type, 8);
    ring.sample(6, 'b');
    const Content content = ring.read();
    CHECK(content.samples == std::vector<Sample>{{6, kB}});
    CHECK(content.lost == 1);
  }
}

TEST_CASE("a record that ends after the head", "[perf_ring]") {
  Ring ring;
  ring.sample(5, 'a');
  for (uint64_t head = 8; head < 40; head += 8) {
    ring.head = head;
    CHECK(ring.read().samples.empty());
    CHECK(ring.read().lost == 1);
  }
}

TEST_CASE("a head too far ahead", "[perf_ring]") {
  Ring ring;
  ring.head = kRingBytes + 8;
  CHECK(ring.read().lost == 1);
  ring.head = ~uint64_t{0} - 7;
  CHECK(ring.read().lost == 1);
}

TEST_CASE("any bytes at all", "[perf_ring]") {
  Random random(7);
  for (int i = 0; i < 2'000; ++i) {
    Ring ring(random.in_range(0, 1 << 20));
    for (std::byte& byte : ring.bytes) {
      // Small numbers more often, or no size would ever fit.
      const uint64_t bits = random.in_range(0, 1 << 16);
      byte = static_cast<std::byte>((bits >> 8) % 3 == 0 ? bits & 0xff : bits & 0x49);
    }
    ring.head = ring.tail + random.in_range(0, kRingBytes + 1);
    CHECK(ring.read().times_lost <= kRingBytes / sizeof(perf_event_header));
  }
}

}  // namespace
}  // namespace damon_statfs::test
