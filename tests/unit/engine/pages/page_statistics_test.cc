// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a sample says of all memory, and whether its standard error is the truth: it is compared
// with how far the shares of many samples really lie apart.
#include "engine/pages/page_statistics.h"

#include <cmath>

#include "damon_statfs/clock.h"
#include "engine/pages/sample_size.h"
#include "unit/engine/pages/sampled_memory.h"

namespace damon_statfs::test {
namespace {

constexpr int64_t kNow = 1'000 * kNsPerSecond;

// All pages of a small memory, the i-th idle for ms(i); below 0: accessed for so long.
PageSample census(uint64_t nr_pages, const std::function<int64_t(size_t)>& ms) {
  PageSample sample(kSamplePageBytes, 1);
  sample.fit(Ranges{{0, nr_pages * kSamplePageBytes}}, 1'000, 1);
  REQUIRE(sample.pages().size() == nr_pages);
  for (size_t i = 0; i < nr_pages; ++i) {
    set_past(sample.pages()[i], ms(i) < 0, kNow - std::abs(ms(i)) * kNsPerMs);
  }
  return sample;
}

TEST_CASE("percentiles", "[page_statistics]") {
  const PageSample sample = census(100, [](size_t i) { return static_cast<int64_t>(i) - 9; });
  const auto percentiles =
      make_page_statistics(sample, ExcludedPages::kNone, kNow).memory_idle_ms_percentiles;
  CHECK(percentiles[0] == -9);
  CHECK(percentiles[1] == -9);
  CHECK(percentiles[10] == 0);
  CHECK(percentiles[50] == 40);
  CHECK(percentiles[100] == 90);
}

TEST_CASE("shares at their limits", "[page_statistics]") {
  // One page in ten each, from accessed to idle for longer than the last limit.
  const int64_t ms[] = {-5'000, 0, 999, 1'000, 5'999, 6'000, 59'999, 60'000, 60'001, 1'000'000};
  const PageSample sample = census(1'000, [&](size_t i) { return ms[i % 10]; });
  const PageStatistics found = make_page_statistics(sample, ExcludedPages::kNone, kNow);
  CHECK(std::abs(found.share_percent[0] - 30) < 1e-9);
  CHECK(std::abs(found.share_percent[1] - 50) < 1e-9);
  CHECK(std::abs(found.share_percent[2] - 70) < 1e-9);
  for (const double error : found.share_error_percent) CHECK(error == 0);  // all pages are sampled
}

TEST_CASE("untracked memory counts as idle, or not at all", "[page_statistics]") {
  PageSample sample = census(1'000, [](size_t) { return -100; });
  for (size_t i = 0; i < 250; ++i) {
    PageState& page = sample.pages()[i * 4];
    set_past(page, false, kNow - 90 * kNsPerSecond);
    page.kind = PageKind::kUntracked;
  }
  const PageStatistics idle = make_page_statistics(sample, ExcludedPages::kNone, kNow);
  CHECK(idle.untracked_share == 0.25);
  CHECK(std::abs(idle.share_percent[0] - 75) < 1e-9);
  CHECK(idle.memory_idle_ms_percentiles[100] == 90'000);
  const PageStatistics excluded = make_page_statistics(sample, ExcludedPages::kUntracked, kNow);
  CHECK(excluded.untracked_share == 0.25);
  CHECK(std::abs(excluded.share_percent[0] - 100) < 1e-9);
  CHECK(excluded.memory_idle_ms_percentiles[100] == -100);
}

TEST_CASE("page cache that nothing maps counts as it is seen, or not at all", "[page_statistics]") {
  PageSample sample = census(1'000, [](size_t i) { return i % 10 == 0 ? 90'000 : -100; });
  for (size_t i = 0; i < 1'000; i += 10) {
    const bool untracked = i % 50 == 0;
    sample.pages()[i].kind = untracked ? PageKind::kUntracked : PageKind::kUnmappedCache;
  }
  struct Row {
    ExcludedPages excluded;
    size_t nr_pages;
    double accessed_percent;
  };
  for (const Row& row : {Row{ExcludedPages::kNone, 1'000, 90},
                         Row{ExcludedPages::kUntracked, 980, 100 * 900.0 / 980},
                         Row{ExcludedPages::kUnmapped, 900, 100}}) {
    const PageStatistics found = make_page_statistics(sample, row.excluded, kNow);
    CAPTURE(row.nr_pages);
    CHECK(found.nr_pages == row.nr_pages);
    CHECK(found.untracked_share == 0.02);
    CHECK(found.unmapped_cache_share == 0.08);
    CHECK(std::abs(found.share_percent[0] - row.accessed_percent) < 1e-9);
  }
}

TEST_CASE("a sample without pages that count", "[page_statistics]") {
  PageSample sample(kSamplePageBytes, 1);
  const bool untracked = GENERATE(false, true);
  if (untracked) sample.fit(Ranges{{0, uint64_t{1} << 30}}, 100, 1);
  const PageStatistics found = make_page_statistics(sample, ExcludedPages::kUntracked, kNow);
  CHECK(found.memory_idle_ms_percentiles == std::array<int64_t, 101>{});
  CHECK(found.untracked_share == (untracked ? 1 : 0));
  for (size_t i = 0; i < 3; ++i) {
    CHECK(std::isnan(found.share_percent[i]));
    CHECK(std::isnan(found.share_error_percent[i]));
  }
}

TEST_CASE("a share of none or all is not certain for a sample", "[page_statistics]") {
  for (const bool hot : {false, true}) {
    for (const size_t nr_words : {size_t{1}, size_t{100}, size_t{1'000}}) {
      PageSample sample(kSamplePageBytes, 1);
      sample.fit(Ranges{{0, uint64_t{16} << 30}}, nr_words, 1);
      for (PageState& page : sample.pages()) {
        page.kind = PageKind::kTracked;
        set_past(page, hot, hot ? kNow : kNow - 3'600 * kNsPerSecond);
      }
      const PageStatistics found = make_page_statistics(sample, ExcludedPages::kNone, kNow);
      CAPTURE(hot, nr_words, found.share_error_percent[0]);
      CHECK(found.share_percent[0] == (hot ? 100 : 0));
      // One of so many words may have been missed.
      const double expected = 100.0 / static_cast<double>(nr_words + 1);
      CHECK(std::abs(found.share_error_percent[0] / expected - 1) < 0.05);
    }
  }
}

TEST_CASE("one word has no standard error", "[page_statistics]") {
  const PageSample sample = census(10, [](size_t i) { return i < 5 ? -1 : 100'000; });
  CHECK(make_page_statistics(sample, ExcludedPages::kNone, kNow).share_error_percent[0] == 0);
}

TEST_CASE("the standard error of scattered memory is what samples differ by", "[page_statistics]") {
  const double share = GENERATE(0.01, 0.125, 0.5);
  const uint64_t piece_pages = GENERATE(uint64_t{1}, uint64_t{16});
  CAPTURE(share, piece_pages);
  const Errors errors = errors_of(scattered(share, piece_pages), SampleShape{}.min_words, 400);
  CAPTURE(errors.mean_percent, errors.empirical_percent, errors.told_percent);
  CHECK(std::abs(errors.mean_percent - 100 * share) < 4 * errors.empirical_percent / 20);
  CHECK(std::abs(errors.told_percent / errors.empirical_percent - 1) < 0.15);
}

TEST_CASE("contiguous memory: hardly any error, and never told too small", "[page_statistics]") {
  const double share = GENERATE(0.01, 0.125, 0.5);
  CAPTURE(share);
  const auto hot_pages = static_cast<uint64_t>(share * static_cast<double>(kMemoryPages));
  const Errors errors =
      errors_of([=](uint64_t page) { return page < hot_pages; }, SampleShape{}.min_words, 200);
  const Errors apart = errors_of(scattered(share, 1), SampleShape{}.min_words, 200);
  CAPTURE(errors.empirical_percent, errors.told_percent, apart.empirical_percent);
  CHECK(errors.empirical_percent < apart.empirical_percent / 2.5);
  CHECK(errors.told_percent < apart.told_percent * 0.7);
  CHECK(errors.told_percent > errors.empirical_percent / 2);
}

// Not a test but the table of tests/bench/evaluation/README.md: run with "[.table]" -s.
TEST_CASE("table: pages and standard error", "[.table]") {
  struct Row {
    const char* name;
    uint64_t piece_pages, nr_words;
  };
  std::string table = "memory            pages    1 %   12.5 %   50 %\n";
  for (const Row& row : {Row{"4 KiB pages   ", 1, SampleShape{}.min_words},
                         Row{"4 KiB pages   ", 1, SampleShape{}.max_words},
                         Row{"64 KiB pieces ", 16, SampleShape{}.min_words},
                         Row{"64 KiB pieces ", 16, SampleShape{}.max_words}}) {
    table += fmt::format("{}  {:7}", row.name, row.nr_words * SampleShape{}.pages_per_word);
    for (const double share : {0.01, 0.125, 0.5}) {
      const Errors errors = errors_of(scattered(share, row.piece_pages), row.nr_words, 1'000);
      CHECK(std::abs(errors.told_percent / errors.empirical_percent - 1) < 0.15);
      table += fmt::format("  {:5.2f}", errors.empirical_percent);
    }
    table += "\n";
  }
  WARN(table);
}

}  // namespace
}  // namespace damon_statfs::test
