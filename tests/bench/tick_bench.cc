// SPDX-License-Identifier: GPL-2.0-or-later
//
// What one region costs per tick of the engine core, by number of regions and size of memory. The
// clock is virtual and a check costs next to nothing, so that only the engine's own work is timed.
#include <fmt/format.h>

#include <array>
#include <ctime>
#include <memory>
#include <vector>

#include "damon_statfs/observer.h"
#include "damon_statfs/region_checks.h"
#include "engine/regions/sampler.h"
#include "summary.h"

namespace damon_statfs::bench {
namespace {

constexpr uint64_t kGiB = uint64_t{1} << 30;
constexpr int kRounds = 5;
constexpr int kWarmUpAggregations = 5;
constexpr uint64_t kRegionTicksPerRound = 500'000;

// Stands where the last deadline was. CPU time costs nothing here, so max_cpu never stretches.
class VirtualClock final : public Clock {
 public:
  int64_t now_ns() const override { return now_ns_; }
  int64_t suspended_ns() const override { return 0; }
  int64_t thread_cpu_ns() const override { return 0; }
  bool wait_until(int64_t deadline_ns, int) const override {
    now_ns_ = deadline_ns;
    return false;
  }

 private:
  mutable int64_t now_ns_ = kNsPerSecond;
};

// Memory whose first quarter is accessed every 10 ms, and the rest never.
class QuarterHot final : public RegionChecks {
 public:
  QuarterHot(uint64_t memory_bytes, const Clock& clock)
      : memory_bytes_(memory_bytes), clock_(clock) {}

  Result<std::vector<AddressRange>> open() override { return all(); }
  Result<std::vector<AddressRange>> update() override { return all(); }
  void close() noexcept override {}
  OperationsFacts facts() const override { return {}; }

  Result<void> prepare_access_checks(std::span<Region> /*regions*/) override {
    prepared_ns_ = clock_.now_ns();
    return outcome::success();
  }
  Result<void> check_accesses(std::span<Region> regions) override {
    constexpr int64_t kPeriodNs = 10 * kNsPerMs;
    const int64_t now_ns = clock_.now_ns();
    if (now_ns / kPeriodNs == prepared_ns_ / kPeriodNs) return outcome::success();
    for (Region& region : regions) {
      if (region.sampling_addr < memory_bytes_ / 4) region.add_access(now_ns);
    }
    return outcome::success();
  }

 private:
  std::vector<AddressRange> all() const { return {{0, memory_bytes_}}; }

  const uint64_t memory_bytes_;
  const Clock& clock_;
  int64_t prepared_ns_ = 0;
};

// Counts what was done: the engine changes the number of regions as it runs.
class Counter final : public MonitoringObserver {
 public:
  void after_sampling(const RegionsView& view) override {
    ++ticks;
    region_ticks += view.regions.size();
  }
  void after_aggregation(const RegionsView&) override { ++aggregations; }

  uint64_t ticks = 0;
  uint64_t region_ticks = 0;
  uint64_t aggregations = 0;
};

int64_t cpu_ns() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<int64_t>(time.tv_sec) * kNsPerSecond + time.tv_nsec;
}

// How the number of regions is held near `wanted`: kept as it is, or halved by merging and doubled
// by splitting in each aggregation.
struct Holding {
  const char* name;
  uint64_t min_divisor;  // min_nr_regions = wanted / min_divisor
};

// A sampler over `memory_bytes`, of which the first quarter is hot.
class Cell {
 public:
  Cell(const Holding& holding, uint64_t wanted, uint64_t memory_bytes) {
    checks_ = std::make_unique<QuarterHot>(memory_bytes, clock_);
    SamplerConfig config;
    config.attrs.min_nr_regions = wanted / holding.min_divisor;
    config.attrs.max_nr_regions = wanted;
    sampler_ = std::make_unique<Sampler>(config, *checks_, clock_, counter_);
    if (!sampler_->start()) fmt::print(stderr, "tick_bench: the sampler does not start\n");
    for (int i = 0; i < kWarmUpAggregations; ++i) run_aggregation();
    counter_ = Counter();
  }

  // Times whole aggregations, so that each brings its share of merging, tuning and splitting.
  void measure_round() {
    const uint64_t region_ticks_before = counter_.region_ticks;
    const int64_t begin_ns = cpu_ns();
    uint64_t done = 0;
    do {
      run_aggregation();
      done = counter_.region_ticks - region_ticks_before;
    } while (done < kRegionTicksPerRound);
    ns_per_region_.push_back(static_cast<double>(cpu_ns() - begin_ns) / static_cast<double>(done));
  }

  double mean_regions() const {
    return static_cast<double>(counter_.region_ticks) / static_cast<double>(counter_.ticks);
  }
  const std::vector<double>& ns_per_region() const { return ns_per_region_; }

 private:
  void run_aggregation() {
    const uint64_t before = counter_.aggregations;
    while (counter_.aggregations == before) {
      clock_.wait_until(sampler_->deadline_ns(), -1);
      if (!sampler_->step()) return;
    }
  }

  VirtualClock clock_;
  Counter counter_;
  std::unique_ptr<QuarterHot> checks_;
  std::unique_ptr<Sampler> sampler_;
  std::vector<double> ns_per_region_;
};

struct MemorySize {
  const char* name;
  uint64_t bytes;
};
constexpr std::array<MemorySize, 3> kSizes = {
    {{"16 GiB", 16 * kGiB}, {"1 TiB", 1024 * kGiB}, {"64 TiB", 65'536 * kGiB}}};

void print_table(const Holding& holding, std::vector<std::unique_ptr<Cell>> cells) {
  for (int round = 0; round < kRounds; ++round) {
    for (const auto& cell : cells) cell->measure_round();
  }
  fmt::print("\nns per region and tick, regions {}:\n\n", holding.name);
  std::vector<std::string> head = {"regions (mean)"};
  for (const MemorySize& size : kSizes) head.emplace_back(size.name);
  print_head(head);
  for (size_t first = 0; first < cells.size(); first += kSizes.size()) {
    std::vector<std::string> row(1);
    for (size_t i = first; i < first + kSizes.size(); ++i) {
      row[0] += fmt::format("{}{:.0f}", i == first ? "" : ", ", cells[i]->mean_regions());
      row.push_back(summary(cells[i]->ns_per_region(), 1));
    }
    print_row(row);
  }
}

void run() {
  for (const Holding& holding : {Holding{"held", 1}, Holding{"merged and split", 2}}) {
    std::vector<std::unique_ptr<Cell>> cells;
    for (const uint64_t wanted : {10U, 100U, 1'000U, 10'000U, 100'000U}) {
      for (const MemorySize& size : kSizes) {
        cells.push_back(std::make_unique<Cell>(holding, wanted, size.bytes));
      }
    }
    print_table(holding, std::move(cells));
  }
}

}  // namespace
}  // namespace damon_statfs::bench

int main() { damon_statfs::bench::run(); }
