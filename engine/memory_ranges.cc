// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reads /proc/iomem anew at each call, so that memory plugged in or taken away is followed.
#include "engine/memory_ranges.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <optional>
#include <string_view>

#include "engine/kernel_files.h"

namespace damon_statfs {
namespace {

// No machine has physical addresses of more bits; sums of larger ones would wrap.
constexpr uint64_t kLastAddress = (uint64_t{1} << 62) - 1;

// A line such as "  00100000-bffdffff : System RAM". Memory of drivers, "System RAM (virtio_mem)",
// is nested below its device, so indentation does not count.
std::optional<AddressRange> parse_system_ram(const std::string& line) {
  uint64_t first = 0;
  uint64_t last = 0;
  int name_at = -1;
  if (sscanf(line.c_str(), " %" SCNx64 "-%" SCNx64 " : %n", &first, &last, &name_at) != 2 ||
      name_at < 0) {
    return std::nullopt;
  }
  if (first > kLastAddress || last > kLastAddress) return std::nullopt;
  const std::string name = line.substr(static_cast<size_t>(name_at));
  if (name != "System RAM" && name.rfind("System RAM (", 0) != 0) return std::nullopt;
  return AddressRange{first, last + 1};
}

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

}  // namespace

Result<std::vector<AddressRange>> read_system_ram(const std::string& rootfs) {
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
  std::sort(found.begin(), found.end(),
            [](const AddressRange& a, const AddressRange& b) { return a.start < b.start; });
  std::vector<AddressRange> ranges;
  for (const AddressRange& range : found) append_joined(ranges, range);
  return ranges;
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
      return selection.ranges;
  }
  return ram;
}

Result<std::vector<AddressRange>> monitored_ranges(const OperationsContext& context) {
  DAMON_STATFS_TRY(ram, read_system_ram(context.rootfs));
  return select_ranges(context.ram, ram);
}

uint64_t total_bytes(std::span<const AddressRange> ranges) {
  uint64_t bytes = 0;
  for (const AddressRange& range : ranges) bytes += range.size_bytes();
  return bytes;
}

}  // namespace damon_statfs
