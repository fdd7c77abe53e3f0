// SPDX-License-Identifier: GPL-2.0-or-later
//
// The bandwidth of estimator=pages against the memory that is really touched per sampling interval,
// which is what DAMON's number means, and the tuning of that interval.
#include <cmath>

#include "support/known_memory.h"
#include "unit/engine/pages/page_sampler_run.h"

namespace damon_statfs::test {
namespace {

// All pages of so little memory are in the sample, so nothing but the bandwidth checks is a matter
// of chance.
constexpr uint64_t kBytes = 4 * kMiB;

// The share of sentinels, by which memory that is not in use all the time is judged, below `end`.
double share_of_sentinels(const PageSampler& sampler, uint64_t end) {
  double below = 0, all = 0;
  for (const PageState& page : sampler.sample().pages()) {
    if (!is_sentinel(page.addr)) continue;
    all += 1;
    below += page.addr < end ? 1 : 0;
  }
  return below / all;
}

// The mean of the bandwidths of many refreshes.
double mean_bandwidth(PageSamplerRun& run, int refreshes) {
  double sum = 0;
  for (int i = 0; i < refreshes; ++i) {
    run.run_refreshes(1);
    sum += run.bandwidth();
  }
  return sum / refreshes;
}

TEST_CASE("bandwidth: the share touched per sampling interval", "[page_sampler][rate]") {
  struct Row {
    double share;       // of memory that is touched
    int64_t period_ns;  // so often
  };
  const Row row =
      GENERATE(Row{0.25, 1 * kMs}, Row{0.5, 10 * kMs}, Row{1, 50 * kMs}, Row{0.25, 400 * kMs});
  CAPTURE(row.share, row.period_ns);
  PageSamplerRun run;
  run.memory.ranges = {{0, kBytes}};
  run.config.attrs.goal.aggrs = 0;
  run.memory.last_access = [=](uint64_t addr, int64_t now_ns) {
    return static_cast<double>(addr) < row.share * kBytes
               ? accessed_in_turn(addr, row.period_ns, now_ns)
               : PagedMemory::kNever;
  };
  run.start();
  run.run_refreshes(2);
  constexpr int64_t kSampleNs = 5 * kMs;
  const double hit = std::min(1.0, kSampleNs / static_cast<double>(row.period_ns));
  const double expected = row.share * hit * kBytes * (kSecond / static_cast<double>(kSampleNs));
  const double found = mean_bandwidth(run, 400);  // of the least often hit, 1,500 hits
  CAPTURE(found / expected);
  CHECK(std::abs(found / expected - 1) < 0.08);
}

TEST_CASE("memory touched every few seconds has its part in the bandwidth",
          "[page_sampler][rate]") {
  const int64_t period_ns = GENERATE(1'100, 2'100, 3'700, 5'300, 9'700) * kMs;
  CAPTURE(period_ns);
  PageSamplerRun run;
  run.config.attrs.goal.aggrs = 0;
  run.config.attrs.sample_us = GENERATE(uint64_t{20'000}, uint64_t{500'000});
  run.config.attrs.aggr_us = 20 * run.config.attrs.sample_us;
  CAPTURE(run.config.attrs.sample_us);
  run.memory.last_access = [=](uint64_t addr, int64_t now_ns) {
    return addr < kGiB ? accessed_in_turn(addr, period_ns, now_ns) : PagedMemory::kNever;
  };
  run.start();
  run.run_refreshes(4);
  const double share = share_of_sentinels(*run.sampler, kGiB);
  // Sentinels are every eighth of 1,000 words: 0.25, with a standard error of 0.04.
  CHECK(share > 0.17);
  CHECK(share < 0.33);
  const double expected = share * 4 * kGiB / (static_cast<double>(period_ns) / kNsPerSecond);
  const double found = mean_bandwidth(run, 50) / expected;
  CAPTURE(found);
  CHECK(found > 0.8);
  CHECK(found < 1.2);
}

// The bandwidth of a sampling interval of so long, of memory all of whose pages are touched at the
// multiples of period_ns, or each in its turn. It is told as a share of memory per sampling
// interval.
double share_per_interval(int64_t sample_ns, int64_t period_ns, bool in_turn) {
  PageSamplerRun run;
  run.memory.ranges = {{0, 64 * kMiB}};
  run.config.attrs.goal.aggrs = 0;
  run.config.attrs.sample_us = static_cast<uint64_t>(sample_ns / kNsPerUs);
  run.config.attrs.aggr_us = 20 * run.config.attrs.sample_us;
  run.memory.last_access = [=](uint64_t addr, int64_t now_ns) {
    return in_turn ? accessed_in_turn(addr, period_ns, now_ns) : now_ns / period_ns * period_ns;
  };
  run.start();
  run.run_refreshes(24);  // enough for the longest interval
  const double bytes_per_s = mean_bandwidth(run, 60);
  return bytes_per_s / (64.0 * kMiB) * (static_cast<double>(sample_ns) / kSecond);
}

TEST_CASE("a long interval: no page counts more than once in it", "[page_sampler][rate]") {
  const int64_t sample_ns = GENERATE(1, 3, 10, 100) * kSecond;
  const int64_t period_ns = GENERATE(10, 900, 2'100, 3'000, 5'000, 9'700, 30'000) * kMs;
  const bool in_turn = GENERATE(false, true);
  CAPTURE(sample_ns, period_ns, in_turn);
  const double expected =
      std::min(1.0, static_cast<double>(sample_ns) / static_cast<double>(period_ns));
  const double found = share_per_interval(sample_ns, period_ns, in_turn);
  CAPTURE(expected, found);
  CHECK(std::abs(found / expected - 1) < 0.12);
  CHECK(found < 1.01);
}

TEST_CASE("the scale does not change where the interval reaches the time between rounds",
          "[page_sampler][rate]") {
  const int64_t period_ns = GENERATE(1'300, 2'100, 3'700, 5'000, 9'700) * kMs;
  const bool in_turn = GENERATE(false, true);
  for (const int64_t sample_ms : {5, 600, 900, 1'000, 1'400, 1'600, 2'000}) {
    const double expected =
        std::min(1.0, static_cast<double>(sample_ms * kMs) / static_cast<double>(period_ns));
    const double found = share_per_interval(sample_ms * kMs, period_ns, in_turn);
    CAPTURE(period_ns, in_turn, sample_ms, expected, found);
    CHECK(std::abs(found / expected - 1) < 0.16);
  }
}

TEST_CASE("untouched memory has none", "[page_sampler][rate]") {
  PageSamplerRun run;
  run.memory.ranges = {{0, kBytes}};
  run.start();
  for (int i = 0; i < 20; ++i) {
    run.run_refreshes(1);
    CHECK(run.bandwidth() == 0);
  }
}

TEST_CASE("memory touched once in several seconds counts too", "[page_sampler][rate]") {
  PageSamplerRun run;
  run.memory.ranges = {{0, kBytes}};
  run.config.attrs.goal.aggrs = 0;
  const int64_t period_s = GENERATE(10, 15, 31, 61);
  CAPTURE(period_s);
  run.memory.last_access = [=](uint64_t addr, int64_t now_ns) {
    return accessed_in_turn(addr, period_s * kSecond, now_ns);
  };
  run.start();
  run.run_refreshes(16);
  const double found =
      mean_bandwidth(run, 300) / (static_cast<double>(kBytes) / static_cast<double>(period_s));
  CAPTURE(found);
  CHECK(found > 0.95);
  CHECK(found < 1.05);
}

TEST_CASE("the interval is tuned towards the goal", "[page_sampler][rate]") {
  // 25 % of memory touched once a second: 4 % of it, the goal, within 160 ms.
  PageSamplerRun run;
  run.memory.ranges = {{0, kBytes}};
  run.memory.last_access = [](uint64_t addr, int64_t now_ns) {
    return addr < kBytes / 4 ? accessed_in_turn(addr, kSecond, now_ns) : PagedMemory::kNever;
  };
  run.start();
  run.run_for(600 * kSecond);
  double events = 0;
  constexpr int kRefreshes = 200;
  for (int i = 0; i < kRefreshes; ++i) {
    run.run_refreshes(1);
    const double sample_s = static_cast<double>(run.details.sample_us) / 1e6;
    CHECK(run.details.aggr_us == 20 * run.details.sample_us);
    CHECK(run.details.sample_us >= run.config.attrs.goal.min_sample_us);
    CHECK(run.details.sample_us <= run.config.attrs.goal.max_sample_us);
    events += 0.25 * std::min(1.0, sample_s);
  }
  CAPTURE(events / kRefreshes);
  CHECK(events / kRefreshes > 0.037);
  CHECK(events / kRefreshes < 0.045);
}

TEST_CASE("a small hot set: the interval grows to its bound", "[page_sampler][rate]") {
  PageSamplerRun run;
  run.memory.ranges = {{0, kBytes}};
  run.refresh_ms = GENERATE(uint64_t{1'000}, uint64_t{5'000}, uint64_t{60'000});
  CAPTURE(run.refresh_ms);
  run.memory.last_access = [](uint64_t addr, int64_t now_ns) {
    return addr < 16 * 1024 ? now_ns : PagedMemory::kNever;
  };
  run.start();
  run.run_for(900 * kSecond);
  CHECK(run.details.sample_us == run.config.attrs.goal.max_sample_us);
  CHECK(run.details.share_percent[0] == 100 * 4 / 1'024.0);
  // 16 KiB, four pages, per sampling interval.
  const double expected = 16.0 * 1024 / (static_cast<double>(run.details.sample_us) / 1e6);
  const double found = mean_bandwidth(run, 50) / expected;
  CAPTURE(found);
  CHECK(found > 0.99);
  CHECK(found < 1.01);
}

}  // namespace
}  // namespace damon_statfs::test
