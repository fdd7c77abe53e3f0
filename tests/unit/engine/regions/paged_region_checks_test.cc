// SPDX-License-Identifier: GPL-2.0-or-later
//
// Regions by way of page checks, on memory whose every access is known. What page_idle makes of it
// is in ops_page_idle_rules_test.
#include "engine/regions/paged_region_checks.h"

#include "support/catch.h"
#include "support/paged_memory.h"
#include "unit/engine/regions/region_lists.h"

namespace damon_statfs::test {
namespace {

using Counts = std::vector<uint32_t>;

class Machine {
 public:
  Machine() {
    auto source = std::make_unique<PagedMemory>(clock);
    memory = source.get();
    checks.emplace(std::move(source), clock, 4096);
    regions = make_regions({{0, 0x100000}, {0x100000, 0x200000}, {0x200000, 0x300000}});
    for (Region& region : regions) region.sampling_addr = region.start + 0x1234;
  }

  // One sampling interval.
  void sample() {
    REQUIRE(checks->prepare_access_checks(regions));
    clock.advance(5 * kNsPerMs);
    REQUIRE(checks->check_accesses(regions));
  }

  FakeClock clock;
  PagedMemory* memory = nullptr;
  std::optional<PagedRegionChecks> checks;  // owns `memory`
  Regions regions;
};

TEST_CASE("the sampled page tells for its region", "[paged_region_checks]") {
  Machine machine;
  machine.memory->last_access = [&](uint64_t addr, int64_t now_ns) {
    return addr == 0x101000 ? now_ns : PagedMemory::kNever;
  };
  for (int sample = 1; sample <= 3; ++sample) {
    machine.sample();
    CHECK(counts_of(machine.regions) == Counts{0, static_cast<uint32_t>(sample), 0});
  }
  CHECK(machine.regions[1].accessed_ns == machine.clock.now_ns());
}

TEST_CASE("an access before the mark does not count", "[paged_region_checks]") {
  Machine machine;
  const int64_t accessed_ns = machine.clock.now_ns();
  machine.memory->last_access = [=](uint64_t, int64_t) { return accessed_ns; };
  machine.clock.advance(kNsPerMs);
  machine.sample();
  CHECK(counts_of(machine.regions) == Counts{0, 0, 0});
}

TEST_CASE("untracked memory, and a mark that is not taken, tell nothing", "[paged_region_checks]") {
  Machine machine;
  machine.memory->last_access = [](uint64_t, int64_t now_ns) { return now_ns; };
  machine.memory->tracked = [](uint64_t addr) { return addr != 0x1000; };
  machine.memory->takes_mark = [](uint64_t addr) { return addr != 0x201000; };
  machine.sample();
  CHECK(counts_of(machine.regions) == Counts{0, 1, 0});
}

TEST_CASE("an error of the source is passed on", "[paged_region_checks]") {
  Machine machine;
  machine.memory->mark_errno = EIO;
  CHECK(machine.checks->prepare_access_checks(machine.regions).error().code.value() == EIO);
}

}  // namespace
}  // namespace damon_statfs::test
