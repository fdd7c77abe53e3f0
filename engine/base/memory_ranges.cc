// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reads /proc/iomem and the states of memory blocks anew at each call, so that memory plugged in,
// taken away or switched on or off is followed.
#include "engine/base/memory_ranges.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cinttypes>
#include <cstdio>
#include <optional>
#include <string_view>

#include "engine/base/kernel_files.h"

namespace damon_statfs {
namespace {

// No machine has physical addresses of more bits; sums of larger ones would wrap.
constexpr uint64_t kLastAddress = (uint64_t{1} << 62) - 1;

constexpr const char* kBlocks = "/sys/devices/system/memory";

// A line such as "  00100000-bffdffff : System RAM". Memory that a driver has added, "System RAM
// (kmem)" or "System RAM (virtio_mem)", is nested below its device, so indentation does not count.
// 32-bit ARM lists the addresses at which it booted as "System RAM (boot alias)": the same memory
// stands there a second time. The kernel ends no line with white space, but what copies a text may.
std::optional<AddressRange> parse_system_ram(const std::string& line) {
  uint64_t first = 0;
  uint64_t last = 0;
  int name_at = -1;
  if (sscanf(line.c_str(), " %" SCNx64 "-%" SCNx64 " : %n", &first, &last, &name_at) != 2 ||
      name_at < 0) {
    return std::nullopt;
  }
  if (first > kLastAddress || last > kLastAddress) return std::nullopt;
  std::string name = line.substr(static_cast<size_t>(name_at));
  name.erase(name.find_last_not_of(" \t\r") + 1);
  if (name == "System RAM (boot alias)") return std::nullopt;
  if (name != "System RAM" && name.rfind("System RAM (", 0) != 0) return std::nullopt;
  return AddressRange{first, last + 1};
}

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

Result<std::vector<AddressRange>> read_listed_ram(const std::string& rootfs) {
  const std::string path = rootfs + "/proc/iomem";
  const Result<std::string> text = read_whole(path);
  if (failed_with(text, ENOENT)) return failure(ENODEV, text.error().context);
  if (!text) return text.as_failure();
  std::vector<AddressRange> found;
  bool hidden = false;
  for (std::string_view rest = text.value(); !rest.empty();) {
    const std::string line(rest.substr(0, rest.find('\n')));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const std::optional<AddressRange> range = parse_system_ram(line);
    if (!range) continue;
    if (range->start == 0 && range->end <= 1) {
      hidden = true;
    } else if (range->start < range->end) {
      found.push_back(*range);
    }
  }
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

// The number in a name such as "memory42", which is the block's address in blocks.
std::optional<uint64_t> block_number(std::string_view name) {
  constexpr std::string_view kPrefix = "memory";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  const char* const end = name.data() + name.size();
  uint64_t number = 0;
  const auto [rest, invalid] = std::from_chars(name.data() + kPrefix.size(), end, number);
  if (invalid != std::errc() || rest != end) return std::nullopt;
  return number;
}

Result<uint64_t> read_block_bytes(const KernelFiles& files) {
  const std::string path = fmt::format("{}/block_size_bytes", kBlocks);
  DAMON_STATFS_TRY(text, files.read(path));
  const char* const end = text.data() + text.size();
  uint64_t bytes = 0;
  const auto [rest, invalid] = std::from_chars(text.data(), end, bytes, 16);
  if (invalid == std::errc() && rest == end && bytes > 0) return bytes;
  return failure(EIO, fmt::format("{}: \"{}\" is not a size", path, text.substr(0, 40)));
}

// The memory blocks (/sys/devices/system/memory) that are not in use: memory that was plugged in
// and is not online yet, or set aside. A kernel without memory hotplug has no blocks.
Result<std::vector<AddressRange>> read_offline_blocks(const KernelFiles& files) {
  DAMON_STATFS_TRY(names, list_if_there(files, kBlocks));
  std::vector<uint64_t> numbers;
  for (const std::string& name : names) {
    const std::optional<uint64_t> number = block_number(name);
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

Result<std::vector<AddressRange>> read_system_ram(const std::string& rootfs) {
  DAMON_STATFS_TRY(listed, read_listed_ram(rootfs));
  DAMON_STATFS_TRY(offline, read_offline_blocks(RootedKernelFiles(rootfs)));
  std::vector<AddressRange> ram = without(listed, offline);
  if (!ram.empty()) return ram;
  return failure(ENODEV, fmt::format("{}{}: all memory is offline", rootfs, kBlocks));
}

std::vector<AddressRange> select_ranges(const RamSelection& selection,
                                        const std::vector<AddressRange>& ram) {
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

Result<std::vector<AddressRange>> monitored_ranges(const OperationsContext& context) {
  DAMON_STATFS_TRY(ram, read_system_ram(context.rootfs));
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
