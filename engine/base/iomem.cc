// SPDX-License-Identifier: GPL-2.0-or-later
//
// The kernel prints "%*s%0*llx-%0*llx : %s". Blanks are taken wherever there may be some in texts
// that were copied, or by older kernels.
#include "engine/base/iomem.h"

#include <algorithm>

#include "engine/base/text.h"

namespace damon_statfs {
namespace {

void skip_blanks(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r"), text.size()));
}

// Takes `sign` off the front of `text`. Returns: whether it was there.
bool take(std::string_view& text, char sign) {
  if (!text.starts_with(sign)) return false;
  text.remove_prefix(1);
  return true;
}

// Takes an address off the front of `text`. Returns: none if there is none that can be.
std::optional<uint64_t> take_address(std::string_view& text) {
  const std::optional<uint64_t> address = take_number<uint64_t>(text, 16);
  return address && *address > kLastAddress ? std::nullopt : address;
}

// Memory that a driver has added is "System RAM (kmem)" or "System RAM (virtio_mem)". 32-bit ARM
// lists the addresses at which it booted as "System RAM (boot alias)": the same memory stands there
// a second time. The kernel ends no line with white space, but what copies a text may.
bool is_system_ram(std::string_view name) {
  name = name.substr(0, name.find_last_not_of(" \t\r") + 1);
  if (name == "System RAM (boot alias)") return false;
  return name == "System RAM" || name.starts_with("System RAM (");
}

}  // namespace

// What a driver has added is nested below its device, so indentation does not count.
std::optional<AddressRange> parse_system_ram(std::string_view line) {
  skip_blanks(line);
  const std::optional<uint64_t> first = take_address(line);
  if (!first || !take(line, '-')) return std::nullopt;
  const std::optional<uint64_t> last = take_address(line);
  if (!last) return std::nullopt;
  skip_blanks(line);
  if (!take(line, ':')) return std::nullopt;
  skip_blanks(line);
  if (!is_system_ram(line)) return std::nullopt;
  return AddressRange{*first, *last + 1};
}

ListedRam parse_iomem(std::string_view text) {
  ListedRam listed;
  while (!text.empty()) {
    const std::optional<AddressRange> range = parse_system_ram(take_line(text));
    if (!range) continue;
    if (range->start == 0 && range->end <= 1) {
      listed.hidden = true;
    } else if (range->start < range->end) {
      listed.ranges.push_back(*range);
    }
  }
  return listed;
}

std::optional<uint64_t> memory_block_number(std::string_view name) {
  constexpr std::string_view kPrefix = "memory";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  return parse_number<uint64_t>(name.substr(kPrefix.size()));
}

std::optional<uint64_t> parse_block_bytes(std::string_view text) {
  const std::optional<uint64_t> bytes = parse_number<uint64_t>(text, 16);
  return bytes == 0 ? std::nullopt : bytes;
}

}  // namespace damon_statfs
