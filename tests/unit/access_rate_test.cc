// SPDX-License-Identifier: GPL-2.0-or-later
//
// The pages that are tried for the bandwidth, the arithmetic of rates, and the tuning of the
// sampling interval.
#include "engine/access_rate.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "damon_statfs/clock.h"
#include "support/catch.h"

namespace damon_statfs::test {
namespace {

constexpr uint64_t kGiB = uint64_t{1} << 30;

// `groups` words with `per_group` pages each, all accessed.
std::vector<PageHistory> make_pages(uint64_t groups, uint64_t per_group) {
  std::vector<PageHistory> pages;
  for (uint64_t i = 0; i < groups * per_group; ++i) {
    PageHistory page;
    page.handle = i / per_group * 64 + i % per_group;
    page.access = PageAccess::kAccessed;
    page.accessed = true;
    pages.push_back(page);
  }
  return pages;
}

std::vector<SampledPage*> pointers(std::vector<PageHistory>& pages) {
  std::vector<SampledPage*> all;
  for (PageHistory& page : pages) all.push_back(&page);
  return all;
}

TEST_CASE("choose: all that is in use, if it is little", "[access_rate]") {
  std::vector<PageHistory> pages = make_pages(AccessRate::kGroups, 4);
  const auto all = pointers(pages);
  Random random(1);
  CHECK(AccessRate::choose(all, random) == all);
  CHECK(AccessRate::choose({}, random).empty());
}

TEST_CASE("choose: only what is in use", "[access_rate]") {
  std::vector<PageHistory> pages = make_pages(4, 4);
  pages[1].accessed = false;  // an idle page
  pages[5].access = PageAccess::kUntracked;
  for (size_t i = 12; i < 16; ++i) pages[i].accessed = false;  // a whole group
  Random random(1);
  const auto chosen = AccessRate::choose(pointers(pages), random);
  CHECK(chosen.size() == 10);
  for (const SampledPage* const page : chosen) {
    CHECK((page != &pages[1] && page != &pages[5] && page < &pages[12]));
  }
}

TEST_CASE("choose: whole groups, ascending, each as likely as any other", "[access_rate]") {
  const uint64_t groups = AccessRate::kGroups * 5;
  constexpr int kRuns = 5'000;
  std::vector<PageHistory> pages = make_pages(groups, 3);
  const auto all = pointers(pages);
  std::map<uint64_t, int> counts;
  Random random(1);
  for (int i = 0; i < kRuns; ++i) {
    const auto chosen = AccessRate::choose(all, random);
    REQUIRE(chosen.size() == AccessRate::kGroups * 3);
    REQUIRE(std::is_sorted(chosen.begin(), chosen.end()));  // they point into one array
    for (size_t k = 0; k < chosen.size(); k += 3) {
      REQUIRE(chosen[k]->group() == chosen[k + 2]->group());
      ++counts[chosen[k]->group()];
    }
  }
  CHECK(counts.size() == groups);
  constexpr double kMean = kRuns / 5.0;
  for (const auto& [group, count] : counts) {
    CAPTURE(group, count);
    CHECK(std::abs(count - kMean) < 5 * std::sqrt(kMean));
  }
}

TEST_CASE("rates are averages over trials since the last call", "[access_rate]") {
  AccessRate rate{MonitoringAttrs()};
  CHECK(rate.take_bytes_per_s(kGiB) == 0);
  rate.add(0.5, 5 * kNsPerMs);
  CHECK(std::abs(rate.take_bytes_per_s(kGiB) / kGiB - 100) < 1e-6);
  CHECK(rate.take_bytes_per_s(kGiB) == 0);
  rate.add(1, 10 * kNsPerMs);  // 100 per second
  rate.add(0, 5 * kNsPerMs);
  CHECK(std::abs(rate.take_bytes_per_s(2 * kGiB) / kGiB - 100) < 1e-6);
  rate.add(1, 0);  // no division by it
  CHECK(std::isfinite(rate.take_bytes_per_s(kGiB)));
}

// One round with a trial.
void round(AccessRate& rate, double share) {
  rate.add(share, static_cast<int64_t>(rate.sample_us()) * kNsPerUs);
  rate.end_round();
}

TEST_CASE("the interval is tuned every aggrs rounds", "[access_rate]") {
  MonitoringAttrs attrs;
  AccessRate rate{attrs};
  const uint64_t samples = samples_per_aggr(attrs);
  for (int tuned = 1; tuned <= 3; ++tuned) {
    const uint64_t before_us = rate.sample_us();
    for (uint64_t i = 0; i + 1 < attrs.goal.aggrs; ++i) {
      round(rate, 0);
      CHECK(rate.sample_us() == before_us);
    }
    round(rate, 0);
    CHECK(rate.sample_us() == 2 * before_us);  // nothing seen: as much longer as it may get
    CHECK(rate.aggr_us() == rate.sample_us() * samples);
  }
}

TEST_CASE("tuning stays within the bounds", "[access_rate]") {
  MonitoringAttrs attrs;
  AccessRate rate{attrs};
  for (int i = 0; i < 100; ++i) round(rate, 0);
  CHECK(rate.sample_us() == attrs.goal.max_sample_us);
  for (int i = 0; i < 100; ++i) round(rate, 1);
  CHECK(rate.sample_us() == attrs.goal.min_sample_us);
}

TEST_CASE("at the goal nothing changes", "[access_rate]") {
  MonitoringAttrs attrs;
  attrs.sample_us = 50'000;
  attrs.aggr_us = 1'000'000;
  AccessRate rate{attrs};
  for (int i = 0; i < 30; ++i) round(rate, static_cast<double>(attrs.goal.access_bp) / 10'000);
  CHECK(rate.sample_us() >= 49'900);
  CHECK(rate.sample_us() <= 50'100);
}

TEST_CASE("aggrs=0 and rounds without trials: no tuning", "[access_rate]") {
  MonitoringAttrs attrs;
  SECTION("aggrs=0") {
    attrs.goal.aggrs = 0;
    AccessRate rate{attrs};
    for (int i = 0; i < 30; ++i) round(rate, 0);
    CHECK(rate.sample_us() == attrs.sample_us);
    CHECK(rate.aggr_us() == attrs.aggr_us);
  }
  SECTION("no trials") {
    AccessRate rate{attrs};
    for (int i = 0; i < 30; ++i) rate.end_round();
    CHECK(rate.sample_us() == attrs.sample_us);
  }
}

TEST_CASE("access_bp=0 does not divide by it", "[access_rate]") {
  MonitoringAttrs attrs;
  attrs.goal.access_bp = 0;
  AccessRate rate{attrs};
  for (int i = 0; i < 30; ++i) round(rate, 0.5);
  CHECK(rate.sample_us() == attrs.goal.min_sample_us);
}

}  // namespace
}  // namespace damon_statfs::test
