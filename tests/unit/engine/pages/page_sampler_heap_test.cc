// SPDX-License-Identifier: GPL-2.0-or-later
//
// The bandwidth of a heap that grows, is freed as a whole and grows again: memory that is touched
// once in each life, when it is allocated, and cannot be tracked in between.
#include <cmath>

#include "unit/engine/pages/page_sampler_run.h"

namespace damon_statfs::test {
namespace {

constexpr uint64_t kHeapBytes = kGiB;  // of 4 GiB
constexpr int64_t kGrowthNs = 16 * kSecond;
constexpr int64_t kFullNs = 2 * kSecond;
constexpr int64_t kCycleNs = kGrowthNs + kFullNs + kSecond;
constexpr double kBytesPerS =
    static_cast<double>(kHeapBytes) / (static_cast<double>(kCycleNs) / kSecond);

// When this page was last allocated, which pages are in ascending order of addresses.
int64_t allocated_ns(uint64_t addr, int64_t now_ns) {
  if (addr >= kHeapBytes) return PagedMemory::kNever;
  const auto in_growth_ns =
      static_cast<int64_t>(addr / 4096) * kGrowthNs / static_cast<int64_t>(kHeapBytes / 4096);
  const int64_t since_ns = now_ns - in_growth_ns;
  return since_ns < 0 ? PagedMemory::kNever : since_ns / kCycleNs * kCycleNs + in_growth_ns;
}

bool is_allocated(uint64_t addr, int64_t now_ns) {
  const int64_t since_ns = allocated_ns(addr, now_ns);
  return since_ns != PagedMemory::kNever && since_ns / kCycleNs == now_ns / kCycleNs &&
         now_ns % kCycleNs < kGrowthNs + kFullNs;
}

// All pages are checked every 5 s, so 6 % of the heap's, which live for less than that, are missed.
// The rest is told from all pages of the sample: an eighth of them, as of what is accessed more
// often, would be off by up to 20 % in the mean of so many readings.
TEST_CASE("a heap that is freed and grows again: each life counts once", "[page_sampler][rate]") {
  const auto seed = GENERATE(range(uint64_t{1}, uint64_t{7}));
  CAPTURE(seed);
  PageSamplerRun run;
  run.config.seed = seed;
  run.memory.last_access = allocated_ns;
  run.memory.tracked = [&](uint64_t addr) { return is_allocated(addr, run.clock.now_ns()); };
  run.start();
  run.run_refreshes(12);
  constexpr int kRefreshes = 100;
  double mean = 0;
  for (int i = 0; i < kRefreshes; ++i) {
    run.run_refreshes(1);
    mean += run.bandwidth() / kBytesPerS / kRefreshes;
  }
  CHECK(std::abs(mean - 0.95) < 0.05);
}

}  // namespace
}  // namespace damon_statfs::test
