// SPDX-License-Identifier: GPL-2.0-or-later
//
// The seq_file rule of spec/parameters.md section 1: which reads see new numbers, and which go on
// in the old ones.
#include "fs/open_file.h"

#include "support/catch.h"

namespace damon_statfs {
namespace {

const Param& bandwidth_param() {
  for (const Param& param : all_params()) {
    if (std::string_view(param.name) == "estimated_memory_bandwidth") return param;
  }
  throw std::out_of_range("estimated_memory_bandwidth");
}

Snapshot bandwidth(uint64_t bytes_per_s) {
  Snapshot snapshot;
  snapshot.statistics.estimated_memory_bandwidth_bytes_per_s = bytes_per_s;
  return snapshot;
}

TEST_CASE("a whole read, and the end", "[open_file]") {
  OpenFile file(bandwidth_param(), Abi::k6_17);
  CHECK_FALSE(file.was_read());
  CHECK(file.read(4096, 0, bandwidth(123456)) == "123456\n");
  CHECK(file.was_read());
  CHECK(file.read(4096, 7, bandwidth(999999)).empty());
  CHECK(file.read(4096, 7, bandwidth(999999)).empty());
}

TEST_CASE("any buffer size walks through one snapshot", "[open_file]") {
  for (uint64_t size = 1; size <= 8; ++size) {
    CAPTURE(size);
    OpenFile file(bandwidth_param(), Abi::k6_17);
    std::string text;
    uint64_t newer = 999'999;
    std::string_view part = file.read(size, 0, bandwidth(123456));
    while (!part.empty()) {
      text += part;
      part = file.read(size, text.size(), bandwidth(newer++));  // published in between
    }
    CHECK(text == "123456\n");
  }
}

TEST_CASE("the snapshot is that of the first read, not of the open", "[open_file]") {
  OpenFile file(bandwidth_param(), Abi::k6_17);
  CHECK(file.read(3, 0, bandwidth(222222)) == "222");
  CHECK(file.read(4096, 3, bandwidth(333333)) == "222\n");
}

TEST_CASE("offset 0 is always fresh", "[open_file]") {
  OpenFile file(bandwidth_param(), Abi::k6_17);
  CHECK(file.read(4096, 0, bandwidth(1)) == "1\n");
  CHECK(file.read(4096, 0, bandwidth(2)) == "2\n");
  CHECK(file.read(1, 0, bandwidth(3)) == "3");
  CHECK(file.read(4096, 1, bandwidth(4)) == "\n");
  CHECK(file.read(0, 0, bandwidth(5)).empty());
  CHECK(file.read(4096, 0, bandwidth(6)) == "6\n");
}

TEST_CASE("any other offset skips that much of the new text", "[open_file]") {
  OpenFile file(bandwidth_param(), Abi::k6_17);
  CHECK(file.read(3, 0, bandwidth(111111)) == "111");
  CHECK(file.read(2, 2, bandwidth(222222)) == "22");   // not where the last one ended
  CHECK(file.read(2, 4, bandwidth(333333)) == "22");   // where it ended: the same text
  CHECK(file.read(2, 5, bandwidth(444444)) == "4\n");  // back by one
  CHECK(file.read(9, 1, bandwidth(55)) == "5\n");
}

TEST_CASE("a first read in the middle", "[open_file]") {
  OpenFile file(bandwidth_param(), Abi::k6_17);
  CHECK(file.read(4096, 3, bandwidth(123456)) == "456\n");
}

TEST_CASE("reads past the end are empty, however far", "[open_file]") {
  OpenFile file(bandwidth_param(), Abi::k6_17);
  for (const uint64_t offset : {uint64_t{7}, uint64_t{8}, uint64_t{4096}, ~uint64_t{0} >> 1}) {
    CAPTURE(offset);
    CHECK(file.read(4096, offset, bandwidth(123456)).empty());
    CHECK(file.read(4096, offset, bandwidth(123456)).empty());
  }
  CHECK(file.read(4096, 0, bandwidth(7)) == "7\n");
}

}  // namespace
}  // namespace damon_statfs
