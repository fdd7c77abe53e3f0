// SPDX-License-Identifier: GPL-2.0-or-later
//
// When a page sampler checks pages: rounds, refreshes and old pages; machines that sleep or are
// late; what it does if memory changes, or the source fails.
#include <algorithm>
#include <cmath>

#include "unit/engine/pages/page_sampler_run.h"

namespace damon_statfs::test {
namespace {

int64_t hot(uint64_t, int64_t now_ns) { return now_ns; }

TEST_CASE("refreshes come every refresh_ms", "[page_sampler][time]") {
  const uint64_t refresh_ms =
      GENERATE(uint64_t{100}, uint64_t{1'000}, uint64_t{5'000}, uint64_t{7'300}, uint64_t{60'000});
  CAPTURE(refresh_ms);
  PageSamplerRun run;
  run.refresh_ms = refresh_ms;
  run.memory.last_access = hot;
  run.start();
  int64_t due_ns = run.begun_ns;
  for (int i = 0; i < 10; ++i) {
    run.run_refreshes(1);
    due_ns += static_cast<int64_t>(refresh_ms) * kMs;
    CAPTURE(i, run.refreshed_ns - due_ns);
    CHECK(run.refreshed_ns >= due_ns);
    CHECK(run.refreshed_ns < due_ns + 100 * kMs);
    CHECK(run.idle_ms(100) < 0);
  }
}

TEST_CASE("refresh_ms=0 is not endless work", "[page_sampler][time]") {
  PageSamplerRun run;
  run.refresh_ms = 0;
  run.start();
  run.run_for(10 * kSecond);
  CHECK(run.refreshes >= 50);
  CHECK(run.refreshes <= 100);
}

TEST_CASE("old pages are checked less often than young ones", "[page_sampler][time]") {
  PageSamplerRun run;
  // In use and idle for 7 s in turn: it is young for ever.
  run.memory.last_access = [](uint64_t addr, int64_t now_ns) {
    if (addr >= 2 * kGiB) return PagedMemory::kNever;
    const int64_t turn_ns = now_ns / (7 * kSecond) * (7 * kSecond);
    return turn_ns / (7 * kSecond) % 2 == 0 ? now_ns : turn_ns;
  };
  run.start();
  run.run_for(60 * kSecond);
  run.memory.counts_pages = true;
  run.run_for(100 * kSecond);
  double young = 0, old = 0, nr_young = 0, nr_old = 0;
  for (const PageState& page : run.sampler->sample().pages()) {
    (page.addr < 2 * kGiB ? young : old) += run.memory.checks[page.addr];
    (page.addr < 2 * kGiB ? nr_young : nr_old) += 1;
  }
  CAPTURE(young / nr_young, old / nr_old);
  CHECK(young / nr_young >= 30);  // once or twice in 5 s, and for the bandwidth
  CHECK(old / nr_old < 10);
  CHECK(old / nr_old >= 4);
}

TEST_CASE("hot pages are checked once per refresh, sentinels once a second",
          "[page_sampler][time]") {
  PageSamplerRun run;
  run.config.attrs.goal.aggrs = 0;
  run.config.attrs.sample_us = 10'000'000;  // too long for bandwidth checks
  run.config.attrs.aggr_us = 200'000'000;
  run.memory.last_access = hot;
  run.start();
  run.run_refreshes(4);
  run.memory.counts_pages = true;
  double sentinels = 0;
  run.run_refreshes(10);
  for (const PageState& page : run.sampler->sample().pages()) {
    CAPTURE(page.addr);
    CHECK(run.memory.checks[page.addr] == (is_sentinel(page.addr) ? 50 : 10));
    CHECK(run.memory.marks[page.addr] == (is_sentinel(page.addr) ? 50 : 10));
    if (is_sentinel(page.addr)) ++sentinels;
  }
  CHECK(std::abs(sentinels / static_cast<double>(run.pages.nr_pages) - 1 / 8.0) < 0.04);
}

TEST_CASE("a mark that comes late puts the last check off", "[page_sampler][time]") {
  PageSamplerRun run;
  bool in_use = true;
  int64_t touched_ns = 0;
  run.memory.last_access = [&](uint64_t addr, int64_t now_ns) {
    if (addr >= kGiB) return PagedMemory::kNever;
    if (in_use) touched_ns = now_ns;
    return touched_ns;
  };
  run.start();
  run.run_refreshes(3);
  REQUIRE(std::abs(run.details.share_percent[0] - 25) < 0.5);
  in_use = false;
  run.clock.advance(4'900 * kMs);  // the machine had no time for the mark 1 s before
  const int64_t resumed_ns = run.clock.now_ns();
  run.run_refreshes(1);
  CHECK(run.refreshed_ns - resumed_ns > 700 * kMs);
  CHECK(run.refreshed_ns - resumed_ns < 1'100 * kMs);
  CHECK(run.details.share_percent[0] == 0);
}

TEST_CASE("a round checks each page once, and each word in one call", "[page_sampler][time]") {
  PageSamplerRun run;
  run.memory.last_access = [](uint64_t, int64_t) { return PagedMemory::kNever; };
  std::map<uint64_t, int64_t> last_ns;  // by word
  int64_t shortest_ns = kSecond;        // between two calls with pages of one word
  run.memory.on_check = [&](std::span<CheckedPage* const> pages) {
    const int64_t now_ns = run.clock.now_ns();
    uint64_t previous = ~uint64_t{0};
    for (const CheckedPage* const page : pages) {
      if (page->word() == previous) continue;
      previous = page->word();
      const auto last = last_ns.find(previous);
      if (last != last_ns.end()) shortest_ns = std::min(shortest_ns, now_ns - last->second);
      last_ns[previous] = now_ns;
    }
  };
  run.start();
  run.run_for(60 * kSecond);
  CHECK(last_ns.size() > SampleShape{}.max_words * 98 / 100);
  CHECK(shortest_ns > 980 * kMs);
}

TEST_CASE("calls stay in the order of words while folios form and split", "[page_sampler][time]") {
  PageSamplerRun run;
  run.memory.ranges = {{0, 64 * kMiB}};
  run.memory.last_access = hot;
  // Each check finds pages of every second word in a folio of 2 MiB, or out of it again.
  run.memory.on_check = [&](std::span<CheckedPage* const> pages) {
    for (CheckedPage* const page : pages) {
      const uint64_t pfn = page->addr / run.config.page_bytes;
      if (pfn / CheckedPage::kWordPages % 2 == 0) continue;
      page->head_pfn = page->head_pfn == pfn ? pfn / 512 * 512 : pfn;
    }
  };
  run.start();
  CHECK_NOTHROW(run.run_for(60 * kSecond));  // PagedMemory throws if they do not
  CHECK(run.details.share_percent[0] == 100);
}

TEST_CASE("a suspended machine's time counts for nothing", "[page_sampler][time]") {
  PageSamplerRun run;
  int64_t woken_ns = PagedMemory::kNever;
  run.memory.last_access = [&](uint64_t, int64_t) { return woken_ns; };
  run.start();
  run.run_for(32 * kSecond);
  run.clock.suspend(3'600 * kSecond);
  woken_ns = run.clock.now_ns();  // waking up touches all memory
  run.run_for(30 * kSecond);
  CHECK(run.idle_ms(0) > 0);
  CHECK(run.idle_ms(100) == run.monitored_ms());
  CHECK(run.details.share_percent[1] == 0);
}

TEST_CASE("late steps do not change what is said", "[page_sampler][time]") {
  const int64_t late_ns = GENERATE(1 * kMs, 40 * kMs, 300 * kMs);
  CAPTURE(late_ns);
  PageSamplerRun run;
  run.late_ns = late_ns;
  run.memory.last_access = [](uint64_t addr, int64_t now_ns) {
    return addr < kGiB ? now_ns : PagedMemory::kNever;
  };
  run.start();
  run.run_for(120 * kSecond);
  CHECK(run.refreshes >= 15);
  CHECK(std::abs(run.details.share_percent[0] - 25) < 0.5);
  CHECK(run.idle_ms(100) == run.monitored_ms());
}

TEST_CASE("a long standstill", "[page_sampler][time]") {
  PageSamplerRun run;
  run.start();
  run.run_for(17 * kSecond);
  run.clock.advance(1'000 * kSecond);
  const size_t before = run.refreshes;
  run.run_for(20 * kSecond);
  CHECK(run.refreshes - before >= 3);
  CHECK(run.refreshes - before <= 6);  // missed ones are not made up for
  CHECK(run.idle_ms(100) == run.monitored_ms());
}

TEST_CASE("memory comes and goes", "[page_sampler][time]") {
  PageSamplerRun run;
  run.start();
  run.run_for(58 * kSecond);
  CHECK(run.memory.updates == 0);
  run.memory.ranges = {{0, 2 * kGiB}, {8 * kGiB, 10 * kGiB}};
  while (run.memory.updates == 0) REQUIRE(run.step());
  const int64_t added_ns = run.clock.now_ns();  // it is known of since the first update
  CHECK(added_ns - run.begun_ns >= 60 * kSecond);
  CHECK(added_ns - run.begun_ns < 61 * kSecond + 50 * kMs);
  run.run_for(10 * kSecond);
  CHECK(run.memory.updates == 1);
  CHECK(run.details.monitored_bytes == 4 * kGiB);
  // The old half is as old as ever, the new half is not.
  CHECK(run.idle_ms(49) == (run.refreshed_ns - added_ns) / kMs);
  CHECK(run.idle_ms(51) == run.monitored_ms());
  REQUIRE(run.pages.nr_pages > 1'900);
  for (const PageState& page : run.sampler->sample().pages()) {
    CHECK((page.addr < 2 * kGiB || page.addr >= 8 * kGiB));
  }
}

TEST_CASE("ranges are read every update_us", "[page_sampler][time]") {
  PageSamplerRun run;
  run.refresh_ms = 100;
  run.config.attrs.update_us = 300'000;
  run.start();
  run.run_for(30 * kSecond);
  CHECK(run.memory.updates >= 70);
  CHECK(run.memory.updates <= 100);
}

TEST_CASE("errors end it with their reason", "[page_sampler][time]") {
  PageSamplerRun run;
  run.memory.last_access = hot;
  run.start();
  run.run_for(7 * kSecond);
  SECTION("of a check") {
    run.memory.check_errno = EIO;
    CHECK(run.run_to_error() == "scripted error in check_pages");
  }
  SECTION("of a mark") {
    run.memory.mark_errno = EIO;
    CHECK(run.run_to_error() == "scripted error in mark_pages");
  }
  SECTION("of the ranges") {
    run.memory.update_errno = ENODEV;
    CHECK(run.run_to_error() == "scripted error in update");
  }
}

TEST_CASE("it is closed once", "[page_sampler][time]") {
  PageSamplerRun run;
  run.start();
  run.run_refreshes(1);
  run.sampler->stop();
  CHECK(run.memory.opened == 1);
  CHECK(run.memory.closed == 1);
}

TEST_CASE("another refresh interval holds at once, and idle times go on", "[page_sampler]") {
  for (const uint64_t refresh_ms : {500, 1'000, 2'000, 20'000}) {
    CAPTURE(refresh_ms);
    PageSamplerRun run;
    run.start();
    run.run_refreshes(3);
    run.run_for(2'300 * kMs);
    const int64_t changed_ns = run.clock.now_ns();
    run.sampler->change({100, refresh_ms, run.config.attrs.goal});
    for (int i = 1; i <= 3; ++i) {
      run.run_refreshes(1);
      const int64_t due_ns = changed_ns + i * static_cast<int64_t>(refresh_ms) * kMs;
      CHECK(std::abs(run.refreshed_ns - due_ns) <= 100 * kMs);
      CHECK(run.idle_ms(50) >= run.monitored_ms() - 1'000);
    }
  }
}

TEST_CASE("the goal of the bandwidth's sampling interval changes", "[page_sampler]") {
  PageSamplerRun run;
  run.start();
  run.run_refreshes(5);
  CHECK(run.details.sample_us > 50'000);
  run.sampler->change({100, run.refresh_ms, {400, 3, 20'000, 30'000}});
  run.run_refreshes(2);
  CHECK(run.details.sample_us <= 30'000);
  CHECK(run.details.sample_us >= 20'000);
}

}  // namespace
}  // namespace damon_statfs::test
