// SPDX-License-Identifier: GPL-2.0-or-later
//
// What can be told of accesses to a page. It is apart from the checks, because a source that
// observes pages by itself has to say it of each page, too.
#pragma once

#include <cstdint>

namespace damon_statfs {

enum class PageKind : uint8_t {
  kUntracked,      // free, kernel or hugetlb memory, or none at all: no access can be seen
  kTracked,        // accesses are seen
  kUnmappedCache,  // page cache that nothing maps: accesses are seen, but with the
                   // multi-generational LRU none by read(2) and write(2)
};

}  // namespace damon_statfs
