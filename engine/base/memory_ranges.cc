// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reads /proc/iomem and the states of memory blocks anew at each call, so that memory plugged in,
// taken away or switched on or off is followed.
#include "engine/base/memory_ranges.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <optional>

#include "engine/base/iomem.h"
#include "engine/base/kernel_files.h"

namespace damon_statfs {
namespace {

constexpr const char* kIomem = "/proc/iomem";
constexpr const char* kBlocks = "/sys/devices/system/memory";

bool starts_earlier(const AddressRange& a, const AddressRange& b) { return a.start < b.start; }

// Ranges that share a page after alignment, or touch, are one.
void append_joined(std::vector<AddressRange>& ranges, AddressRange range) {
  const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  range.start &= ~(page - 1);
  range.end = (range.end + page - 1) & ~(page - 1);
  if (!ranges.empty() && range.start <= ranges.back().end) {
    ranges.back().end = std::max(ranges.back().end, range.end);
  } else {
    ranges.push_back(range);
  }
}

Result<std::vector<AddressRange>> read_listed_ram(const KernelFiles& files) {
  const std::string path = files.name_of(kIomem);
  const Result<std::string> text = files.read_whole(kIomem);
  if (failed_with(text, ENOENT)) return failure(ENODEV, text.error().context);
  if (!text) return text.as_failure();
  auto [found, hidden] = parse_iomem(text.value());
  if (found.empty() && hidden) {
    return failure(EACCES, fmt::format("{}: all addresses read as zero; this needs CAP_SYS_ADMIN "
                                       "(run it as root)",
                                       path));
  }
  if (found.empty()) return failure(ENODEV, fmt::format("{}: has no System RAM", path));
  std::sort(found.begin(), found.end(), starts_earlier);
  std::vector<AddressRange> ranges;
  for (const AddressRange& range : found) append_joined(ranges, range);
  return ranges;
}

Result<uint64_t> read_block_bytes(const KernelFiles& files) {
  const std::string path = fmt::format("{}/block_size_bytes", kBlocks);
  DAMON_STATFS_TRY(text, files.read(path));
  const std::optional<uint64_t> bytes = parse_block_bytes(text);
  if (bytes) return *bytes;
  return failure(EIO, fmt::format("{}: \"{}\" is not a size", path, text.substr(0, 40)));
}

// The memory blocks (/sys/devices/system/memory) that are not in use: memory that was plugged in
// and is not online yet, or set aside. A kernel without memory hotplug has no blocks.
Result<std::vector<AddressRange>> read_offline_blocks(const KernelFiles& files) {
  DAMON_STATFS_TRY(names, list_if_there(files, kBlocks));
  std::vector<uint64_t> numbers;
  for (const std::string& name : names) {
    const std::optional<uint64_t> number = memory_block_number(name);
    if (!number) continue;
    DAMON_STATFS_TRY(state, read_if_there(files, fmt::format("{}/{}/state", kBlocks, name)));
    if (state == "offline") numbers.push_back(*number);
  }
  std::vector<AddressRange> offline;
  if (numbers.empty()) return offline;
  DAMON_STATFS_TRY(block_bytes, read_block_bytes(files));
  std::sort(numbers.begin(), numbers.end());
  for (const uint64_t number : numbers) {
    if (number > kLastAddress / block_bytes) continue;
    offline.push_back({number * block_bytes, (number + 1) * block_bytes});
  }
  return offline;
}

// The parts of `ranges` outside of `holes`. Precondition: both ascend and do not overlap.
std::vector<AddressRange> without(std::span<const AddressRange> ranges,
                                  std::span<const AddressRange> holes) {
  std::vector<AddressRange> left;
  auto hole = holes.begin();
  for (AddressRange range : ranges) {
    while (hole != holes.end() && hole->end <= range.start) ++hole;
    for (; hole != holes.end() && hole->start < range.end; ++hole) {
      if (range.start < hole->start) left.push_back({range.start, hole->start});
      range.start = std::min(hole->end, range.end);
      if (range.end < hole->end) break;
    }
    if (range.start < range.end) left.push_back(range);
  }
  return left;
}

// The addresses that are in both. Precondition: both ascend and do not overlap.
std::vector<AddressRange> overlap(std::span<const AddressRange> some,
                                  std::span<const AddressRange> others) {
  std::vector<AddressRange> both;
  for (auto a = some.begin(), b = others.begin(); a != some.end() && b != others.end();) {
    const AddressRange common{std::max(a->start, b->start), std::min(a->end, b->end)};
    if (common.start < common.end) both.push_back(common);
    a->end < b->end ? ++a : ++b;
  }
  return both;
}

std::string hex(const std::vector<AddressRange>& ranges) {
  std::string text;
  for (const AddressRange& range : ranges) {
    text += fmt::format("{}{:#x}-{:#x}", text.empty() ? "" : "+", range.start, range.end);
  }
  return text;
}

}  // namespace

Result<std::vector<AddressRange>> read_system_ram(const KernelFiles& files) {
  DAMON_STATFS_TRY(listed, read_listed_ram(files));
  DAMON_STATFS_TRY(offline, read_offline_blocks(files));
  std::vector<AddressRange> ram = without(listed, offline);
  if (!ram.empty()) return ram;
  return failure(ENODEV, fmt::format("{}: all memory is offline", files.name_of(kBlocks)));
}

std::vector<AddressRange> select_ranges(const RamSelection& selection,
                                        const std::vector<AddressRange>& ram) {
  assert(!ram.empty());
  switch (selection.kind) {
    case RamSelection::Kind::kAll:
      return ram;
    case RamSelection::Kind::kBiggest:
      return {*std::max_element(ram.begin(), ram.end(),
                                [](const AddressRange& a, const AddressRange& b) {
                                  return a.size_bytes() < b.size_bytes();
                                })};
    case RamSelection::Kind::kSpan:
      return {{ram.front().start, ram.back().end}};
    case RamSelection::Kind::kRanges:
      return overlap(selection.ranges, ram);
  }
  return ram;
}

Result<std::vector<AddressRange>> monitored_ranges(const OperationsContext& context,
                                                   const KernelFiles& files) {
  DAMON_STATFS_TRY(ram, read_system_ram(files));
  std::vector<AddressRange> ranges = select_ranges(context.ram, ram);
  if (!ranges.empty()) return ranges;
  return failure(ENODEV, fmt::format("ram={}: no System RAM is there", hex(context.ram.ranges)));
}

void log_left_out(const OperationsContext& context, std::span<const AddressRange> monitored) {
  const uint64_t asked_bytes = total_bytes(context.ram.ranges);
  const uint64_t bytes = total_bytes(monitored);
  if (asked_bytes <= bytes) return;
  context.log(LogLevel::kWarning,
              fmt::format("ram={}: {} of {} KiB is no System RAM that is online, and is left out",
                          hex(context.ram.ranges), (asked_bytes - bytes) >> 10, asked_bytes >> 10));
}

uint64_t total_bytes(std::span<const AddressRange> ranges) {
  uint64_t bytes = 0;
  for (const AddressRange& range : ranges) bytes += range.size_bytes();
  return bytes;
}

}  // namespace damon_statfs
