// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reads /proc/kpageflags as a whole. A free page carries no flag, but for the first of each buddy
// block.
#include "free_memory.h"

#include <algorithm>
#include <fstream>
#include <stdexcept>
#include <vector>

namespace guest_test {
namespace {

constexpr uint64_t kPageBytes = 4096;
constexpr uint64_t kBuddy = 1U << 10;

bool in_use(uint64_t flags) { return (flags & ~kBuddy) != 0; }

}  // namespace

std::vector<uint64_t> page_flags() {
  std::ifstream file("/proc/kpageflags", std::ios::binary);
  std::vector<uint64_t> flags;
  std::vector<uint64_t> block(1U << 16);
  do {
    file.read(reinterpret_cast<char*>(block.data()),
              static_cast<std::streamsize>(block.size() * 8));
    flags.insert(flags.end(), block.begin(), block.begin() + file.gcount() / 8);
  } while (file);
  if (flags.empty()) throw std::runtime_error("/proc/kpageflags cannot be read");
  return flags;
}

FreeRange find_free_range() {
  const std::vector<uint64_t> flags = page_flags();
  FreeRange longest;
  for (auto at = flags.begin(); at != flags.end();) {
    const auto first = std::find_if_not(at, flags.end(), in_use);
    at = std::find_if(first, flags.end(), in_use);
    const auto start = static_cast<uint64_t>(first - flags.begin());
    const auto end = static_cast<uint64_t>(at - flags.begin());
    if (end - start > longest.end - longest.start) longest = {start, end};
  }
  const uint64_t quarter = (longest.end - longest.start) / 4;
  return {(longest.start + quarter) * kPageBytes, (longest.end - quarter) * kPageBytes};
}

bool is_free(const FreeRange& range) {
  const std::vector<uint64_t> flags = page_flags();
  const auto at = [&](uint64_t address) {
    return flags.begin() + static_cast<std::ptrdiff_t>(address / kPageBytes);
  };
  return std::none_of(at(range.start), at(range.end), in_use);
}

std::string to_text(const FreeRange& range) {
  return std::to_string(range.start) + "-" + std::to_string(range.end);
}

FreeRange parse_free_range(const std::string& text) {
  const size_t dash = text.find('-');
  if (dash == std::string::npos) throw std::invalid_argument(text + ": not START-END");
  return {std::stoull(text), std::stoull(text.substr(dash + 1))};
}

}  // namespace guest_test
