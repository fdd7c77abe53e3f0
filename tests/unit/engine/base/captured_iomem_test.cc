// SPDX-License-Identifier: GPL-2.0-or-later
//
// How much memory is found in the /proc/iomem of machines of many kinds (tests/data/iomem, whose
// README.md says where each text is from). The expected numbers are sums made without the program.
#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "engine/base/kernel_files.h"
#include "engine/base/memory_ranges.h"
#include "support/catch.h"
#include "support/tree_fixture.h"
#include "unit/engine/regions/region_lists.h"

namespace damon_statfs::test {
namespace {

const std::filesystem::path kTexts = std::filesystem::path(DAMON_STATFS_TEST_DATA) / "iomem";

// The memory blocks with the numbers first to last.
struct BlockRun {
  uint64_t first, last;
};

// What has to be found in a file, in KiB and in ranges, where some memory blocks are offline.
// Nothing stands for EACCES: the kernel has hidden the addresses.
struct Row {
  const char* file;
  uint64_t kib;
  size_t ranges;
  uint64_t block_bytes = 0;
  std::vector<BlockRun> offline = {};
};

const Row kRows[] = {
    {"arm32-old-kernel-text", 32768, 1},
    {"arm32-qualcomm", 179200, 3},
    {"arm64-altra-indented", 33275112, 23},
    {"arm64-ec2", 8253312, 4},
    {"arm64-four-nodes-64k-pages", 536581760, 13},
    {"arm64-qemu-guest", 33549504, 4},
    {"copied-by-hand", 4324860, 4},
    {"coreboot-chromebook", 4053080, 7},
    {"cxl-kmem-two-windows", 670555772, 3},
    {"cxl-soft-reserved-offline", 1358683772, 4},
    {"cxl-soft-reserved-offline", 821812860, 3, 0x80000000, {{3357, 3612}}},
    {"cxl-within-reserved", 64995328, 2},
    {"dax-kmem", 12320252, 4},
    {"dax-kmem", 4193788, 3, 0x8000000, {{42, 103}}},
    {"empty-crash-kernel", 130688, 2},
    {"hyperv-generation-2", 8387452, 6},
    {"hyperv-hot-added", 8780668, 6},
    {"hyperv-hot-added", 8518524, 6, 0x8000000, {{66, 67}}},
    {"keystone2-arm32-lpae-boot-alias", 1441792, 2},
    {"kvm-guest-ovmf-not-indented", 2093404, 6},
    {"loongarch-crash-kernel", 16506688, 3},
    {"mips-playstation2", 32768, 1},
    {"pmem-as-plain-ram", 3014140, 3},
    {"pmem-legacy-crash-kernel", 29291004, 6},
    {"power9-two-nodes", 33554432, 2},
    {"ppc64le-lpar-hot-added", 17563648, 1},
    {"ppc64le-lpar-hot-added", 17301504, 2, 0x10000000, {{65, 65}}},
    {"raspberrypi4-64bit", 4050944, 2},
    {"riscv-board", 1046528, 1},
    {"riscv-board-reserved-firmware", 4192256, 1},
    {"s390x-standby", 68157440, 1},
    {"s390x-standby", 66060288, 2, 0x40000000, {{49, 49}, {64, 64}}},
    {"soft-reserved-device-dax", 12575280, 3},
    {"unprivileged", 0, 0},
    {"unsorted-children-first", 4324860, 3},
    {"virtio-mem-two-devices", 4718076, 4},
    {"vmware-workstation", 8388024, 4},
    {"x86-32bit-ends-within-page", 2620964, 2},
    {"x86-32bit-pae-64g", 67080000, 3},
    {"x86-desktop", 66839744, 9},
    {"x86-ram-within-ram", 1537536, 6},
    {"x86-reserved-lines-missing", 7727092, 10},
    {"xen-dom0-unusable-memory", 524284, 3},
    {"xen-domu-ec2", 7863924, 3},
};

std::string text_of(const std::string& name) {
  std::ifstream file(kTexts / (name + ".txt"), std::ios::binary);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_block(TreeFixture& tree, uint64_t number, const char* state) {
  tree.write(fmt::format("/sys/devices/system/memory/memory{}/state", number),
             std::string(state) + "\n");
}

// The offline blocks, and those beside them, which are online.
void write_blocks(TreeFixture& tree, const Row& row) {
  if (row.offline.empty()) return;
  tree.write("/sys/devices/system/memory/block_size_bytes", fmt::format("{:x}\n", row.block_bytes));
  for (const BlockRun& run : row.offline) {
    write_block(tree, run.first - 1, "online");
    for (uint64_t i = run.first; i <= run.last; ++i) write_block(tree, i, "offline");
    write_block(tree, run.last + 1, "online");
  }
}

TEST_CASE("memory in the /proc/iomem of many machines", "[captured_iomem]") {
  for (const Row& row : kRows) {
    CAPTURE(row.file, row.offline.size());
    TreeFixture tree{{"/proc/iomem", text_of(row.file)}};
    write_blocks(tree, row);
    const auto ram = read_system_ram(RootedKernelFiles(tree.root()));
    const Ranges found = ram ? ram.value() : Ranges{};
    CHECK(total_bytes(found) >> 10 == row.kib);
    CHECK(found.size() == row.ranges);
    CHECK(failed_with(ram, EACCES) == (row.ranges == 0));
  }
}

TEST_CASE("each text of /proc/iomem has its row", "[captured_iomem]") {
  std::set<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(kTexts)) {
    if (entry.path().extension() != ".md") files.insert(entry.path().filename());
  }
  std::set<std::string> rows;
  for (const Row& row : kRows) rows.insert(row.file + std::string(".txt"));
  CHECK(files == rows);
}

}  // namespace
}  // namespace damon_statfs::test
