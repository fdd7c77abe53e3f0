// SPDX-License-Identifier: GPL-2.0-or-later
//
// Where the guest's memory is free, page by page, so that a test can watch nothing but free pages.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace guest_test {

// Physical addresses in bytes, [start, end).
struct FreeRange {
  uint64_t start = 0;
  uint64_t end = 0;
};

// Returns: /proc/kpageflags as a whole, a word of flags per page frame.
std::vector<uint64_t> page_flags();

// Returns: the middle half of the longest run of pages that no process can access; see is_free().
FreeRange find_free_range();

// Returns: whether no page of the range is in use by a process, the page cache or the slab.
bool is_free(const FreeRange& range);

// START-END as for the mount option ram=, and back. Throws std::invalid_argument.
std::string to_text(const FreeRange& range);
FreeRange parse_free_range(const std::string& text);

}  // namespace guest_test
