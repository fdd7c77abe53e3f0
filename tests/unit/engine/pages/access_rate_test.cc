// SPDX-License-Identifier: GPL-2.0-or-later
//
// The pages that are tried for the bandwidth, the arithmetic of rates, and the tuning of the
// sampling interval.
#include "engine/pages/access_rate.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "damon_statfs/clock.h"
#include "support/catch.h"

namespace damon_statfs::test {
namespace {

constexpr uint64_t kGiB = uint64_t{1} << 30;

std::vector<PageHistory> make_pages(size_t count) {
  std::vector<PageHistory> pages(count);
  for (PageHistory& page : pages) page.access = PageAccess::kAccessed;
  return pages;
}

std::vector<CheckedPage*> pointers(std::vector<PageHistory>& pages) {
  std::vector<CheckedPage*> all;
  for (PageHistory& page : pages) all.push_back(&page);
  return all;
}

TEST_CASE("choose: all there is, if it is little", "[access_rate]") {
  std::vector<PageHistory> pages = make_pages(4);
  const auto all = pointers(pages);
  Random random(1);
  CHECK(AccessRate::choose(all, 4, random) == all);
  CHECK(AccessRate::choose(all, 100, random) == all);
  CHECK(AccessRate::choose(all, 0, random).empty());
  CHECK(AccessRate::choose({}, 4, random).empty());
}

TEST_CASE("choose: in order, each as likely as any other", "[access_rate]") {
  constexpr size_t kPages = 20, kChosen = 4;
  constexpr int kRuns = 5'000;
  std::vector<PageHistory> pages = make_pages(kPages);
  const auto all = pointers(pages);
  std::map<const CheckedPage*, int> counts;
  Random random(1);
  for (int i = 0; i < kRuns; ++i) {
    const auto chosen = AccessRate::choose(all, kChosen, random);
    REQUIRE(chosen.size() == kChosen);
    REQUIRE(std::is_sorted(chosen.begin(), chosen.end()));  // they point into one array
    for (const CheckedPage* const page : chosen) ++counts[page];
  }
  CHECK(counts.size() == kPages);
  constexpr double kMean = kRuns / 5.0;
  for (const auto& [page, count] : counts) {
    CHECK(std::abs(count - kMean) < 5 * std::sqrt(kMean));
  }
}

TEST_CASE("as many trials as tell the rate, as far as there is time", "[access_rate]") {
  MonitoringAttrs attrs;
  attrs.sample_us = GENERATE(uint64_t{5'000}, uint64_t{50'000}, uint64_t{900'000});
  const AccessRate rate{attrs};
  for (const double used_share : {0.001, 0.01, 0.125, 0.75, 1.0}) {
    for (const int64_t time_ns : {kNsPerSecond, 4 * kNsPerSecond}) {
      const Trials trials = rate.plan(used_share, time_ns, false);
      CAPTURE(attrs.sample_us, used_share, time_ns, trials.count, trials.nr_pages);
      // The goal is that 4 % of memory is hit: 10 hits per second.
      const double pages = 10 * used_share / 0.04 * static_cast<double>(time_ns / kNsPerSecond);
      const auto planned = static_cast<double>(trials.nr_pages);
      CHECK(planned >= pages);
      CHECK(planned <= pages + 1);
      const int64_t sample_ns = static_cast<int64_t>(attrs.sample_us) * kNsPerUs;
      CHECK(trials.count >= 1);
      CHECK((trials.count == 1 || static_cast<int64_t>(trials.count) * sample_ns <= time_ns / 2));
      const Trials few = rate.plan(used_share, time_ns, true);
      const auto few_planned = static_cast<double>(few.nr_pages);  // three hits per second
      CHECK(few_planned >= 0.3 * pages);
      CHECK(few_planned <= 0.3 * pages + 1);
      CHECK(few.count >= 1);
      CHECK(few.count <= trials.count);
    }
  }
}

TEST_CASE("no trials without time, or without pages in use", "[access_rate]") {
  MonitoringAttrs attrs;
  const AccessRate rate{attrs};
  CHECK(rate.plan(0, kNsPerSecond, false).count == 0);
  CHECK(rate.plan(0.5, 5 * kNsPerMs, false).count == 0);
  CHECK(rate.plan(0.5, 0, false).count == 0);
  CHECK(rate.plan(0.5, -kNsPerSecond, false).count == 0);
}

// One trial that stands for so much time.
void trial(AccessRate& rate, double share, int64_t time_ns = kNsPerSecond) {
  rate.add(share, static_cast<int64_t>(rate.sample_us()) * kNsPerUs);
  rate.end_trials(time_ns);
}

TEST_CASE("rates are averages over time since the last call", "[access_rate]") {
  MonitoringAttrs attrs;
  attrs.goal.aggrs = 0;
  AccessRate rate{attrs};
  CHECK(rate.take_bytes_per_s(kGiB) == 0);
  trial(rate, 0.5);
  CHECK(std::abs(rate.take_bytes_per_s(kGiB) / kGiB - 100) < 1e-6);
  CHECK(rate.take_bytes_per_s(kGiB) == 0);
  rate.add(1, 10 * kNsPerMs);  // 100 per second
  rate.add(0, 5 * kNsPerMs);
  rate.end_trials(kNsPerSecond);
  CHECK(std::abs(rate.take_bytes_per_s(2 * kGiB) / kGiB - 100) < 1e-6);
  rate.add(1, 10 * kNsPerMs);
  rate.end_trials(4 * kNsPerSecond);
  for (int i = 0; i < 100; ++i) rate.add(0, 10 * kNsPerMs);  // many trials, but little time
  rate.end_trials(kNsPerSecond);
  CHECK(std::abs(rate.take_bytes_per_s(kGiB) / kGiB - 80) < 1e-6);
  rate.add(1, 0);  // no division by it
  rate.end_trials(kNsPerSecond);
  CHECK(std::isfinite(rate.take_bytes_per_s(kGiB)));
  rate.add(1, 10 * kNsPerMs);
  rate.end_trials(0);
  CHECK(rate.take_bytes_per_s(kGiB) == 0);
}

TEST_CASE("what looks find beside the trials is added", "[access_rate]") {
  MonitoringAttrs attrs;
  AccessRate rate{attrs};
  trial(rate, 0.5);  // of 5 ms: 100 per second
  rate.add_looks(3, kNsPerSecond);
  rate.add_looks(0, 2 * kNsPerSecond);  // 3 in 3 seconds
  CHECK(std::abs(rate.take_bytes_per_s(kGiB) / kGiB - 101) < 1e-6);
  rate.add_looks(2, kNsPerSecond);
  CHECK(std::abs(rate.take_bytes_per_s(kGiB) / kGiB - 2) < 1e-6);
  CHECK(rate.take_bytes_per_s(kGiB) == 0);
}

TEST_CASE("what looks find counts in the tuning", "[access_rate]") {
  MonitoringAttrs attrs;
  attrs.sample_us = 20'000;
  attrs.aggr_us = 400'000;
  AccessRate rate{attrs};
  for (int i = 0; i < 30; ++i) {
    trial(rate, 0);
    rate.add_looks(2, kNsPerSecond);  // 4 % in 20 ms, which is the goal
  }
  CHECK(rate.sample_us() > 19'000);
  CHECK(rate.sample_us() < 21'000);
}

TEST_CASE("a trial counts a page once", "[access_rate]") {
  MonitoringAttrs attrs;
  attrs.goal.aggrs = 0;
  AccessRate rate{attrs};
  rate.add(1.5, 10 * kNsPerMs);
  rate.end_trials(kNsPerSecond);
  CHECK(std::abs(rate.take_bytes_per_s(kGiB) / kGiB - 100) < 1e-6);
}

TEST_CASE("the interval is tuned every aggrs seconds", "[access_rate]") {
  MonitoringAttrs attrs;
  AccessRate rate{attrs};
  const uint64_t samples = samples_per_aggr(attrs);
  for (int tuned = 1; tuned <= 3; ++tuned) {
    const uint64_t before_us = rate.sample_us();
    for (uint64_t i = 0; i + 1 < attrs.goal.aggrs; ++i) {
      trial(rate, 0);
      CHECK(rate.sample_us() == before_us);
    }
    trial(rate, 0);
    CHECK(rate.sample_us() == 2 * before_us);  // nothing seen: as much longer as it may get
    CHECK(rate.aggr_us() == rate.sample_us() * samples);
  }
}

TEST_CASE("tuning stays within the bounds", "[access_rate]") {
  MonitoringAttrs attrs;
  AccessRate rate{attrs};
  for (int i = 0; i < 100; ++i) trial(rate, 0);
  CHECK(rate.sample_us() == attrs.goal.max_sample_us);
  for (int i = 0; i < 100; ++i) trial(rate, 1);
  CHECK(rate.sample_us() == attrs.goal.min_sample_us);
}

TEST_CASE("at the goal nothing changes", "[access_rate]") {
  MonitoringAttrs attrs;
  attrs.sample_us = 50'000;
  attrs.aggr_us = 1'000'000;
  AccessRate rate{attrs};
  for (int i = 0; i < 30; ++i) trial(rate, static_cast<double>(attrs.goal.access_bp) / 10'000);
  CHECK(rate.sample_us() == 50'000);
}

TEST_CASE("aggrs=0 and time without trials: no tuning", "[access_rate]") {
  MonitoringAttrs attrs;
  SECTION("aggrs=0") {
    attrs.goal.aggrs = 0;
    AccessRate rate{attrs};
    for (int i = 0; i < 30; ++i) trial(rate, 0);
    CHECK(rate.sample_us() == attrs.sample_us);
    CHECK(rate.aggr_us() == attrs.aggr_us);
  }
  SECTION("no trials") {
    AccessRate rate{attrs};
    for (int i = 0; i < 30; ++i) rate.end_trials(kNsPerSecond);
    CHECK(rate.sample_us() == attrs.sample_us);
  }
}

TEST_CASE("access_bp=0 does not divide by it", "[access_rate]") {
  MonitoringAttrs attrs;
  attrs.goal.access_bp = 0;
  AccessRate rate{attrs};
  for (int i = 0; i < 30; ++i) trial(rate, 0.5);
  CHECK(rate.sample_us() == attrs.goal.min_sample_us);
}

}  // namespace
}  // namespace damon_statfs::test
