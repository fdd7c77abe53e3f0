// SPDX-License-Identifier: GPL-2.0-or-later
//
// What becomes of the pages and their pasts when the sample is fitted to other memory or to another
// size, and what a check makes of a page's past.
#include <cmath>
#include <map>

#include "damon_statfs/clock.h"
#include "unit/engine/pages/page_lists.h"

namespace damon_statfs::test {
namespace {

constexpr uint64_t kGiB = uint64_t{1} << 30;
constexpr int64_t kNow = 1'000 * kNsPerSecond;

using Pasts = std::map<uint64_t, int64_t>;

// A sample in which each page's past is its own.
PageSample with_pasts(const Ranges& ranges, uint64_t nr_words) {
  PageSample sample(kSamplePageBytes, 7);
  sample.fit(ranges, nr_words, 1);
  int64_t since_ns = 100;
  for (PageState& page : sample.pages()) set_past(page, true, ++since_ns);
  return sample;
}

Pasts pasts_of(const PageSample& sample) {
  Pasts pasts;
  for (const PageState& page : sample.pages()) pasts[page.addr] = page.since_ns;
  return pasts;
}

// How many of `now` are of `before`, with their past.
size_t nr_kept(const Pasts& before, const Pasts& now) {
  return static_cast<size_t>(std::count_if(now.begin(), now.end(), [&](const auto& page) {
    const auto old = before.find(page.first);
    return old != before.end() && old->second == page.second;
  }));
}

TEST_CASE("thinned: old words only, evenly, with their past", "[page_sample]") {
  constexpr uint64_t kBytes = uint64_t{4} << 30;
  PageSample sample(kSamplePageBytes, 1);
  sample.fit(Ranges{{0, kBytes}}, 1'000, 1);
  for (PageState& page : sample.pages()) set_past(page, false, static_cast<int64_t>(page.addr));
  const std::set<uint64_t> before = words_of(sample);
  const double share = sample.sampled_share();
  sample.thin(750);
  CHECK(words_of(sample).size() == 750);
  CHECK(sample.pages().size() == 750 * SampleShape{}.pages_per_word);
  CHECK(std::abs(sample.sampled_share() / share - 0.75) < 0.01);
  uint64_t lower_half = 0;
  for (const PageState& page : sample.pages()) {
    CHECK(before.contains(page.addr / kSampleWordBytes));
    CHECK(page.since_ns == static_cast<int64_t>(page.addr));
    if (page.addr < kBytes / 2) ++lower_half;
  }
  CHECK(lower_half > 1'480);
  CHECK(lower_half < 1'520);
  sample.thin(750);
  sample.thin(5'000);
  CHECK(sample.pages().size() == 750 * SampleShape{}.pages_per_word);
  sample.thin(0);
  CHECK(sample.pages().empty());
}

TEST_CASE("the same memory again: all pages stay", "[page_sample]") {
  const Ranges ranges = GENERATE(Ranges{{0, kGiB}}, Ranges{{0, 40 * kSamplePageBytes}},
                                 Ranges{{4096, 0x9f000}, {0x100000, 0xbffdb000}});
  PageSample sample = with_pasts(ranges, 500);
  const Pasts before = pasts_of(sample);
  for (int i = 0; i < 3; ++i) {
    sample.fit(ranges, 500, kNow);
    CHECK(nr_kept(before, pasts_of(sample)) == before.size());
    // A stratum that had drawn what another one had may have got a word now.
    CHECK(sample.pages().size() <= before.size() * 101 / 100);
  }
}

TEST_CASE("a smaller sample is a part of the larger", "[page_sample]") {
  PageSample sample = with_pasts({{0, 4 * kGiB}}, 1000);
  const Pasts before = pasts_of(sample);
  sample.fit(Ranges{{0, 4 * kGiB}}, 500, kNow);
  CHECK(sample.pages().size() == 500 * SampleShape{}.pages_per_word);
  CHECK(nr_kept(before, pasts_of(sample)) == sample.pages().size());
}

TEST_CASE("a larger sample keeps pages and takes pasts from near ones", "[page_sample]") {
  PageSample sample(kSamplePageBytes, 7);
  sample.fit(Ranges{{0, 4 * kGiB}}, 500, 1);
  for (PageState& page : sample.pages()) {
    const bool hot = page.addr < kGiB;
    set_past(page, hot, hot ? 111 : 222);
  }
  const Pasts before = pasts_of(sample);
  sample.fit(Ranges{{0, 4 * kGiB}}, 1000, kNow);
  CHECK(sample.pages().size() >= 990 * SampleShape{}.pages_per_word);
  CHECK(nr_kept(before, pasts_of(sample)) > before.size() * 9 / 10);
  constexpr uint64_t kNear = 4 * kGiB / 500 * 3;
  for (const PageState& page : sample.pages()) {
    CAPTURE(page.addr);
    CHECK((page.since_ns == 111 || page.since_ns == 222));
    CHECK(page.accessed == (page.since_ns == 111));
    if (page.addr + kNear < kGiB) CHECK(page.accessed);
    if (page.addr > kGiB + kNear) CHECK_FALSE(page.accessed);
    if (!before.contains(page.addr)) CHECK(page.observed_ns == 0);
  }
}

TEST_CASE("a new page takes the past of the old page nearest, above or below", "[page_sample]") {
  PageSample sample = with_pasts({{0, 4 * kGiB}}, 500);
  const std::vector<PageState> old(sample.pages().begin(), sample.pages().end());
  const Pasts before = pasts_of(sample);
  sample.fit(Ranges{{0, 4 * kGiB}}, 1000, kNow);
  int from_above = 0, from_below = 0;
  for (const PageState& page : sample.pages()) {
    if (before.contains(page.addr)) continue;
    const auto distance = [&](const PageState& other) {
      return other.addr > page.addr ? other.addr - page.addr : page.addr - other.addr;
    };
    const auto source = std::find_if(old.begin(), old.end(), [&](const PageState& other) {
      return other.since_ns == page.since_ns;
    });
    REQUIRE(source != old.end());
    CAPTURE(page.addr, source->addr);
    for (const PageState& other : old) {
      if (distance(other) < distance(*source)) FAIL(other.addr << " is nearer");
    }
    ++(source->addr > page.addr ? from_above : from_below);
  }
  CHECK(from_above > 500);
  CHECK(from_below > 500);
}

TEST_CASE("a new page takes the past of an idle page if one is about as near", "[page_sample]") {
  PageSample sample(kSamplePageBytes, 7);
  sample.fit(Ranges{{0, 4 * kGiB}}, 500, 1);
  size_t index = 0;
  for (PageState& page : sample.pages()) {
    const bool hot = index++ / SampleShape{}.pages_per_word % 2 == 0;
    set_past(page, hot, hot ? 111 : 222);
  }
  const Pasts before = pasts_of(sample);
  sample.fit(Ranges{{0, 4 * kGiB}}, 1000, kNow);
  size_t nr_new = 0;
  for (const PageState& page : sample.pages()) {
    if (before.contains(page.addr)) continue;
    ++nr_new;
    CAPTURE(page.addr);
    CHECK_FALSE(page.accessed);
    CHECK(page.since_ns == 222);
  }
  CHECK(nr_new > 1'500);
}

TEST_CASE("memory is added", "[page_sample]") {
  PageSample sample = with_pasts({{0, 4 * kGiB}}, 500);
  const Pasts before = pasts_of(sample);
  const Ranges ranges{{0, 4 * kGiB}, {16 * kGiB, 20 * kGiB}};
  sample.fit(ranges, 500, kNow);
  CHECK(is_within(sample, ranges));
  size_t old_pages = 0;
  for (const PageState& page : sample.pages()) {
    if (page.addr < 4 * kGiB) ++old_pages;
    if (page.addr >= 16 * kGiB + kGiB / 8) CHECK(page.since_ns == kNow);
  }
  // Half of the sample is for the old half of memory, and nothing there had to be drawn anew.
  CHECK(old_pages * 2 >= sample.pages().size() * 98 / 100);
  CHECK(old_pages * 2 <= sample.pages().size() * 102 / 100);
  CHECK(nr_kept(before, pasts_of(sample)) == old_pages);
}

TEST_CASE("memory is removed, or cut", "[page_sample]") {
  const Ranges ranges = GENERATE(Ranges{{0, kGiB}, {3 * kGiB, 4 * kGiB}}, Ranges{{0, 3 * kGiB}},
                                 Ranges{{kGiB / 2 + 4096, 4 * kGiB - 8192}});
  PageSample sample = with_pasts({{0, 4 * kGiB}}, 500);
  const Pasts before = pasts_of(sample);
  sample.fit(ranges, 500, kNow);
  CHECK(is_within(sample, ranges));
  CHECK(sample.pages().size() > 490 * SampleShape{}.pages_per_word);
  const auto left =
      static_cast<size_t>(std::count_if(before.begin(), before.end(), [&](const auto& page) {
        return std::any_of(ranges.begin(), ranges.end(), [&](const AddressRange& range) {
          return page.first >= range.start && page.first + kSamplePageBytes <= range.end;
        });
      }));
  // Strata have moved, so some hold two old words and some none.
  CHECK(nr_kept(before, pasts_of(sample)) > left * 3 / 4);
}

TEST_CASE("other memory altogether", "[page_sample]") {
  PageSample sample = with_pasts({{0, kGiB}}, 100);
  sample.fit(Ranges{{64 * kGiB, 65 * kGiB}}, 100, kNow);
  CHECK(is_within(sample, {{64 * kGiB, 65 * kGiB}}));
  for (const PageState& page : sample.pages()) CHECK(page.since_ns == kNow);
}

TEST_CASE("the whole sample is another one after all parts were drawn anew", "[page_sample]") {
  SampleShape shape;
  shape.pages_per_word = 1;
  shape.apart = true;
  PageSample sample(4096, 11, shape);
  const std::vector<AddressRange> ranges = {{0, uint64_t{16} << 30}};
  sample.fit(ranges, 2'000, 0);
  REQUIRE(sample.pages().size() == 2'000);
  std::set<uint64_t> first;
  for (PageState& page : sample.pages()) {
    first.insert(page.addr);
    page.since_ns = static_cast<int64_t>(page.addr >> 30);  // one value for each GiB
  }
  for (int part = 0; part < 100; ++part) {
    sample.forget_part(100);
    CHECK(sample.pages().size() == 1'980);
    sample.fit(ranges, 2'000, 77);
    CHECK(sample.pages().size() == 2'000);
  }
  size_t kept = 0;
  for (const PageState& page : sample.pages()) {
    kept += first.count(page.addr);
    const auto gib = static_cast<int64_t>(page.addr >> 30);
    CHECK(std::abs(page.since_ns - gib) <= 1);  // a near neighbour's
  }
  CHECK(kept < 40);  // a word at the edge of its part may have served for the next one
}

TEST_CASE("in little memory, too, no two pages are neighbours where that is asked for",
          "[page_sample]") {
  SampleShape shape;
  shape.pages_per_word = 1;
  shape.apart = true;
  for (const uint64_t pages : {3, 64, 65, 1'000, 4'000, 100'000}) {
    PageSample sample(4096, pages, shape);
    const std::vector<AddressRange> ranges = {{4096, 4096 * (1 + pages)}};
    sample.fit(ranges, 2'000, 0);
    CAPTURE(pages);
    CHECK(sample.pages().size() >= std::min<uint64_t>(pages * 9 / 20, 1'400));
    for (size_t i = 1; i < sample.pages().size(); ++i) {
      CHECK(sample.pages()[i].addr > sample.pages()[i - 1].addr + 4096);
    }
  }
}

}  // namespace
}  // namespace damon_statfs::test
