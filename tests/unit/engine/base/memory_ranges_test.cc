// SPDX-License-Identifier: GPL-2.0-or-later
//
// What is memory, from /proc/iomem as kernels really print it, and what each ram= makes of it.
#include "engine/base/memory_ranges.h"

#include <fmt/format.h>

#include <cerrno>

#include "engine/base/kernel_files.h"
#include "support/catch.h"
#include "support/log_lines.h"
#include "support/tree_fixture.h"
#include "unit/engine/regions/region_lists.h"

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
  const auto ram = read_system_ram(RootedKernelFiles(tree.root()));
  REQUIRE(ram);
  CHECK(ram.value() == kRam);
}

TEST_CASE("ranges that touch are one, and they ascend", "[memory_ranges]") {
  const TreeFixture tree{{"/proc/iomem",
                          "00200000-002fffff : System RAM\n"
                          "00100000-001fffff : System RAM\n"
                          "00400000-004fffff : System RAM\n"}};
  CHECK(read_system_ram(RootedKernelFiles(tree.root())).value() ==
        Ranges{{0x100000, 0x300000}, {0x400000, 0x500000}});
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
    const auto ram = read_system_ram(RootedKernelFiles(tree.root()));
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
    const auto found = read_system_ram(RootedKernelFiles(tree.root()));
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
  CHECK(read_system_ram(RootedKernelFiles(tree.root())).value() == Ranges{{0x600000, 0x700000}});
}

TEST_CASE("what a driver has added is memory, the alias of memory is not", "[memory_ranges]") {
  const TreeFixture tree{{"/proc/iomem",
                          "80000000-9fffffff : System RAM (boot alias)\n"
                          "800000000-81fffffff : System RAM\n"
                          "900000000-90fffffff : CXL Window 0\n"
                          "  900000000-90fffffff : System RAM (kmem)\n"
                          "a00000000-a0fffffff : dax1.0\n"
                          "  a00000000-a0fffffff : System RAM (of another driver)\n"}};
  CHECK(read_system_ram(RootedKernelFiles(tree.root())).value() ==
        Ranges{{0x800000000, 0x820000000}, {0x900000000, 0x910000000}, {0xa00000000, 0xa10000000}});
}

constexpr char kMemory[] = "/sys/devices/system/memory";

void write_blocks(TreeFixture& tree, const char* block_bytes,
                  const std::vector<const char*>& states) {
  tree.write(std::string(kMemory) + "/block_size_bytes", std::string(block_bytes) + "\n");
  for (size_t i = 0; i < states.size(); ++i) {
    tree.write(fmt::format("{}/memory{}/state", kMemory, i), std::string(states[i]) + "\n");
  }
}

TEST_CASE("memory blocks that are offline are left out", "[memory_ranges]") {
  TreeFixture tree{{"/proc/iomem",
                    "00001000-07ffffff : System RAM\n"
                    "0c000000-0fffffff : System RAM\n"
                    "10000000-3fffffff : System RAM\n"}};
  const auto ram = [&] { return read_system_ram(RootedKernelFiles(tree.root())).value(); };
  write_blocks(tree, "8000000", {"online", "online", "online", "online", "online", "online"});
  tree.write(std::string(kMemory) + "/uevent", "");
  tree.write(std::string(kMemory) + "/memoryx/state", "offline\n");
  const Ranges all = {{0x1000, 0x8000000}, {0xc000000, 0x40000000}};
  CHECK(ram() == all);
  write_blocks(tree, "8000000", {"online", "online", "offline", "offline", "going-offline"});
  CHECK(ram() == Ranges{{0x1000, 0x8000000}, {0xc000000, 0x10000000}, {0x20000000, 0x40000000}});
  write_blocks(tree, "8000000", {"offline", "offline", "online", "online", "online", "offline"});
  CHECK(ram() == Ranges{{0x10000000, 0x28000000}, {0x30000000, 0x40000000}});
  // A number beyond all addresses, and a block of which nothing is memory.
  tree.write(std::string(kMemory) + "/memory99999999999999999/state", "offline\n");
  tree.write(std::string(kMemory) + "/memory100/state", "offline\n");
  CHECK(ram() == Ranges{{0x10000000, 0x28000000}, {0x30000000, 0x40000000}});
  write_blocks(tree, "8000000", {"online", "online", "online", "online", "online", "online"});
  CHECK(ram() == all);
}

