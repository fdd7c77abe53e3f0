// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a page sampler says of memory of known truth that lies in a row: shares, idle times, hot
// sets that move, memory that cannot be tracked, and the simulated memory of ops=sim.
#include <cmath>

#include "engine/ops_sim.h"
#include "support/known_memory.h"
#include "unit/engine/pages/page_sampler_run.h"

namespace damon_statfs::test {
namespace {

// Whether the shares are those of memory whose parts lie in a row. Where one part ends and the next
// begins, the four pages of one word may be on the wrong side: 0.2 % of a sample of 2,000.
void check_shares(const PageSamplerRun& run, const KnownMemory& known) {
  const auto& limits_ms = MonitoringDetails::kShareLimitsMs;
  for (size_t i = 0; i < limits_ms.size(); ++i) {
    const double share = known.percent_below(limits_ms[i] * kMs, run.refreshed_ns);
    CAPTURE(i, share, run.details.share_percent[i], run.pages.share_error_percent[i]);
    CHECK(std::abs(run.details.share_percent[i] - share) < 0.3);
    CHECK(run.pages.share_error_percent[i] < 0.3);
  }
}

TEST_CASE("the three shares, at every refresh", "[page_sampler]") {
  // The truth is another one at each of the twelve refreshes of a minute.
  const KnownMemory known(
      {{0.125, 10 * kMs}, {0.25, 3 * kSecond}, {0.125, 20 * kSecond}, {0.5, 0}});
  PageSamplerRun run;
  run.memory.last_access = known.accesses();
  run.start();
  run.run_refreshes(13);  // what is never accessed must be known to be older than 60 s
  for (int i = 0; i < 24; ++i) {
    run.run_refreshes(1);
    CAPTURE(i, run.refreshed_ns);
    check_shares(run, known);
  }
}

TEST_CASE("the first refresh is right for hot memory", "[page_sampler]") {
  PageSamplerRun run;
  const KnownMemory known({{0.25, 10 * kMs}, {0.75, 0}});
  run.memory.last_access = known.accesses();
  run.start();
  run.run_refreshes(1);
  CHECK(std::abs(run.details.share_percent[0] - 25) < 0.15);
  CHECK(run.idle_ms(0) < 0);
  CHECK(run.idle_ms(24) < 0);
  CHECK(run.idle_ms(26) == run.monitored_ms());
  CHECK(run.idle_ms(100) == run.monitored_ms());
  // Half of 1 GiB in each 5 ms, from 16 checks that find all or nothing: 25 % standard error.
  CHECK(std::abs(run.bandwidth() / (100.0 * kGiB) - 1) < 0.75);
}

TEST_CASE("a hot set that moves", "[page_sampler]") {
  PageSamplerRun run;
  int64_t moved_ns = 0;
  uint64_t hot_start = 0;
  run.memory.last_access = [&](uint64_t addr, int64_t now_ns) {
    if (addr - hot_start < kGiB) return now_ns / (10 * kMs) * (10 * kMs);
    return addr < kGiB ? moved_ns : PagedMemory::kNever;  // the old place: idle since it moved
  };
  run.start();
  run.run_refreshes(5);
  CHECK(std::abs(run.details.share_percent[0] - 25) < 0.5);
  hot_start = 2 * kGiB;
  moved_ns = run.clock.now_ns();
  run.run_refreshes(1);  // in less than 6 s, both are young, and only the new place is hot
  CHECK(std::abs(run.details.share_percent[0] - 25) < 0.5);
  CHECK(std::abs(run.details.share_percent[1] - 50) < 0.5);
  run.run_refreshes(2);
  CHECK(std::abs(run.details.share_percent[0] - 25) < 0.5);
  CHECK(std::abs(run.details.share_percent[1] - 25) < 0.5);
}

TEST_CASE("idle time is real time", "[page_sampler]") {
  PageSamplerRun run;
  bool hot = true;
  int64_t touched_ns = 0;
  run.memory.last_access = [&](uint64_t, int64_t now_ns) {
    if (hot) touched_ns = now_ns;
    return touched_ns;
  };
  run.start();
  run.run_refreshes(4);
  CHECK(run.idle_ms(100) < -(20'000 - 2 * 5'000));
  CHECK(run.idle_ms(100) - run.idle_ms(0) < 50);  // a round takes its time
  run.run_for(GENERATE(range(0, 5)) * kSecond + GENERATE(100, 600) * kMs);
  hot = false;
  const int64_t stopped_ns = run.clock.now_ns();
  for (const int64_t wait_s : {60, 300}) {
    run.run_for(wait_s * kSecond);
    const auto idle_ms = static_cast<double>((run.refreshed_ns - stopped_ns) / kMs);
    for (const size_t p : {0, 50, 100}) {
      CAPTURE(wait_s, p);
      // When it stopped is known to half of the time between two sentinel checks.
      CHECK(std::abs(static_cast<double>(run.idle_ms(p)) - idle_ms) < 650);
    }
  }
}

TEST_CASE("untracked memory in the shares", "[page_sampler]") {
  PageSamplerRun run;
  run.config.excluded = GENERATE(ExcludedPages::kNone, ExcludedPages::kUntracked);
  run.memory.tracked = [](uint64_t addr) { return addr < kGiB; };
  const KnownMemory known({{0.125, 10 * kMs}, {0.875, 0}});
  run.memory.last_access = known.accesses();
  run.start();
  run.run_refreshes(3);
  const double untracked_gib = static_cast<double>(run.pages.untracked_bytes.value()) / kGiB;
  CHECK(std::abs(untracked_gib - 3) < 0.03);
  CHECK(run.details.monitored_bytes == 4 * kGiB);
  const double expected = run.config.excluded == ExcludedPages::kUntracked ? 50 : 12.5;
  CHECK(std::abs(run.details.share_percent[0] - expected) < 1.5);
}

TEST_CASE("page cache that nothing maps in the shares", "[page_sampler]") {
  PageSamplerRun run;
  run.config.excluded = GENERATE(ExcludedPages::kUntracked, ExcludedPages::kUnmapped);
  const bool exclude = run.config.excluded == ExcludedPages::kUnmapped;
  run.memory.unmapped_cache = [](uint64_t addr) { return addr >= kGiB; };
  const KnownMemory known({{0.125, 10 * kMs}, {0.875, 0}});
  run.memory.last_access = known.accesses();
  run.start();
  run.run_refreshes(3);
  CHECK(run.pages.untracked_bytes == 0);
  CHECK(std::abs(static_cast<double>(run.pages.unmapped_cache_bytes.value()) / kGiB - 3) < 0.03);
  CHECK(std::abs(run.details.share_percent[0] - (exclude ? 50 : 12.5)) < 1.5);
  run.memory.unmapped_cache = [](uint64_t) { return true; };
  run.run_refreshes(6);  // those long idle take turns
  CHECK(run.log.count(LogLevel::kWarning, "untracked=exclude_unmapped") == (exclude ? 1 : 0));
}

TEST_CASE("nothing tracked and untracked=exclude: the values stay, and the log says why",
          "[page_sampler]") {
  PageSamplerRun run;
  run.config.excluded = ExcludedPages::kUntracked;
  bool any = true;
  run.memory.tracked = [&](uint64_t addr) { return any && addr < kGiB; };
  const KnownMemory known({{0.125, 10 * kMs}, {0.875, 0}});
  run.memory.last_access = known.accesses();
  run.start();
  run.run_refreshes(4);
  for (size_t times = 1; times <= 2; ++times) {
    any = false;
    Statistics before;  // the last that speak of any page; those long idle take turns
    while (run.pages.untracked_bytes < run.details.monitored_bytes) {
      before = run.statistics;
      run.run_refreshes(1);
    }
    for (int i = 0; i < 3; ++i) {
      CHECK(run.statistics.memory_idle_ms_percentiles == before.memory_idle_ms_percentiles);
      CHECK(run.idle_ms(100) > 0);
      CHECK(run.statistics.estimated_memory_bandwidth_bytes_per_s == 0);
      CHECK(run.log.count(LogLevel::kWarning, "untracked=exclude") == times);
      run.run_refreshes(1);
    }
    any = true;
    run.run_refreshes(6);
    CHECK(run.idle_ms(0) < 0);
    CHECK(run.details.share_percent[0] > 0);
    CHECK(run.pages.untracked_bytes < run.details.monitored_bytes);
  }
}

TEST_CASE("nothing tracked from the start: a share is not 0 but not known", "[page_sampler]") {
  PageSamplerRun run;
  run.config.excluded = ExcludedPages::kUntracked;
  run.memory.tracked = [](uint64_t) { return false; };
  run.start();
  run.run_refreshes(2);
  for (size_t i = 0; i < 3; ++i) {
    CHECK(std::isnan(run.details.share_percent[i]));
    CHECK(std::isnan(run.pages.share_error_percent[i]));
  }
}

TEST_CASE("marks that are not taken are no accesses", "[page_sampler]") {
  PageSamplerRun run;
  run.config.attrs.goal.aggrs = 0;
  const KnownMemory known({{0.25, kMs}, {0.75, 0}});
  run.memory.last_access = known.accesses();
  SECTION("never, in cold memory") {
    run.memory.takes_mark = [](uint64_t addr) { return addr < kGiB; };
  }
  SECTION("now and then, in all memory") {
    run.memory.takes_mark = [n = 0](uint64_t) mutable { return ++n % 3 != 0; };
  }
  run.start();
  run.run_refreshes(13);  // what is never accessed must be known to be older than 60 s
  for (int i = 0; i < 10; ++i) {
    run.run_refreshes(1);
    CAPTURE(i);
    check_shares(run, known);
    CHECK(run.pages.untracked_bytes == 0);
    // A quarter of 4 GiB in each 5 ms.
    CHECK(std::abs(run.bandwidth() / (200.0 * kGiB) - 1) < 0.01);
  }
  CHECK(run.idle_ms(0) < 1'000 - run.monitored_ms());
  CHECK(run.idle_ms(100) == run.monitored_ms());
}

TEST_CASE("memory in use whose marks are not taken any more is as it was", "[page_sampler]") {
  PageSamplerRun run;
  run.config.attrs.goal.aggrs = 0;
  bool taken = true;
  run.memory.takes_mark = [&](uint64_t) { return taken; };
  run.memory.last_access = [](uint64_t addr, int64_t now_ns) {
    return addr < kGiB ? now_ns : PagedMemory::kNever;
  };
  run.start();
  run.run_refreshes(4);
  taken = false;
  run.run_refreshes(2);
  CHECK(std::abs(run.details.share_percent[0] - 25) < 0.15);
  CHECK(run.bandwidth() == 0);  // nothing is seen
  run.memory.last_access = [](uint64_t, int64_t) { return PagedMemory::kNever; };
  taken = true;
  run.run_refreshes(3);
  CHECK(run.details.share_percent[0] == 0);
}

TEST_CASE("memory that is allocated and freed", "[page_sampler]") {
  PageSamplerRun run;
  bool allocated = false;
  run.memory.tracked = [&](uint64_t addr) { return addr < kGiB || allocated; };
  run.start();
  run.run_refreshes(3);
  CHECK(run.details.share_percent[0] < 1);
  allocated = true;
  run.run_for(6 * kSecond);
  CHECK(std::abs(run.details.share_percent[1] - 75) < 1);  // accessed when it was allocated
  allocated = false;
  run.run_refreshes(3);
  CHECK(run.details.share_percent[1] < 1);
  CHECK(std::abs(static_cast<double>(run.pages.untracked_bytes.value()) / kGiB - 3) < 0.05);
}

TEST_CASE("what the details say", "[page_sampler]") {
  PageSamplerRun run;
  run.memory.counts_pages = true;
  run.start();
  CHECK(run.sampler->monitored_bytes() == 4 * kGiB);
  run.run_refreshes(2);
  CHECK(run.pages.nr_pages == run.sampler->sample().pages().size());
  CHECK(run.pages.nr_pages <= SampleShape{}.max_words * SampleShape{}.pages_per_word);
  CHECK(run.pages.nr_pages > SampleShape{}.max_words * SampleShape{}.pages_per_word * 98 / 100);
  CHECK(run.pages.check_period_ms == 1'000);
  CHECK(run.details.sample_us * 20 == run.details.aggr_us);
  CHECK(run.statistics.aggr_interval_us == run.details.aggr_us);
  uint64_t checks = 0;
  for (const auto& [addr, count] : run.memory.checks) checks += static_cast<uint64_t>(count);
  CHECK(run.details.nr_checks <= checks);
  CHECK(run.details.nr_checks >= 2 * 2 * run.pages.nr_pages);
}

TEST_CASE("the simulated memory of ops=sim", "[page_sampler]") {
  PageSamplerRun run;
  OperationsContext context;
  context.clock = &run.clock;
  context.log = run.log.sink();
  context.sim = {{kGiB, 10 * kMs}, {kGiB, 3 * kSecond}, {2 * kGiB, 0}};
  const KnownMemory known({{0.25, 10 * kMs}, {0.25, 3 * kSecond}, {0.5, 0}});
  CheckedPages pages(CheckedPagesConfig(), sim_operations().make<PageChecks>(context), run.clock);
  PageSampler sampler(run.config, pages, run.clock, run);
  REQUIRE(sampler.start());
  while (run.refreshes < 26) {
    const size_t before = run.refreshes;
    run.clock.wait_until(sampler.deadline_ns(), -1);
    REQUIRE(sampler.step());
    if (run.refreshes > before && run.refreshes > 13) check_shares(run, known);
  }
  sampler.stop();
}

}  // namespace
}  // namespace damon_statfs::test
