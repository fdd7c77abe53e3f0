// SPDX-License-Identifier: GPL-2.0-or-later
//
// How the sample follows its cost: down at once, up slowly, never out of its bounds.
#include "engine/pages/sample_size.h"

#include "damon_statfs/clock.h"
#include "support/catch.h"

namespace damon_statfs::test {
namespace {

constexpr int64_t kWallNs = 5 * kNsPerSecond;

constexpr double kErrorPercent = 0.5;  // which takes all of the sample

// A refresh interval in which checking has cost so much of a CPU.
bool adapt(SampleSize& size, double percent, double error_percent = kErrorPercent) {
  return size.adapt(static_cast<int64_t>(percent / 100 * static_cast<double>(kWallNs)), kWallNs,
                    error_percent);
}

TEST_CASE("it begins with the largest sample", "[sample_size]") {
  const SampleSize size(1);
  CHECK(size.nr_words() == SampleShape{}.max_words);
  CHECK_FALSE(size.few_checks());
  CHECK_FALSE(size.over_budget());
}

TEST_CASE("what fits the budget stays", "[sample_size]") {
  SampleSize size(1);
  for (const double percent : {0.0, 0.1, 0.99, 1.0}) CHECK_FALSE(adapt(size, percent));
  CHECK(size.nr_words() == SampleShape{}.max_words);
}

TEST_CASE("too expensive: fewer bandwidth checks at once, then smaller, within the budget",
          "[sample_size]") {
  SampleSize size(1);
  CHECK_FALSE(adapt(size, 1.5));  // the sample stays
  CHECK(size.few_checks());
  CHECK(size.nr_words() == SampleShape{}.max_words);
  CHECK(adapt(size, 1.1));
  CHECK(size.nr_words() < SampleShape{}.max_words * 9 / 10);
  CHECK(size.nr_words() >= SampleShape{}.min_words);
  CHECK_FALSE(size.over_budget());
}

TEST_CASE("much too expensive: few bandwidth checks, then the smallest, then over budget",
          "[sample_size]") {
  SampleSize size(1);
  CHECK_FALSE(adapt(size, 30));
  CHECK(size.few_checks());
  CHECK(adapt(size, 12));
  CHECK(size.nr_words() == SampleShape{}.min_words);
  CHECK_FALSE(size.over_budget());
  CHECK_FALSE(adapt(size, 6));
  CHECK(size.over_budget());
  CHECK(size.nr_words() == SampleShape{}.min_words);
  CHECK(size.few_checks());
}

TEST_CASE("it grows again when it has been cheap for long", "[sample_size]") {
  SampleSize size(1);
  for (int i = 0; i < 3; ++i) adapt(size, 30);
  REQUIRE(size.over_budget());
  uint64_t words = size.nr_words();
  int64_t real_ns = 0;
  for (; size.few_checks() || size.nr_words() < SampleShape{}.max_words; real_ns += kWallNs) {
    REQUIRE(real_ns < 7'200 * kNsPerSecond);
    adapt(size, 0.1);
    CHECK_FALSE(size.over_budget());
    CHECK(size.nr_words() >= words);
    CHECK(size.nr_words() <= SampleShape{}.max_words);
    words = size.nr_words();
  }
  CHECK(real_ns >= 600 * kNsPerSecond);
}

TEST_CASE("no growing beyond what the budget allows", "[sample_size]") {
  SampleSize size(1);
  adapt(size, 1.5);
  REQUIRE(adapt(size, 1.1));
  const uint64_t words = size.nr_words();
  for (int i = 0; i < 100; ++i) adapt(size, 0.85);
  CHECK(size.nr_words() == words);
}

TEST_CASE("a cost that depends on the size finds its place and stays there", "[sample_size]") {
  const double max_cpu = GENERATE(0.5, 1.0, 3.0, 50.0);
  const double percent_of_all = GENERATE(0.1, 0.8, 1.1, 1.6);
  CAPTURE(max_cpu, percent_of_all);
  SampleSize size(max_cpu);
  const auto cost = [&] {
    return percent_of_all * max_cpu * static_cast<double>(size.nr_words()) /
           static_cast<double>(SampleShape{}.max_words) / (size.few_checks() ? 1.8 : 1);
  };
  for (int i = 0; i < 100; ++i) adapt(size, cost());
  CHECK(cost() <= max_cpu);
  int changes = 0;
  for (int i = 0; i < 1'000; ++i) changes += adapt(size, cost()) ? 1 : 0;
  CHECK(changes == 0);
}

TEST_CASE("no time, or no cost, at all", "[sample_size]") {
  SampleSize size(0.001);
  CHECK_FALSE(size.adapt(kNsPerSecond, 0, kErrorPercent));
  CHECK_FALSE(size.adapt(kNsPerSecond, -5, kErrorPercent));
  CHECK_FALSE(size.adapt(0, kWallNs, kErrorPercent));
  CHECK_FALSE(size.adapt(0, 1'000 * kNsPerSecond, kErrorPercent));
  CHECK(size.nr_words() == SampleShape{}.max_words);
}

TEST_CASE("accuracy takes half of it, or all again, if the budget allows", "[sample_size]") {
  constexpr uint64_t kAll = SampleShape{}.max_words;
  SampleSize size(1);
  for (int i = 0; i < 12; ++i) adapt(size, 0.5, 0.1);
  CHECK(size.nr_words() == kAll / 2);
  SECTION("there is room") {
    CHECK(adapt(size, 0.25, 0.8));
    CHECK(size.nr_words() == kAll);
  }
  SECTION("there is room for a part of it") {
    CHECK(adapt(size, 0.6, 0.8));
    CHECK(size.nr_words() > kAll * 65 / 100);
    CHECK(size.nr_words() < kAll * 75 / 100);
  }
  SECTION("there is none") {
    CHECK_FALSE(adapt(size, 0.9, 0.8));
    CHECK(size.nr_words() == kAll / 2);
    CHECK_FALSE(size.over_budget());
  }
}

TEST_CASE("another budget holds at once", "[sample_size]") {
  SampleSize size(1);
  while (!size.over_budget()) adapt(size, 5);
  REQUIRE(size.nr_words() == SampleShape{}.min_words);
  size.set_max_cpu_percent(10);
  CHECK_FALSE(size.over_budget());
  CHECK(adapt(size, 0.5));
  CHECK(size.nr_words() == SampleShape{}.max_words);
  size.set_max_cpu_percent(0.1);
  CHECK(adapt(size, 0.5));
  CHECK(size.nr_words() < SampleShape{}.max_words);
}

}  // namespace
}  // namespace damon_statfs::test
