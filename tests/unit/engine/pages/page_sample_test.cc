// SPDX-License-Identifier: GPL-2.0-or-later
//
// How a sample is drawn: within memory, one word per stratum, every page as likely as any other.
#include "engine/pages/page_sample.h"

#include <cmath>
#include <map>

#include "engine/base/memory_ranges.h"
#include "unit/engine/pages/page_lists.h"

namespace damon_statfs::test {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kTiB = uint64_t{1} << 40;
constexpr uint64_t kPage = kSamplePageBytes;
constexpr uint64_t kWord = kSampleWordBytes;

PageSample fitted(const Ranges& ranges, uint64_t nr_words, uint64_t seed = 1) {
  PageSample sample(kPage, seed);
  sample.fit(ranges, nr_words, 1'000);
  return sample;
}

TEST_CASE("as many words as wanted, with the pages of each", "[page_sample]") {
  const uint64_t bytes = GENERATE(1024 * kMiB, 4096 * kMiB, kTiB, 64 * kTiB);
  CAPTURE(bytes);
  const PageSample sample = fitted({{0, bytes}}, 500);
  CHECK(words_of(sample).size() == 500);
  CHECK(sample.pages().size() == words_of(sample).size() * SampleShape{}.pages_per_word);
  CHECK(is_within(sample, {{0, bytes}}));
  const double share =
      static_cast<double>(sample.pages().size() * kPage) / static_cast<double>(bytes);
  CHECK(std::abs(sample.sampled_share() / share - 1) < 1e-9);
}

// So many ranges of one to three pages, each in a word of its own.
Ranges crumbs(uint64_t number) {
  Ranges ranges;
  for (uint64_t i = 0; i < number; ++i) {
    const uint64_t start = i * 3 * kWord + i % 61 * kPage;
    ranges.push_back({start, start + (i % 3 + 1) * kPage});
  }
  return ranges;
}

TEST_CASE("ranges of a few pages give as many pages as other memory does", "[page_sample]") {
  for (const uint64_t number : {3'000, 5'000, 20'000, 100'000}) {
    CAPTURE(number);
    const Ranges ranges = crumbs(number);
    const PageSample sample = fitted(ranges, 1'000);
    CHECK(sample.pages().size() >= 3'000);
    CHECK(sample.pages().size() <= 4'400);
    CHECK(is_within(sample, ranges));
  }
}

TEST_CASE("a sample is made smaller in the ratio that is asked for", "[page_sample]") {
  for (const Ranges& ranges : {Ranges{{0, 4096 * kMiB}}, crumbs(20'000)}) {
    PageSample sample = fitted(ranges, 1'000);
    const double before = static_cast<double>(sample.pages().size());
    for (const uint64_t nr_words : {900, 750}) {
      sample.thin(nr_words);
      const double left = static_cast<double>(sample.pages().size()) / before;
      CAPTURE(nr_words, left);
      CHECK(std::abs(left - static_cast<double>(nr_words) / 1'000) < 0.02);
    }
  }
}

TEST_CASE("a new page knows nothing", "[page_sample]") {
  const PageSample sample = fitted({{0, 64 * kMiB}}, 10);
  for (const PageState& page : sample.pages()) {
    CHECK_FALSE(page.tracked());
    CHECK_FALSE(page.accessed);
    CHECK(page.observed_ns == 0);
    CHECK(page.since_ns == 1'000);
    CHECK(page.last_access_ns == PageHistory::kNever);
  }
}

TEST_CASE("the pages of a word lie evenly apart", "[page_sample]") {
  std::map<uint64_t, Addresses> words;
  const PageSample sample = fitted({{0, 1024 * kMiB}}, 100);
  for (const uint64_t addr : addresses_of(sample)) words[addr / kWord].push_back(addr);
  for (const auto& [word, pages] : words) {
    REQUIRE(pages.size() == SampleShape{}.pages_per_word);
    for (size_t i = 1; i < pages.size(); ++i) {
      CHECK(pages[i] - pages[i - 1] == kWord / SampleShape{}.pages_per_word);
    }
  }
}

TEST_CASE("one word in each stratum", "[page_sample]") {
  constexpr uint64_t kStrata = 64;
  const uint64_t seed = GENERATE(range(1, 20));
  const PageSample sample = fitted({{0, kStrata * 8 * kWord}}, kStrata, seed);
  std::set<uint64_t> strata;
  for (const uint64_t word : words_of(sample)) strata.insert(word / 8);
  CHECK(strata.size() == kStrata);
}

TEST_CASE("memory of odd sizes", "[page_sample]") {
  const Ranges ranges = GENERATE(
      Ranges{{0, 64 * kMiB + 3 * kPage}},                                // ends within a word
      Ranges{{5 * kPage, 7 * kPage}},                                    // less than a word
      Ranges{{60 * kPage, 70 * kPage}},                                  // parts of two words
      Ranges{{77 * kPage, 78 * kPage}},                                  // one page
      Ranges{{0x1000, 0x9fc00}, {0x100000, 0xbffdb000}},                 // a PC's
      Ranges{{100, 20'000}, {50'001, 50'002}, {1 << 20, (1 << 20) + 1}}  // no multiples of pages
  );
  CAPTURE(ranges.front().start);
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const PageSample sample = fitted(ranges, 100, seed);
    CHECK(is_within(sample, ranges));
    CHECK_FALSE(sample.pages().empty());
    CHECK(sample.sampled_share() <= 1);
  }
}

TEST_CASE("many ranges", "[page_sample]") {
  Ranges ranges;
  for (uint64_t i = 0; i < 500; ++i) ranges.push_back({i * kMiB, i * kMiB + (i % 7 + 1) * kPage});
  const PageSample sample = fitted(ranges, 200);
  CHECK(is_within(sample, ranges));
  // A word of few pages is seldom in the sample: it is pages that are as likely as any other.
  CHECK(words_of(sample).size() > 30);
}

TEST_CASE("little memory: more pages of each word, and all of it in the end", "[page_sample]") {
  const PageSample some = fitted({{0, 500 * kWord}}, 1000);
  CHECK(words_of(some).size() == 500);
  CHECK(some.pages().size() == 4'000);
  for (const uint64_t pages : {1, 3, 63, 64, 65, 1'000}) {
    CAPTURE(pages);
    const PageSample all = fitted({{kPage, kPage + pages * kPage}}, 1000);
    CHECK(all.pages().size() == pages);
    CHECK(all.sampled_share() == 1);
  }
}

TEST_CASE("no memory", "[page_sample]") {
  PageSample sample = fitted({}, 100);
  CHECK(sample.pages().empty());
  CHECK(sample.sampled_share() == 0);
  sample.fit(Ranges{{0, kMiB}}, 100, 1);
  CHECK(sample.pages().size() == 256);
  sample.fit({}, 100, 1);
  CHECK(sample.pages().empty());
}

// Counts of how often each page was drawn are about Poisson's: chi-square over its degrees of
// freedom is about 1, and no page is far from the mean.
TEST_CASE("every page is as likely as any other", "[page_sample]") {
  const Ranges ranges =
      GENERATE(Ranges{{0, 100 * kWord}}, Ranges{{10 * kPage, 3 * kWord + 5 * kPage},
                                                {5 * kWord + 63 * kPage, 9 * kWord},
                                                {20 * kWord, 110 * kWord + 32 * kPage}});
  constexpr uint64_t kSeeds = 4'000;
  std::map<uint64_t, double> counts;
  for (const AddressRange& range : ranges) {
    for (uint64_t addr = range.start; addr < range.end; addr += kPage) counts[addr] = 0;
  }
  double drawn = 0;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    for (const uint64_t addr : addresses_of(fitted(ranges, 30, seed * 0x9e3779b9))) {
      counts[addr] += 1;
      drawn += 1;
    }
  }
  const double mean = drawn / static_cast<double>(counts.size());
  double chi_square = 0, farthest = 0;
  for (const auto& [addr, count] : counts) {
    chi_square += (count - mean) * (count - mean) / mean;
    farthest = std::max(farthest, std::abs(count - mean) / std::sqrt(mean));
  }
  CAPTURE(mean, farthest);
  CHECK(counts.size() == total_bytes(ranges) / kPage);  // nothing else was drawn
  CHECK(chi_square / static_cast<double>(counts.size()) < 1.15);
  CHECK(farthest < 6);
}

}  // namespace
}  // namespace damon_statfs::test
