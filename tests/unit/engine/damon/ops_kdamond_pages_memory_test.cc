// SPDX-License-Identifier: GPL-2.0-or-later
//
// ops=kdamond with estimator=pages on memory of other sizes and shapes than the other tests have:
// setting up costs the same for any size, and every range has its share of the sample.
#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

#include "engine/base/memory_ranges.h"
#include "engine/damon/counted_pages.h"
#include "support/catch.h"
#include "unit/engine/damon/kdamond_pages_run.h"

namespace damon_statfs::test {
namespace {

constexpr uint64_t kGiB = 1'024 * kMiB;
constexpr size_t kMaxPages = 2'000;

void set_memory(PagesRun& run, const std::vector<AddressRange>& ranges) {
  std::string iomem;
  for (const AddressRange& range : ranges) {
    iomem += fmt::format("{:08x}-{:08x} : System RAM\n", range.start, range.end - 1);
  }
  run.machine.damon->set_file("/proc/iomem", iomem);
}

// As PCs have it: below 640 KiB, below a hole for devices, and the rest above 4 GiB.
std::vector<AddressRange> memory_of(uint64_t bytes) {
  return {{0x1000, 0xa0000}, {kMiB, 2 * kGiB}, {4 * kGiB, 2 * kGiB + bytes}};
}

// 32 ranges of one page to 1.75 GiB, with holes of one page to 3 GiB between them.
std::vector<AddressRange> many_ranges() {
  std::vector<AddressRange> ranges;
  uint64_t start = kMiB;
  for (uint64_t i = 0; i < 32; ++i) {
    const uint64_t bytes = i % 8 == 0 ? kPage * (1 + i) : i % 8 * 256 * kMiB + kPage * i;
    ranges.push_back({start, start + bytes});
    start += bytes + (i % 4 == 0 ? kPage : i % 4 * kGiB);
  }
  return ranges;
}

// What a kdamond is on for.
std::vector<AddressRange> in_force(const PagesRun& run, int index) {
  const RunningKdamond* const kdamond = run.machine.damon->kernel().running(index);
  return kdamond == nullptr ? std::vector<AddressRange>() : kdamond->context.ranges;
}

bool is_inside(const AddressRange& page, const std::vector<AddressRange>& ranges) {
  return std::any_of(ranges.begin(), ranges.end(), [&](const AddressRange& range) {
    return range.start <= page.start && page.end <= range.end;
  });
}

// Whether they are single pages of the ranges that ascend, and no two of them neighbours.
void check_pages(const std::vector<AddressRange>& pages, const std::vector<AddressRange>& ranges) {
  int nr_larger = 0, nr_outside = 0, nr_neighbours = 0;
  for (size_t i = 0; i < pages.size(); ++i) {
    nr_larger += pages[i].size_bytes() == kPage ? 0 : 1;
    nr_outside += is_inside(pages[i], ranges) ? 0 : 1;
    nr_neighbours += i > 0 && pages[i - 1].end >= pages[i].start ? 1 : 0;
  }
  CHECK(nr_larger == 0);
  CHECK(nr_outside == 0);
  CHECK(nr_neighbours == 0);
}

// A stratified sample has as many pages of each range as its size says, but for its two ends.
void check_proportions(const std::vector<AddressRange>& pages,
                       const std::vector<AddressRange>& ranges) {
  const auto all = static_cast<double>(pages.size());
  for (const AddressRange& range : ranges) {
    const auto found = static_cast<double>(std::count_if(
        pages.begin(), pages.end(), [&](const auto& page) { return is_inside(page, {range}); }));
    const double expected =
        all * static_cast<double>(range.size_bytes()) / static_cast<double>(total_bytes(ranges));
    CAPTURE(range.start, range.end, found, expected);
    CHECK(std::abs(found - expected) < 2);
  }
}

// How many times a start has written and read files.
struct Accesses {
  size_t writes = 0, reads = 0;
};

Accesses start_counted(PagesRun& run) {
  Accesses accesses;
  run.machine.damon->before_read = [&](FakeDamon&, const std::string&) { ++accesses.reads; };
  REQUIRE(run.sampler->start());
  run.machine.damon->before_read = nullptr;
  accesses.writes = run.machine.damon->nr_writes();
  return accesses;
}

TEST_CASE("what it takes to set up does not grow with memory", "[kdamond_pages]") {
  std::vector<Accesses> of_sizes;
  for (const uint64_t gib : {64, 1'024}) {
    CAPTURE(gib);
    PagesRun run;
    const std::vector<AddressRange> memory = memory_of(gib * kGiB);
    set_memory(run, memory);
    run.kernel.is_accessed = [&](uint64_t addr, int64_t, int64_t) { return addr < gib * kGiB / 4; };
    of_sizes.push_back(start_counted(run));
    CHECK(run.sampler->monitored_bytes() == total_bytes(memory));
    const std::vector<AddressRange> sample = in_force(run, 0), counted = in_force(run, 1);
    CHECK(sample.size() <= kMaxPages);
    CHECK(sample.size() > kMaxPages - 10);
    CHECK(counted.size() == kCountedPages);
    check_pages(sample, memory);
    check_pages(counted, memory);
    check_proportions(sample, memory);

    REQUIRE(run.run(6));
    CHECK(run.refreshes == 1);
    const double hot_gib = static_cast<double>(gib) / 4 - 2;  // without the hole below 4 GiB
    const double share_percent = 100 * hot_gib / static_cast<double>(gib);
    CHECK(std::abs(run.details.share_percent[0] - share_percent) < 0.2);
    run.sampler->stop();
    CHECK(run.machine.is_untouched());
  }
  const auto [small, large] = std::pair(of_sizes.front(), of_sizes.back());
  CHECK(small.writes < 3 * (kMaxPages + kCountedPages));  // two bounds of each page, and the rest
  CHECK(std::abs(static_cast<int>(large.writes) - static_cast<int>(small.writes)) <= 16);
  CHECK(std::abs(static_cast<int>(large.reads) - static_cast<int>(small.reads)) <= 16);
}

TEST_CASE("32 ranges with holes between them", "[kdamond_pages]") {
  PagesRun run;
  const std::vector<AddressRange> memory = many_ranges();
  set_memory(run, memory);
  uint64_t hot_bytes = 0;
  std::vector<AddressRange> hot;
  for (size_t i = 2; i < memory.size(); i += 3) {
    hot.push_back(memory[i]);
    hot_bytes += memory[i].size_bytes();
  }
  run.kernel.is_accessed = [&](uint64_t addr, int64_t, int64_t) {
    return is_inside({addr, addr + kPage}, hot);
  };
  REQUIRE(run.sampler->start());
  CHECK(run.sampler->monitored_bytes() == total_bytes(memory));
  const std::vector<AddressRange> sample = in_force(run, 0), counted = in_force(run, 1);
  CHECK(sample.size() <= kMaxPages);
  CHECK(sample.size() > kMaxPages - 10);
  CHECK(counted.size() > kCountedPages / 2);
  check_pages(sample, memory);
  check_pages(counted, memory);
  check_proportions(sample, memory);

  REQUIRE(run.run(6));
  const double share_percent =
      100 * static_cast<double>(hot_bytes) / static_cast<double>(total_bytes(memory));
  CHECK(std::abs(run.details.share_percent[0] - share_percent) < 0.5);
  run.sampler->stop();
  CHECK(run.machine.is_untouched());
}

TEST_CASE("memory of fewer pages than a sample has, in ranges of a few pages", "[kdamond_pages]") {
  PagesRun run;
  std::vector<AddressRange> memory;
  for (uint64_t i = 0; i < 32; ++i) {
    memory.push_back({(1 + i) * kMiB, (1 + i) * kMiB + (1 + i % 5) * kPage});
  }
  set_memory(run, memory);
  run.kernel.is_accessed = [](uint64_t, int64_t, int64_t) { return true; };
  REQUIRE(run.sampler->start());
  const std::vector<AddressRange> sample = in_force(run, 0);
  CHECK(sample.size() >= memory.size() / 2);
  check_pages(sample, memory);
  check_pages(in_force(run, 1), memory);
  REQUIRE(run.run(6));
  CHECK(run.details.share_percent[0] == 100);
}

}  // namespace
}  // namespace damon_statfs::test
