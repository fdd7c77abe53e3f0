// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a page sampler says of memory of known truth: shares, idle times, hot sets that move, memory
// that cannot be tracked, and the simulated memory of ops=sim.
#include <cmath>

#include "engine/ops_sim.h"
#include "unit/page_sampler_run.h"

namespace damon_statfs::test {
namespace {

// Memory whose parts are accessed every so often, and how much each has of all.
struct Part {
  double share;
  int64_t period_ns;  // 0: never
};

PagedMemory::LastAccess accessed_in_parts(std::vector<Part> parts, uint64_t bytes) {
  return [=](uint64_t addr, int64_t now_ns) {
    double end = 0;
    for (const Part& part : parts) {
      end += part.share * static_cast<double>(bytes);
      if (static_cast<double>(addr) >= end) continue;
      return part.period_ns == 0 ? PagedMemory::kNever : now_ns / part.period_ns * part.period_ns;
    }
    return PagedMemory::kNever;
  };
}

TEST_CASE("the three shares, at every refresh", "[page_sampler]") {
  PageSamplerRun run;
  run.memory.last_access = accessed_in_parts(
      {{0.125, 10 * kMs}, {0.25, 3 * kSecond}, {0.125, 20 * kSecond}, {0.5, 0}}, 4 * kGiB);
  run.start();
  run.run_refreshes(13);  // what is never accessed must be known to be older than 60 s
  for (int i = 0; i < 40; ++i) {
    run.run_refreshes(1);
    CAPTURE(i, run.details.share_percent, run.details.share_error_percent);
    // Contiguous parts of a stratified sample: hardly any sampling error. What is used every 3 s
    // may just have been used; a pass that ended less than a check period ago counts either way.
    CHECK(run.details.share_percent[0] > 12.5 - 0.5);
    CHECK(run.details.share_percent[0] < 50.5);
    CHECK(std::abs(run.details.share_percent[1] - 37.5) < 13);
    CHECK(std::abs(run.details.share_percent[2] - 50) < 0.5);
    for (const double error : run.details.share_error_percent) CHECK(error < 1);
  }
}

TEST_CASE("hot and cold memory at each refresh, scattered", "[page_sampler]") {
  const double hot = GENERATE(0.01, 0.125, 0.5, 0.97);
  CAPTURE(hot);
  PageSamplerRun run;
  run.memory.last_access = [=](uint64_t addr, int64_t now_ns) {
    Random random(addr / 4096 * 77 + 5);
    const bool is_hot = static_cast<double>(random.in_range(0, 1'000'000)) < hot * 1e6;
    return is_hot ? now_ns / (5 * kMs) * (5 * kMs) : PagedMemory::kNever;
  };
  run.start();
  for (int i = 0; i < 20; ++i) {
    run.run_refreshes(1);
    CAPTURE(i, run.details.share_percent[0], run.details.share_error_percent[0]);
    CHECK(run.details.share_error_percent[0] > 0);
    CHECK(std::abs(run.details.share_percent[0] - 100 * hot) <
          4 * run.details.share_error_percent[0]);
  }
}

TEST_CASE("the first refresh is right for hot memory", "[page_sampler]") {
  PageSamplerRun run;
  run.memory.last_access = accessed_in_parts({{0.25, 10 * kMs}, {0.75, 0}}, 4 * kGiB);
  run.start();
  run.run_refreshes(1);
  CHECK(std::abs(run.details.share_percent[0] - 25) < 0.5);
  CHECK(run.idle_ms(0) < 0);
  CHECK(run.idle_ms(23) < 0);
  CHECK(run.idle_ms(27) > 4'000);
  CHECK(run.idle_ms(100) <= (run.refreshed_ns - run.begun_ns) / kMs);
  CHECK(run.bandwidth() > 0);
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

TEST_CASE("memory touched every 5 s", "[page_sampler]") {
  PageSamplerRun run;
  run.config.refresh_ms = 4'700;  // so that refreshes meet all phases
  run.memory.last_access = accessed_in_parts({{0.5, 5 * kSecond}, {0.5, 0}}, 4 * kGiB);
  run.start();
  run.run_refreshes(14);
  double below_1s = 0;
  for (int i = 0; i < 100; ++i) {
    run.run_refreshes(1);
    CAPTURE(i, run.refreshed_ns);
    CHECK(std::abs(run.details.share_percent[1] - 50) < 0.5);  // never idle for 6 s
    below_1s += run.details.share_percent[0] / 100;
    const int64_t idle_ms = run.refreshed_ns % (5 * kSecond) / kMs;
    if (idle_ms > 1'500) CHECK(std::abs(run.idle_ms(25) - idle_ms) < 2'000);
  }
  CHECK(std::abs(below_1s - 10) < 5);  // one second of five, of half of memory
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
  run.run_for(GENERATE(range(0, 10)) * kSecond / 2 + 100 * kMs);
  hot = false;
  const int64_t stopped_ns = run.clock.now_ns();
  for (const int64_t wait_s : {60, 900}) {
    run.run_for(wait_s * kSecond);
    const auto idle_ms = static_cast<double>((run.refreshed_ns - stopped_ns) / kMs);
    for (const size_t p : {0, 50, 100}) {
      CAPTURE(wait_s, p);
      // When it stopped is known to half of the time between the scouts' looks.
      CHECK(std::abs(static_cast<double>(run.idle_ms(p)) - idle_ms) < 650);
    }
  }
}

TEST_CASE("untracked memory in the shares", "[page_sampler]") {
  PageSamplerRun run;
  run.config.exclude_untracked = GENERATE(false, true);
  run.memory.tracked = [](uint64_t addr) { return addr < kGiB; };
  run.memory.last_access = accessed_in_parts({{0.125, 10 * kMs}}, 4 * kGiB);
  run.start();
  run.run_refreshes(3);
  const double untracked_gib = static_cast<double>(run.details.untracked_bytes) / kGiB;
  CHECK(std::abs(untracked_gib - 3) < 0.03);
  CHECK(run.details.monitored_bytes == 4 * kGiB);
  const double expected = run.config.exclude_untracked ? 50 : 12.5;
  CHECK(std::abs(run.details.share_percent[0] - expected) < 1.5);
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
  CHECK(std::abs(run.details.share_percent[1] - 75) < 1);  // used when it was allocated
  allocated = false;
  run.run_refreshes(3);
  CHECK(run.details.share_percent[1] < 1);
  CHECK(std::abs(static_cast<double>(run.details.untracked_bytes) / kGiB - 3) < 0.05);
}

TEST_CASE("what the details say", "[page_sampler]") {
  PageSamplerRun run;
  run.start();
  CHECK(run.sampler->monitored_bytes() == 4 * kGiB);
  run.run_refreshes(2);
  CHECK(run.details.nr_pages == run.sampler->sample().pages().size());
  CHECK(run.details.nr_pages <= SampleSize::kMaxWords * PageSample::kSampledPerWord);
  CHECK(run.details.nr_pages > SampleSize::kMaxWords * PageSample::kSampledPerWord * 98 / 100);
  CHECK(run.details.nr_regions == 0);
  CHECK(run.details.check_period_ms == 1'000);
  CHECK(run.details.sample_us * 20 == run.details.aggr_us);
  CHECK(run.statistics.aggr_interval_us == run.details.aggr_us);
  uint64_t looks = 0;
  for (const auto& [addr, count] : run.memory.looks) looks += static_cast<uint64_t>(count);
  CHECK(run.details.nr_checks <= looks);
  CHECK(run.details.nr_checks >= 2 * 2 * run.details.nr_pages);
}

TEST_CASE("the simulated memory of ops=sim", "[page_sampler]") {
  PageSamplerRun run;
  OperationsContext context;
  context.clock = &run.clock;
  context.log = run.log.sink();
  context.sim = {{kGiB, 10 * kMs}, {kGiB, 3 * kSecond}, {2 * kGiB, 0}};
  const auto operations = sim_operations().create(context);
  PageSampler sampler(run.config, *operations, run.clock, run);
  REQUIRE(sampler.start());
  while (run.refreshes < 20) {
    run.clock.wait_until(sampler.deadline_ns(), -1);
    REQUIRE(sampler.step());
    if (run.refreshes < 2) continue;
    CHECK(run.details.share_percent[0] > 24.5);
    CHECK(run.details.share_percent[0] < 50.5);
    CHECK(std::abs(run.details.share_percent[1] - 50) < 0.5);
  }
  CHECK(std::abs(run.details.share_percent[2] - 50) < 0.5);
  sampler.stop();
}

}  // namespace
}  // namespace damon_statfs::test
