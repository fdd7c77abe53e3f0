// SPDX-License-Identifier: GPL-2.0-or-later
//
// The whole table and all examples of spec/damon.md section 4, with DAMON_STAT's constants.
#include "engine/estimate/tuner.h"

#include "support/catch.h"
#include "unit/engine/regions/region_lists.h"

namespace damon_statfs::test {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kGiB = uint64_t{1} << 30;
constexpr uint64_t kTiB = uint64_t{1} << 40;

TEST_CASE("what a score means for the intervals", "[tuner]") {
  struct Row {
    uint64_t score, adaptation;
  };
  const Row rows[] = {{0, 20000},    {2500, 17500},  {5000, 15000}, {9375, 10625}, {9765, 10235},
                      {9999, 10001}, {10000, 10000}, {10001, 9999}, {12500, 8750}, {15000, 7500},
                      {15625, 7187}, {19999, 5000},  {20000, 5000}, {20001, 5000}, {250000, 5000},
                      {~0ULL, 5000}, {1, 19999}};
  for (const Row& row : rows) {
    CAPTURE(row.score);
    CHECK(intervals_adaptation_bp(row.score) == row.adaptation);
  }
}

TEST_CASE("a higher score never lengthens the intervals more", "[tuner]") {
  uint64_t previous = intervals_adaptation_bp(0);
  for (uint64_t score = 1; score < 25'000; ++score) {
    const uint64_t adaptation = intervals_adaptation_bp(score);
    REQUIRE(adaptation <= previous);
    REQUIRE(adaptation >= 5'000);
    previous = adaptation;
  }
}

// 16 GiB monitored, 20 samples, of which `hot_bytes` were accessed `nr` times.
struct ScoreCase {
  uint64_t hot_bytes;
  uint32_t nr;
  uint64_t score, sample_us, tuned_us;
};

const ScoreCase kScores[] = {
    {0, 0, 0, 5'000, 10'000},
    {640 * kMiB, 20, 9765, 5'000, 5'117},
    {687194767, 20, 9999, 5'000, 5'000},  // 655.36 MiB
    {kGiB, 20, 15625, 40'000, 28'748},
    {kGiB, 20, 15625, 5'000, 5'000},
    {4 * kGiB, 3, 9375, 5'000, 5'312},
    {16 * kGiB, 20, 250000, 40'000, 20'000},
    {16 * kGiB, 20, 250000, 5'000, 5'000},
    {0, 0, 0, 6'000'000, 10'000'000},
};

TEST_CASE("scores and tuned intervals of 16 GiB", "[tuner]") {
  for (const ScoreCase& tried : kScores) {
    CAPTURE(tried.hot_bytes, tried.nr, tried.sample_us);
    Regions regions;
    if (tried.hot_bytes > 0) regions = make_regions({{0, tried.hot_bytes, tried.nr}});
    if (tried.hot_bytes < 16 * kGiB) {
      regions.push_back(make_regions({{tried.hot_bytes, 16 * kGiB}})[0]);
    }
    const uint64_t score = intervals_score_bp(regions, 20, 400);
    CHECK(score == tried.score);
    CHECK(tuned_sample_us(tried.sample_us, intervals_adaptation_bp(score), IntervalsGoal()) ==
          tried.tuned_us);
  }
}

TEST_CASE("scores do not wrap", "[tuner]") {
  // The kernel's max_events * access_bp wraps from 2 PiB on.
  for (const uint64_t size : {64 * kTiB, 2048 * kTiB, 1024 * 1024 * kTiB}) {
    CAPTURE(size);
    const Regions hot = make_regions({{0, size, 20}});
    CHECK(intervals_score_bp(hot, 20, 400) == 250'000);
    const Regions part = make_regions({{0, size / 16, 20}, {size / 16, size}});
    CHECK(intervals_score_bp(part, 20, 400) == 15'625);
  }
}

TEST_CASE("a target below one event counts as one", "[tuner]") {
  const Regions regions = make_regions({{0, 4096, 1}});
  CHECK(intervals_score_bp(regions, 20, 0) == 4096 * 10'000);
  CHECK(intervals_score_bp(Regions(), 20, 400) == 0);
}

TEST_CASE("an idle machine's walk to the longest intervals, and back", "[tuner]") {
  const IntervalsGoal goal;
  uint64_t sample_us = 5'000;
  uint64_t elapsed_us = 0;
  int tunings = 0;
  for (; sample_us < goal.max_sample_us; ++tunings) {
    elapsed_us += 3 * 20 * sample_us;
    sample_us = tuned_sample_us(sample_us, intervals_adaptation_bp(0), goal);
  }
  CHECK(tunings == 11);
  CHECK(elapsed_us == 614'100'000);
  CHECK(sample_us == 10'000'000);

  elapsed_us = 0;
  for (tunings = 0; sample_us > goal.min_sample_us; ++tunings) {
    elapsed_us += 3 * 20 * sample_us;
    sample_us = tuned_sample_us(sample_us, intervals_adaptation_bp(250'000), goal);
  }
  CHECK(tunings == 11);
  CHECK(elapsed_us / 100'000 == 11'994);
  CHECK(sample_us == 5'000);
}

}  // namespace
}  // namespace damon_statfs::test
