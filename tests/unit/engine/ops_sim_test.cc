// SPDX-License-Identifier: GPL-2.0-or-later
//
// Simulated memory is the truth that other tests and the benchmarks measure against, so it has to
// be exact at every edge.
#include "engine/ops_sim.h"

#include <cerrno>
#include <optional>

#include "engine/regions/paged_region_checks.h"
#include "support/catch.h"
#include "support/fake_clock.h"
#include "support/log_lines.h"
#include "unit/engine/regions/region_lists.h"

namespace damon_statfs::test {
namespace {

constexpr uint64_t kTiB = uint64_t{1} << 40;

class Sim {
 public:
  explicit Sim(std::vector<SimPart> parts) {
    context.sim = std::move(parts);
    context.clock = &clock;
    context.log = log.sink();
    auto source = sim_operations().make<PageChecks>(context);
    operations = source.get();
    region_checks.emplace(std::move(source), clock, 4096);
  }

  // Whether the pages at these addresses are accessed between from_ns and to_ns of now.
  std::vector<uint32_t> accessed(std::initializer_list<uint64_t> addresses, int64_t wait_ns) {
    Regions regions;
    for (const uint64_t address : addresses) {
      regions.push_back(make_regions({{address, address + 1}})[0]);
      regions.back().sampling_addr = address;
    }
    REQUIRE(region_checks->prepare_access_checks(regions));
    clock.advance(wait_ns);
    REQUIRE(region_checks->check_accesses(regions));
    return counts_of(regions);
  }

  FakeClock clock;
  LogLines log;
  OperationsContext context;
  PageChecks* operations = nullptr;
  std::optional<PagedRegionChecks> region_checks;  // owns `operations`
};

using Counts = std::vector<uint32_t>;

TEST_CASE("parts are laid out from 0 in their order", "[sim]") {
  Sim sim({{8192, kNsPerMs}, {4096, 0}, {4096, kNsPerMs}});
  CHECK(sim.operations->open().value() == Ranges{{0, 16384}});
  CHECK(sim.accessed({0, 8191, 8192, 12287, 12288, 16383}, kNsPerMs) == Counts{1, 1, 0, 0, 1, 1});
}

TEST_CASE("addresses outside are never accessed", "[sim]") {
  Sim sim({{4096, kNsPerMs}});
  REQUIRE(sim.operations->open());
  CHECK(sim.accessed({4095, 4096, kTiB}, kNsPerSecond) == Counts{1, 0, 0});
}

TEST_CASE("touched at multiples of the period", "[sim]") {
  Sim sim({{4096, 10 * kNsPerMs}});
  REQUIRE(sim.operations->open());
  // The clock begins at a multiple. Each row: the wait, and whether a multiple lies in it.
  struct Row {
    int64_t wait_ns;
    uint32_t accessed;
  };
  const Row rows[] = {
      {10 * kNsPerMs - 1, 0},  // up to 1 ns before 10 ms
      {1, 1},                  // up to exactly 10 ms
      {1, 0},                  // the moment before is over
      {10 * kNsPerMs - 2, 0},  // up to 1 ns before 20 ms
      {2, 1},                  //
      {kNsPerSecond, 1},       // many at once count once
      {0, 0},
  };
  for (const Row& row : rows) {
    CAPTURE(row.wait_ns, sim.clock.now_ns());
    CHECK(sim.accessed({0}, row.wait_ns) == Counts{row.accessed});
  }
}

TEST_CASE("every period is seen once, whatever the sampling", "[sim]") {
  Sim sim({{4096, 7 * kNsPerMs}});
  REQUIRE(sim.operations->open());
  const int64_t begun_ns = sim.clock.now_ns();
  int64_t seen = 0;
  for (int i = 0; i < 5000; ++i) seen += sim.accessed({0}, 3 * kNsPerMs)[0];
  const int64_t period_ns = 7 * kNsPerMs;
  CHECK(seen == sim.clock.now_ns() / period_ns - begun_ns / period_ns);
}

TEST_CASE("portions of one tick share its interval", "[sim]") {
  Sim sim({{8192, 10 * kNsPerMs}});
  REQUIRE(sim.operations->open());
  Regions regions = make_row(2, 4096);
  for (Region& region : regions) region.sampling_addr = region.start;
  const std::span<Region> all(regions);
  REQUIRE(sim.region_checks->prepare_access_checks(all.first(1)));
  REQUIRE(sim.region_checks->prepare_access_checks(all.subspan(1)));
  sim.clock.advance(10 * kNsPerMs);
  REQUIRE(sim.region_checks->check_accesses(all.first(1)));
  REQUIRE(sim.region_checks->check_accesses(all.subspan(1)));
  CHECK(counts_of(regions) == Counts{1, 1});
}

TEST_CASE("huge memory costs the same", "[sim]") {
  Sim sim({{64 * kTiB, kNsPerMs}, {1024 * kTiB, 0}, {4096, kNsPerMs}});
  CHECK(sim.operations->open().value() == Ranges{{0, 1088 * kTiB + 4096}});
  CHECK(sim.accessed({64 * kTiB - 1, 64 * kTiB, 1088 * kTiB - 1, 1088 * kTiB}, kNsPerMs) ==
        Counts{1, 0, 0, 1});
}

TEST_CASE("it says that it is simulated", "[sim]") {
  Sim sim({{uint64_t{2} << 30, 0}});
  REQUIRE(sim.operations->open());
  CHECK(sim.log.count(LogLevel::kInfo, "simulated") == 1);
  const OperationsSet set = sim_operations();
  CHECK(set.name == "sim");
  CHECK_FALSE(set.automatic);
  CHECK(set.probe(sim.context).value().find("simulated") != std::string::npos);
  CHECK(set.probe(sim.context).value().find("2048 MiB") != std::string::npos);
  CHECK(set.probe(OperationsContext()).value().find("simulated") != std::string::npos);
}

TEST_CASE("without parts it cannot start", "[sim]") {
  Sim sim({});
  const auto opened = sim.operations->open();
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code.value() == EINVAL);
}

}  // namespace
}  // namespace damon_statfs::test
