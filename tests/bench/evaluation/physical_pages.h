// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which physical pages a part lies on: to show that scattered memory is scattered, and to know when
// a heap that grows again takes the pages that it had before.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "memory_part.h"

namespace guest_test {

// Page frame numbers in the order of the addresses. Throws when one is not in memory.
std::vector<uint64_t> physical_pages(const Part& part);

// Of pieces that lie on the pages [i * piece, i * piece + piece) of `pages`, one line: how many are
// contiguous, and over how many blocks of 2 MiB they are spread.
std::string describe_pieces(const std::vector<uint64_t>& pages, size_t piece);

}  // namespace guest_test
