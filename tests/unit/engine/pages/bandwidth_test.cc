// SPDX-License-Identifier: GPL-2.0-or-later
//
// The pages that are checked for the bandwidth, the arithmetic of rates, and the tuning of the
// sampling interval.
#include "engine/pages/bandwidth.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "damon_statfs/clock.h"
#include "support/catch.h"

namespace damon_statfs::test {
namespace {

constexpr uint64_t kGiB = uint64_t{1} << 30;

std::vector<CheckedPage> make_pages(size_t count) {
  std::vector<CheckedPage> pages(count);
  for (CheckedPage& page : pages) page.access = PageAccess::kAccessed;
  return pages;
}

std::vector<CheckedPage*> pointers(std::vector<CheckedPage>& pages) {
  std::vector<CheckedPage*> all;
  for (CheckedPage& page : pages) all.push_back(&page);
  return all;
}

TEST_CASE("choose: all there is, if it is little", "[bandwidth]") {
  std::vector<CheckedPage> pages = make_pages(4);
  const auto all = pointers(pages);
  Random random(1);
  CHECK(Bandwidth::choose(all, 4, random) == all);
  CHECK(Bandwidth::choose(all, 100, random) == all);
  CHECK(Bandwidth::choose(all, 0, random).empty());
  CHECK(Bandwidth::choose({}, 4, random).empty());
}

TEST_CASE("choose: in order, each as likely as any other", "[bandwidth]") {
  constexpr size_t kPages = 20, kChosen = 4;
  constexpr int kRuns = 5'000;
  std::vector<CheckedPage> pages = make_pages(kPages);
  const auto all = pointers(pages);
  std::map<const CheckedPage*, int> counts;
  Random random(1);
  for (int i = 0; i < kRuns; ++i) {
    const auto chosen = Bandwidth::choose(all, kChosen, random);
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

TEST_CASE("as many checks as tell the rate, as far as there is time", "[bandwidth]") {
  MonitoringAttrs attrs;
  attrs.sample_us = GENERATE(uint64_t{5'000}, uint64_t{50'000}, uint64_t{900'000});
  const Bandwidth rate{attrs};
  for (const double hot_share : {0.001, 0.01, 0.125, 0.75, 1.0}) {
    for (const int64_t time_ns : {kNsPerSecond, 4 * kNsPerSecond}) {
      const BandwidthPlan checks = rate.plan(hot_share, time_ns, false);
      CAPTURE(attrs.sample_us, hot_share, time_ns, checks.nr_checks, checks.nr_pages);
      // The goal is that 4 % of memory is hit: 10 hits per second.
      const double pages = 10 * hot_share / 0.04 * static_cast<double>(time_ns / kNsPerSecond);
      const auto planned = static_cast<double>(checks.nr_pages);
      CHECK(planned >= pages);
      CHECK(planned <= pages + 1);
      const int64_t sample_ns = static_cast<int64_t>(attrs.sample_us) * kNsPerUs;
      CHECK(checks.nr_checks >= 1);
      CHECK((checks.nr_checks == 1 ||
             static_cast<int64_t>(checks.nr_checks) * sample_ns <= time_ns / 2));
      const BandwidthPlan few = rate.plan(hot_share, time_ns, true);
      const auto few_planned = static_cast<double>(few.nr_pages);  // three hits per second
      CHECK(few_planned >= 0.3 * pages);
      CHECK(few_planned <= 0.3 * pages + 1);
      CHECK(few.nr_checks >= 1);
      CHECK(few.nr_checks <= checks.nr_checks);
    }
  }
}

TEST_CASE("no checks without time, or without pages in use", "[bandwidth]") {
  MonitoringAttrs attrs;
  const Bandwidth rate{attrs};
  CHECK(rate.plan(0, kNsPerSecond, false).nr_checks == 0);
  CHECK(rate.plan(0.5, 5 * kNsPerMs, false).nr_checks == 0);
  CHECK(rate.plan(0.5, 0, false).nr_checks == 0);
  CHECK(rate.plan(0.5, -kNsPerSecond, false).nr_checks == 0);
}

// One check that stands for so much time.
void check_once(Bandwidth& rate, double share, int64_t time_ns = kNsPerSecond) {
  rate.add_check(share, static_cast<int64_t>(rate.sample_us()) * kNsPerUs);
  rate.end_checks(time_ns);
}

TEST_CASE("rates are averages over time since the last call", "[bandwidth]") {
  MonitoringAttrs attrs;
  attrs.goal.aggrs = 0;
  Bandwidth rate{attrs};
  CHECK(rate.take().per_page_s == 0);
  check_once(rate, 0.5);
  CHECK(std::abs(rate.take().per_page_s - 100) < 1e-6);
  CHECK(rate.take().per_page_s == 0);
  rate.add_check(1, 10 * kNsPerMs);  // 100 per second
  rate.add_check(0, 5 * kNsPerMs);
  rate.end_checks(kNsPerSecond);
  CHECK(std::abs(2 * rate.take().per_page_s - 100) < 1e-6);
  rate.add_check(1, 10 * kNsPerMs);
  rate.end_checks(4 * kNsPerSecond);
  for (int i = 0; i < 100; ++i) rate.add_check(0, 10 * kNsPerMs);  // many checks, but little time
  rate.end_checks(kNsPerSecond);
  CHECK(std::abs(rate.take().per_page_s - 80) < 1e-6);
  rate.add_check(1, 0);  // no division by it
  rate.end_checks(kNsPerSecond);
  CHECK(std::isfinite(rate.take().per_page_s));
  rate.add_check(1, 10 * kNsPerMs);
  rate.end_checks(0);
  CHECK(rate.take().per_page_s == 0);
}

TEST_CASE("what rounds find beside the bandwidth checks is added", "[bandwidth]") {
  MonitoringAttrs attrs;
  Bandwidth rate{attrs};
  check_once(rate, 0.5);  // of 5 ms: 100 per second
  rate.add_round(3, kNsPerSecond);
  rate.add_round(0, 2 * kNsPerSecond);  // 3 in 3 seconds
  CHECK(std::abs(rate.take().per_page_s - 101) < 1e-6);
  rate.add_round(2, kNsPerSecond);
  CHECK(std::abs(rate.take().per_page_s - 2) < 1e-6);
  CHECK(rate.take().per_page_s == 0);
}

TEST_CASE("what rounds find counts in the tuning", "[bandwidth]") {
  MonitoringAttrs attrs;
  attrs.sample_us = 20'000;
  attrs.aggr_us = 400'000;
  Bandwidth rate{attrs};
  for (int i = 0; i < 30; ++i) {
    check_once(rate, 0);
    rate.add_round(2, kNsPerSecond);  // 4 % in 20 ms, which is the goal
  }
  CHECK(rate.sample_us() > 19'000);
  CHECK(rate.sample_us() < 21'000);
}

TEST_CASE("a bandwidth check counts a page once", "[bandwidth]") {
  MonitoringAttrs attrs;
  attrs.goal.aggrs = 0;
  Bandwidth rate{attrs};
  rate.add_check(1.5, 10 * kNsPerMs);
  rate.end_checks(kNsPerSecond);
  CHECK(std::abs(rate.take().per_page_s - 100) < 1e-6);
}

TEST_CASE("the interval is tuned every aggrs seconds", "[bandwidth]") {
  MonitoringAttrs attrs;
  Bandwidth rate{attrs};
  const uint64_t samples = samples_per_aggr(attrs);
  for (int tuned = 1; tuned <= 3; ++tuned) {
    const uint64_t before_us = rate.sample_us();
    for (uint64_t i = 0; i + 1 < attrs.goal.aggrs; ++i) {
      check_once(rate, 0);
      CHECK(rate.sample_us() == before_us);
    }
    check_once(rate, 0);
    CHECK(rate.sample_us() == 2 * before_us);  // nothing seen: as much longer as it may get
    CHECK(rate.aggr_us() == rate.sample_us() * samples);
  }
}

TEST_CASE("tuning stays within the bounds", "[bandwidth]") {
  MonitoringAttrs attrs;
  Bandwidth rate{attrs};
  for (int i = 0; i < 100; ++i) check_once(rate, 0);
  CHECK(rate.sample_us() == attrs.goal.max_sample_us);
  for (int i = 0; i < 100; ++i) check_once(rate, 1);
  CHECK(rate.sample_us() == attrs.goal.min_sample_us);
}

TEST_CASE("at the goal nothing changes", "[bandwidth]") {
  MonitoringAttrs attrs;
  attrs.sample_us = 50'000;
  attrs.aggr_us = 1'000'000;
  Bandwidth rate{attrs};
  for (int i = 0; i < 30; ++i) check_once(rate, static_cast<double>(attrs.goal.access_bp) / 10'000);
  CHECK(rate.sample_us() == 50'000);
}

TEST_CASE("aggrs=0 and time without checks: no tuning", "[bandwidth]") {
  MonitoringAttrs attrs;
  SECTION("aggrs=0") {
    attrs.goal.aggrs = 0;
    Bandwidth rate{attrs};
    for (int i = 0; i < 30; ++i) check_once(rate, 0);
    CHECK(rate.sample_us() == attrs.sample_us);
    CHECK(rate.aggr_us() == attrs.aggr_us);
  }
  SECTION("no checks") {
    Bandwidth rate{attrs};
    for (int i = 0; i < 30; ++i) rate.end_checks(kNsPerSecond);
    CHECK(rate.sample_us() == attrs.sample_us);
  }
}

TEST_CASE("access_bp=0 does not divide by it", "[bandwidth]") {
  MonitoringAttrs attrs;
  attrs.goal.access_bp = 0;
  Bandwidth rate{attrs};
  for (int i = 0; i < 30; ++i) check_once(rate, 0.5);
  CHECK(rate.sample_us() == attrs.goal.min_sample_us);
}

}  // namespace
}  // namespace damon_statfs::test