TEST_CASE("memory blocks that make no sense", "[memory_ranges]") {
  TreeFixture tree{{"/proc/iomem", "00000000-07ffffff : System RAM\n"}};
  SECTION("all are offline") {
    write_blocks(tree, "8000000", {"offline"});
    const auto ram = read_system_ram(RootedKernelFiles(tree.root()));
    REQUIRE(failed_with(ram, ENODEV));
    CHECK(ram.error().context.find("offline") != std::string::npos);
  }
  SECTION("their size is not there") {
    write_blocks(tree, "8000000", {"offline"});
    tree.remove(std::string(kMemory) + "/block_size_bytes");
    CHECK(failed_with(read_system_ram(RootedKernelFiles(tree.root())), ENOENT));
  }
  SECTION("their size is no number") {
    for (const char* const size : {"", "0", "x", "8000000 bytes", "ffffffffffffffffff"}) {
      CAPTURE(size);
      write_blocks(tree, size, {"offline"});
      CHECK(failed_with(read_system_ram(RootedKernelFiles(tree.root())), EIO));
    }
  }
}

struct LoggedMachine {
  LoggedMachine() {
    context.rootfs = tree.root();
    context.log = log.sink();
  }

  TreeFixture tree{{"/proc/iomem", kIomem}};
  LogLines log;
  OperationsContext context;
};

TEST_CASE("addresses that are no memory are left out, and that is said", "[memory_ranges]") {
  LoggedMachine machine;
  auto& [tree, log, context] = machine;
  const auto monitored = [&](const Ranges& given) {
    context.ram = {RamSelection::Kind::kRanges, given};
    return monitored_ranges(context, RootedKernelFiles(tree.root()));
  };
  CHECK(monitored({{0x80000000, 0x110000000}, {0x13ffff000, 0x149000000}}).value() ==
        Ranges{{0x80000000, 0xbffe0000},
               {0x100000000, 0x110000000},
               {0x13ffff000, 0x140000000},
               {0x148000000, 0x149000000}});
  log_left_out(context, monitored_ranges(context, RootedKernelFiles(tree.root())).value());
  CHECK(log.count(LogLevel::kWarning, "ram=0x80000000-0x110000000+0x13ffff000-0x149000000: ") == 1);
  CHECK(log.count(LogLevel::kWarning, "1179776 of 2506756 KiB") == 1);

  const auto empty = monitored({{0xc0000000, 0xc0001000}, {uint64_t{1} << 40, uint64_t{2} << 40}});
  REQUIRE(failed_with(empty, ENODEV));
  CHECK(empty.error().context ==
        "ram=0xc0000000-0xc0001000+0x10000000000-0x20000000000: no System RAM is there");
}

TEST_CASE("nothing is said of addresses that all are memory", "[memory_ranges]") {
  LoggedMachine machine;
  auto& [tree, log, context] = machine;
  log_left_out(context, monitored_ranges(context, RootedKernelFiles(tree.root())).value());
  context.ram = {RamSelection::Kind::kRanges, {{0x200000, 0x300000}}};
  log_left_out(context, monitored_ranges(context, RootedKernelFiles(tree.root())).value());
  CHECK(log.count(LogLevel::kWarning) == 0);
}

TEST_CASE("ram= selects", "[memory_ranges]") {
  using Kind = RamSelection::Kind;
  CHECK(select_ranges({Kind::kAll, {}}, kRam) == kRam);
  CHECK(select_ranges({Kind::kBiggest, {}}, kRam) == Ranges{{0x100000, 0xbffe0000}});
  CHECK(select_ranges({Kind::kSpan, {}}, kRam) == Ranges{{0x1000, 0x158000000}});
  const Ranges given = {{0x200000, 0x300000}, {0x100000000, 0x110000000}};
  CHECK(select_ranges({Kind::kRanges, given}, kRam) == given);
  CHECK(select_ranges({Kind::kRanges, {{0, 0x1000}, {0x9f000, 0x101000}}}, kRam) ==
        Ranges{{0x9f000, 0xa0000}, {0x100000, 0x101000}});
  CHECK(select_ranges({Kind::kRanges, {{0xbffe0000, 0x100000000}}}, kRam).empty());
  CHECK(select_ranges({Kind::kBiggest, {}}, {{0, 4096}}) == Ranges{{0, 4096}});
}

}  // namespace
}  // namespace damon_statfs::test
