// SPDX-License-Identifier: GPL-2.0-or-later
//
// What is memory, from /proc/iomem as kernels really print it, and what each ram= makes of it.
#include "engine/memory_ranges.h"

#include <cerrno>

#include "engine/kernel_files.h"
#include "support/catch.h"
#include "support/tree_fixture.h"
#include "unit/region_lists.h"

namespace damon_statfs::test {
namespace {

// A guest with a PCI hole and hot-plugged virtio memory.
constexpr char kIomem[] =
    "00000000-00000fff : Reserved\n"
    "00001000-0009fbff : System RAM\n"
    "0009fc00-0009ffff : Reserved\n"
    "000a0000-000bffff : PCI Bus 0000:00\n"
    "00100000-bffdffff : System RAM\n"
    "  01000000-01ffffff : Kernel code\n"
    "  02000000-024fffff : Kernel data\n"
    "bffe0000-bfffffff : Reserved\n"
    "c0000000-febfffff : PCI Bus 0000:00\n"
    "  fe000000-fe7fffff : System RAMBUS controller\n"
    "100000000-13fffffff : System RAM\n"
    "140000000-1bfffffff : virtio2\n"
    "  148000000-157ffffff : System RAM (virtio_mem)\n"
    "1c0000000-1c0000fff : Persistent Memory\n";

const Ranges kRam = {{0x1000, 0xa0000},
                     {0x100000, 0xbffe0000},
                     {0x100000000, 0x140000000},
                     {0x148000000, 0x158000000}};

TEST_CASE("System RAM of /proc/iomem, also where it is nested", "[memory_ranges]") {
  const TreeFixture tree{{"/proc/iomem", kIomem}};
  const auto ram = read_system_ram(tree.root());
  REQUIRE(ram);
  CHECK(ram.value() == kRam);
}

TEST_CASE("ranges that touch are one, and they ascend", "[memory_ranges]") {
  const TreeFixture tree{{"/proc/iomem",
                          "00200000-002fffff : System RAM\n"
                          "00100000-001fffff : System RAM\n"
                          "00400000-004fffff : System RAM\n"}};
  CHECK(read_system_ram(tree.root()).value() == Ranges{{0x100000, 0x300000}, {0x400000, 0x500000}});
}

TEST_CASE("memory that cannot be found", "[memory_ranges]") {
  struct Row {
    const char* iomem;
    int errno_value;
  };
  const Row rows[] = {
      {nullptr, ENODEV},
      {"", ENODEV},
      {"junk\n\n : \n-: System RAM\nzz-yy : System RAM\n", ENODEV},
      {"00001000-00001fff : Reserved\n", ENODEV},
      // Without privileges the kernel prints zeros.
      {"00000000-00000000 : Reserved\n00000000-00000000 : System RAM\n"
       "  00000000-00000000 : Kernel code\n",
       EACCES},
  };
  for (const Row& row : rows) {
    TreeFixture tree;
    if (row.iomem != nullptr) tree.write("/proc/iomem", row.iomem);
    CAPTURE(row.iomem == nullptr ? "missing" : row.iomem);
    const auto ram = read_system_ram(tree.root());
    REQUIRE_FALSE(ram);
    CHECK(ram.error().code.value() == row.errno_value);
    CHECK(ram.error().context.find("/proc/iomem") != std::string::npos);
  }
}

TEST_CASE("absurd files: what is memory is taken, and nothing else", "[memory_ranges]") {
  struct Row {
    std::string iomem;
    Ranges ranges;  // none: ENODEV
  };
  const std::string ram = "00000000-00ffffff : System RAM\n";
  const Row rows[] = {
      {"ffffffff-00000000 : System RAM\n", {}},
      {"00000000-ffffffffffffffff : System RAM\n", {}},
      {"00001000-fffffffffffffffd : System RAM\n", {}},
      {"ffffffffffffffff-ffffffffffffffff : System RAM\n" + ram, {{0, 0x1000000}}},
      {std::string(100'000, 'x'), {}},
      {std::string(100, '\0'), {}},
      {"0-f : System RAM\n", {{0, 0x1000}}},
      {"00001000-00001fff : System RAM", {{0x1000, 0x2000}}},
      {ram + ram + ram, {{0, 0x1000000}}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.iomem.substr(0, 50));
    const TreeFixture tree{{"/proc/iomem", row.iomem}};
    const auto found = read_system_ram(tree.root());
    if (row.ranges.empty()) {
      REQUIRE(failed_with(found, ENODEV));
    } else {
      CHECK(found.value() == row.ranges);
    }
  }
}

TEST_CASE("reversed and cut lines are no memory", "[memory_ranges]") {
  const TreeFixture tree{{"/proc/iomem",
                          "00200000-001fffff : System RAM\n"
                          "00500000-00400000 : System RAM\n"
                          "00600000-006fffff : System RAM\n"
                          "00700000-007ff"}};
  CHECK(read_system_ram(tree.root()).value() == Ranges{{0x600000, 0x700000}});
}

TEST_CASE("ram= selects", "[memory_ranges]") {
  using Kind = RamSelection::Kind;
  CHECK(select_ranges({Kind::kAll, {}}, kRam) == kRam);
  CHECK(select_ranges({Kind::kBiggest, {}}, kRam) == Ranges{{0x100000, 0xbffe0000}});
  CHECK(select_ranges({Kind::kSpan, {}}, kRam) == Ranges{{0x1000, 0x158000000}});
  const Ranges given = {{0x200000, 0x300000}, {0x100000000, 0x110000000}};
  CHECK(select_ranges({Kind::kRanges, given}, kRam) == given);
  CHECK(select_ranges({Kind::kBiggest, {}}, {{0, 4096}}) == Ranges{{0, 4096}});
}

}  // namespace
}  // namespace damon_statfs::test
