// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a page sampler costs: max_cpu is kept whatever a check costs, unless the smallest sample
// is too expensive, and the values stay right when the sample is made smaller or larger.
#include <cmath>

#include "engine/base/random.h"
#include "unit/engine/pages/page_sampler_run.h"

namespace damon_statfs::test {
namespace {

// Nine of ten pieces of 64 KiB are always hot, the others never, so that it takes the whole sample
// to tell how much that is.
int64_t last_access_in_pieces(uint64_t addr, int64_t now_ns) {
  Random random(addr / (64 << 10) * 0x9e3779b97f4a7c15 + 77);
  return random.in_range(0, 10) > 0 ? now_ns : PagedMemory::kNever;
}

// A sampler at work, where a check or a mark costs 3 us.
class CostRun : public PageSamplerRun {
 public:
  explicit CostRun(double max_cpu_percent) {
    config.max_cpu_percent = max_cpu_percent;
    memory.last_access = last_access_in_pieces;
    memory.cpu_ns_per_check = memory.cpu_ns_per_mark = 3'000;
    start();
  }

  // Goes on for so long. Returns: the percent of a CPU that it has used.
  double percent_used_in(int64_t ns) {
    const int64_t cpu_ns = clock.thread_cpu_ns(), begin_ns = clock.now_ns();
    run_for(ns);
    return 100 * static_cast<double>(clock.thread_cpu_ns() - cpu_ns) /
           static_cast<double>(clock.now_ns() - begin_ns);
  }
};

TEST_CASE("max_cpu is kept", "[page_sampler][cost]") {
  CostRun free_run(100);
  free_run.run_for(30 * kSecond);
  const double wanted_percent = free_run.percent_used_in(100 * kSecond);
  // With few bandwidth checks of the smallest sample it needs two thirds.
  const double allowed = GENERATE(1.1, 0.9, 0.7);
  const double max_cpu = allowed * wanted_percent;
  CAPTURE(wanted_percent, allowed);
  CostRun run(max_cpu);
  run.run_for(30 * kSecond);
  for (int minute = 0; minute < 5; ++minute) {
    const double used = run.percent_used_in(60 * kSecond);
    CAPTURE(minute, used, run.pages.nr_pages);
    CHECK(used <= max_cpu);
    CHECK(used > max_cpu / 2);  // nor is accuracy given away
  }
  CHECK(run.log.count(LogLevel::kWarning) == 0);
  CHECK(std::abs(run.details.share_percent[0] - 90) < 3);
}

TEST_CASE("max_cpu too small: said once, and on with the smallest sample", "[page_sampler][time]") {
  PageSamplerRun run;
  run.config.max_cpu_percent = 0.01;
  run.memory.cpu_ns_per_check = 20'000;
  run.memory.last_access = [](uint64_t addr, int64_t now_ns) {
    return addr < kGiB ? now_ns : PagedMemory::kNever;
  };
  run.start();
  run.run_for(300 * kSecond);
  CHECK(run.log.count(LogLevel::kWarning) == 1);
  CHECK(run.log.count(LogLevel::kWarning, "max_cpu=0.01") == 1);
  CHECK(run.pages.nr_pages <= SampleShape{}.min_words * SampleShape{}.pages_per_word);
  CHECK(run.pages.nr_pages > SampleShape{}.min_words * SampleShape{}.pages_per_word * 95 / 100);
  CHECK(std::abs(run.details.share_percent[0] - 25) < 0.5);
}

TEST_CASE("the sample follows its cost and keeps what is known", "[page_sampler][time]") {
  PageSamplerRun run;
  run.config.max_cpu_percent = 1;
  run.memory.cpu_ns_per_check = 1'000;
  run.memory.last_access = last_access_in_pieces;
  run.start();
  run.run_for(40 * kSecond);
  const uint64_t largest = run.pages.nr_pages;
  run.memory.cpu_ns_per_check = 11'000;
  run.run_for(40 * kSecond);
  const uint64_t smallest = run.pages.nr_pages;
  CHECK(smallest < largest * 9 / 10);
  CHECK(smallest >= SampleShape{}.min_words * SampleShape{}.pages_per_word * 95 / 100);
  run.memory.cpu_ns_per_check = 1'000;
  run.run_for(1'300 * kSecond);
  CHECK(run.pages.nr_pages >= largest * 98 / 100);
  CHECK(run.log.count(LogLevel::kWarning) == 0);
  CHECK(-run.idle_ms(0) > run.monitored_ms() - 1'000);  // since the first check but one
  CHECK(-run.idle_ms(0) < run.monitored_ms());
  CHECK(run.idle_ms(100) == run.monitored_ms());
}

TEST_CASE("memory that is used in large pieces takes half of the sample", "[page_sampler][time]") {
  PageSamplerRun run;
  bool in_pieces = false;
  run.memory.last_access = [&](uint64_t addr, int64_t now_ns) {
    if (in_pieces) return last_access_in_pieces(addr, now_ns);
    return addr < kGiB ? now_ns : PagedMemory::kNever;
  };
  run.start();
  run.run_for(40 * kSecond);
  const uint64_t all = run.pages.nr_pages;
  run.run_for(60 * kSecond);
  CHECK(run.pages.nr_pages == all / 2);
  CHECK(std::abs(run.details.share_percent[0] - 25) < 0.5);
  in_pieces = true;
  run.run_refreshes(4);
  CHECK(run.pages.nr_pages >= all * 98 / 100);
  for (const double share : run.details.share_percent) {
    CAPTURE(share);
    CHECK(std::abs(share - 90) < 3);
  }
}

}  // namespace
}  // namespace damon_statfs::test
