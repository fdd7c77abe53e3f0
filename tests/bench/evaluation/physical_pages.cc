// SPDX-License-Identifier: GPL-2.0-or-later
//
// /proc/self/pagemap: 64 bits a page, of which bit 63 says that it is in memory and the low 55
// where.
#include "physical_pages.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <stdexcept>

namespace guest_test {
namespace {

constexpr uint64_t kPresent = 1ULL << 63;
constexpr uint64_t kFrameMask = (1ULL << 55) - 1;
constexpr uint64_t kPagesOfBlock = kHugePageBytes / kPageBytes;

bool is_contiguous(const std::vector<uint64_t>& pages, size_t first, size_t count) {
  const auto range =
      std::minmax_element(pages.begin() + static_cast<std::ptrdiff_t>(first),
                          pages.begin() + static_cast<std::ptrdiff_t>(first + count));
  return *range.second - *range.first == count - 1;
}

}  // namespace

std::vector<uint64_t> physical_pages(const Part& part) {
  std::vector<uint64_t> pages(static_cast<size_t>(part.bytes / kPageBytes));
  const int file = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  const auto offset = static_cast<off_t>(reinterpret_cast<uintptr_t>(part.begin) /
                                         static_cast<uintptr_t>(kPageBytes) * sizeof(uint64_t));
  const auto bytes = static_cast<ssize_t>(pages.size() * sizeof(uint64_t));
  const bool whole = pread(file, pages.data(), static_cast<size_t>(bytes), offset) == bytes;
  close(file);
  for (uint64_t& page : pages) {
    if (!whole || (page & kPresent) == 0) throw std::runtime_error("pages are not in memory");
    page &= kFrameMask;
  }
  return pages;
}

std::string describe_pieces(const std::vector<uint64_t>& pages, size_t piece) {
  std::set<uint64_t> blocks;
  size_t contiguous = 0;
  for (size_t first = 0; first + piece <= pages.size(); first += piece) {
    contiguous += is_contiguous(pages, first, piece) ? 1 : 0;
    blocks.insert(pages[first] / kPagesOfBlock);
  }
  return std::to_string(pages.size() / piece) + " pieces of " + std::to_string(piece * 4) +
         " KiB, " + std::to_string(contiguous) + " of them physically contiguous, in " +
         std::to_string(blocks.size()) + " blocks of 2 MiB";
}

}  // namespace guest_test
