// SPDX-License-Identifier: GPL-2.0-or-later
//
// Lines of /proc/iomem: good ones, cut ones, and ones that no kernel writes. Whole texts are in
// captured_iomem_test.cc.
#include "engine/base/iomem.h"

#include <string>

#include "support/catch.h"

namespace damon_statfs::test {
namespace {

TEST_CASE("a line of memory", "[iomem]") {
  for (const char* const line : {
           "00100000-bffdffff : System RAM",
           "  00100000-bffdffff : System RAM",
           "\t100000-BFFDFFFF:System RAM \r",
           "0000000000100000-00000000bffdffff : System RAM (kmem)",
           "00100000-bffdffff : System RAM (virtio_mem)",
       }) {
    CAPTURE(line);
    CHECK(parse_system_ram(line) == AddressRange{0x100000, 0xbffe0000});
  }
}

TEST_CASE("lines that are of no memory", "[iomem]") {
  for (const char* const line : {
           "",
           " ",
           "00100000",
           "00100000-",
           "00100000-bffdffff",
           "00100000-bffdffff :",
           "00100000-bffdffff : System RA",
           "00100000-bffdffff : System RAMBUS controller",
           "00100000-bffdffff : System RAM (boot alias)",
           "00100000-bffdffff : Reserved",
           "00100000bffdffff : System RAM",
           "00100000--bffdffff : System RAM",
           "-00100000-bffdffff : System RAM",
           "0x100000-0xbffdffff : System RAM",
           "g0100000-bffdffff : System RAM",
           "00100000-bffdffff System RAM",
           "00100000-4000000000000000 : System RAM",
           "00100000-10000000000000000 : System RAM",
           "ffffffffffffffff-ffffffffffffffff : System RAM",
       }) {
    CAPTURE(line);
    CHECK_FALSE(parse_system_ram(line));
  }
  const std::string cut = "00100000-bffdffff : System RAM";
  for (size_t size = 0; size < cut.size(); ++size) {
    CHECK_FALSE(parse_system_ram(std::string_view(cut).substr(0, size)));
  }
}

TEST_CASE("all of a text", "[iomem]") {
  const ListedRam listed = parse_iomem(
      "00000000-00000fff : Reserved\n"
      "00500000-004fffff : System RAM\n"
      "00001000-0009fbff : System RAM\n"
      "\n"
      "00000000-3fffffffffffffff : System RAM");
  CHECK(listed.ranges == std::vector<AddressRange>{{0x1000, 0x9fc00}, {0, kLastAddress + 1}});
  CHECK_FALSE(listed.hidden);
  CHECK(parse_iomem("").ranges.empty());
}

TEST_CASE("addresses that are hidden", "[iomem]") {
  const ListedRam listed = parse_iomem(
      "00000000-00000000 : System RAM\n"
      "00000000-00000000 : System RAM\n");
  CHECK(listed.ranges.empty());
  CHECK(listed.hidden);
  CHECK_FALSE(parse_iomem("00000000-00000000 : Reserved\n").hidden);
}

TEST_CASE("names and sizes of memory blocks", "[iomem]") {
  CHECK(memory_block_number("memory0") == 0);
  CHECK(memory_block_number("memory42") == 42);
  for (const char* const name :
       {"", "memory", "memory-1", "memory1x", "memory 1", "node0", "memory18446744073709551616"}) {
    CAPTURE(name);
    CHECK_FALSE(memory_block_number(name));
  }
  CHECK(parse_block_bytes("8000000") == 0x8000000);
  for (const char* const text :
       {"", "0", "x", "-1", "8000000 bytes", "0x8000000", "ffffffffffffffff0"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_block_bytes(text));
  }
}

}  // namespace
}  // namespace damon_statfs::test
