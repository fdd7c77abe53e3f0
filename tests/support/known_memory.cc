// SPDX-License-Identifier: GPL-2.0-or-later
//
// Asked for each check of each page, which makes it a large part of what the tests cost.
#include "support/known_memory.h"

#include "engine/base/random.h"

namespace damon_statfs::test {

int64_t KnownMemory::last_access(uint64_t addr, int64_t now_ns) const {
  Random random(addr / 4096 * 77 + 5);
  const double place = layout_ == Layout::kInARow
                           ? static_cast<double>(addr) / static_cast<double>(bytes_)
                           : static_cast<double>(random.in_range(0, 1'000'000)) / 1e6;
  double end = 0;
  for (const KnownPart& part : parts_) {
    end += part.share;
    if (place >= end) continue;
    return part.period_ns == 0 ? kNever : now_ns / part.period_ns * part.period_ns;
  }
  return kNever;
}

double KnownMemory::percent_below(int64_t ns, int64_t now_ns) const {
  double percent = 0;
  for (const KnownPart& part : parts_) {
    if (part.period_ns != 0 && now_ns % part.period_ns < ns) percent += 100 * part.share;
  }
  return percent;
}

int64_t accessed_in_turn(uint64_t addr, int64_t period_ns, int64_t now_ns) {
  Random random(addr / 4096 * 31 + 7);
  const auto phase_ns = static_cast<int64_t>(random.in_range(0, static_cast<uint64_t>(period_ns)));
  return (now_ns - phase_ns) / period_ns * period_ns + phase_ns;
}

}  // namespace damon_statfs::test
