// SPDX-License-Identifier: GPL-2.0-or-later
//
// How near the values of estimator=pages come to the truth, at whatever moment of the workload they
// are taken. Pages of all kinds lie side by side at random, so the shares may be off by the
// sampling error of so many single pages, sqrt(p (1 - p) / n), and by nothing else.
#include <cmath>

#include "support/known_memory.h"
#include "unit/engine/pages/page_sampler_run.h"

namespace damon_statfs::test {
namespace {

using Layout = KnownMemory::Layout;

double standard_error_percent(const PageSamplerRun& run, double percent) {
  const double share = percent / 100;
  return 100 * std::sqrt(share * (1 - share) / static_cast<double>(run.pages.nr_pages));
}

TEST_CASE("hot and cold pages, scattered: the error is the one told, of the theory's size",
          "[page_sampler][accuracy]") {
  const double hot = GENERATE(0.01, 0.125, 0.5, 0.97);
  CAPTURE(hot);
  const KnownMemory known({{hot, 5 * kMs}, {1 - hot, 0}}, Layout::kScattered);
  constexpr int kSeeds = 25;
  double sum = 0, squares = 0;
  for (int seed = 1; seed <= kSeeds; ++seed) {
    PageSamplerRun run;
    run.config.seed = static_cast<uint64_t>(seed);
    run.memory.last_access = known.accesses();
    run.start();
    run.run_refreshes(1);
    const double theory = standard_error_percent(run, 100 * hot);
    const double off = (run.details.share_percent[0] - 100 * hot) / theory;
    CAPTURE(seed, theory, off, run.pages.share_error_percent[0]);
    CHECK(std::abs(off) < 4);
    CHECK(std::abs(run.pages.share_error_percent[0] / theory - 1) < 0.2);
    run.run_refreshes(1);  // the same pages again
    CHECK(std::abs((run.details.share_percent[0] - 100 * hot) / theory - off) < 1e-9);
    sum += off;
    squares += off * off;
  }
  CAPTURE(sum / kSeeds, squares / kSeeds);
  CHECK(std::abs(sum / kSeeds) < 4 / std::sqrt(kSeeds));  // neither too much nor too little
  CHECK(squares / kSeeds > 0.35);                         // chi-square with 25 degrees of freedom
  CHECK(squares / kSeeds < 2.2);
}

// Hot, warm and cold memory, as DAMON_STAT's users mean it: warm is accessed every 5 s. Values are
// taken every 4.7 s, so at 50 moments of the warm part's period.
TEST_CASE("hot, warm and cold memory, at all phases of the warm part", "[page_sampler][accuracy]") {
  const uint64_t seed = GENERATE(uint64_t{1}, uint64_t{2}, uint64_t{3});
  const double hot = 12.5, warm = 20;
  constexpr int64_t kWarmNs = 5 * kSecond;
  const KnownMemory known(
      {{hot / 100, 10 * kMs}, {warm / 100, kWarmNs}, {1 - (hot + warm) / 100, 0}},
      Layout::kScattered);
  PageSamplerRun run;
  run.config.seed = seed;
  run.refresh_ms = 4'700;
  run.memory.last_access = known.accesses();
  run.start();
  run.run_refreshes(14);
  const int64_t period_ns = static_cast<int64_t>(run.pages.check_period_ms) * kMs;
  int in_use = 0;  // how often warm memory was accessed in the last check period
  for (int i = 0; i < 50; ++i) {
    run.run_refreshes(1);
    const int64_t idle_ns = run.refreshed_ns % kWarmNs;  // of warm memory
    const double below_1s = hot + (idle_ns < period_ns ? warm : 0);
    in_use += idle_ns < period_ns ? 1 : 0;
    CAPTURE(seed, i, idle_ns / kMs, run.details.share_percent[0], run.details.share_percent[1]);
    const double error = standard_error_percent(run, below_1s);
    CHECK(std::abs(run.details.share_percent[0] - below_1s) < 3 * error);
    CHECK(std::abs(run.details.share_percent[1] - hot - warm) <
          3 * standard_error_percent(run, hot + warm));
    CHECK(run.details.share_percent[2] == run.details.share_percent[1]);
    // When warm memory was accessed is known to half of the time between two sentinel checks.
    const int64_t told_ms = run.idle_ms(22);
    if (idle_ns >= period_ns) CHECK(std::abs(told_ms - idle_ns / kMs) <= (period_ns / kMs + 1) / 2);
    if (idle_ns < period_ns) CHECK(told_ms < 0);
    CHECK(run.idle_ms(0) < 1'000 - run.monitored_ms());
    CHECK(run.idle_ms(40) == run.monitored_ms());
    CHECK(run.idle_ms(100) == run.monitored_ms());
  }
  CHECK(in_use == 10);  // 940 ms of 5 s, of 50 moments 100 ms apart
}

// Of free memory no access check can tell anything: it is not accessed, and idle since it was
// freed.
TEST_CASE("free memory is not accessed memory", "[page_sampler][accuracy]") {
  const bool exclude = GENERATE(false, true);
  CAPTURE(exclude);
  // Whatever is not free is hot in half of its pages.
  const KnownMemory known({{0.5, 10 * kMs}, {0.5, 0}}, Layout::kScattered);
  PageSamplerRun run;
  run.config.excluded = exclude ? ExcludedPages::kUntracked : ExcludedPages::kNone;
  run.config.attrs.goal.aggrs = 0;
  int64_t freed_ns = 0;
  const auto is_freed_later = [](uint64_t addr) { return addr >= 2 * kGiB && addr < 3 * kGiB; };
  run.memory.tracked = [&](uint64_t addr) {
    return addr < 2 * kGiB || (is_freed_later(addr) && freed_ns == 0);
  };
  run.memory.last_access = known.accesses();
  run.start();
  const auto check = [&](double tracked_percent) {
    CAPTURE(tracked_percent);
    constexpr int kRefreshes = 20;
    double bandwidth = 0;
    run.run_refreshes(3);
    for (int i = 0; i < kRefreshes; ++i) {
      run.run_refreshes(1);
      const double hot = exclude ? 50 : tracked_percent / 2;
      const double error = 3 * standard_error_percent(run, 50);
      CHECK(std::abs(run.details.share_percent[0] - hot) < error);
      CHECK(std::abs(static_cast<double>(run.pages.untracked_bytes.value()) / (4.0 * kGiB) -
                     (1 - tracked_percent / 100)) < 0.0015);
      bandwidth += run.bandwidth() / kRefreshes;
    }
    // Half of what is tracked is found by every second bandwidth check of 5 ms. Each finds all or
    // nothing, so hundreds of checks have a standard error of some percent.
    const double expected = tracked_percent / 100 * 4 * kGiB / 2 * 100;
    CHECK(std::abs(bandwidth / expected - 1) < 0.12);
  };
  check(75);
  freed_ns = run.clock.now_ns();
  check(50);
  // What was hot when it was freed has been idle since then, and counts no longer if left out.
  const auto since_freed_ms = (run.refreshed_ns - freed_ns) / kMs;
  const auto begun_ms = run.monitored_ms();
  const int64_t middle_ms = run.idle_ms(exclude ? 55 : 30);
  if (exclude) CHECK(middle_ms == begun_ms);
  if (!exclude) CHECK(std::abs(middle_ms - since_freed_ms) <= 2'600);
  CHECK(run.idle_ms(100) == begun_ms);
}

}  // namespace
}  // namespace damon_statfs::test
