// SPDX-License-Identifier: GPL-2.0-or-later
//
// A daemon that monitors with a sample of pages has up to three kdamonds, and DAMON_STAT off if
// damon_stat=yield says so. It is killed at some point, and the next one puts everything right.
#include <algorithm>
#include <set>

#include "support/catch.h"
#include "unit/engine/damon/kdamond_pages_run.h"

namespace damon_statfs::test {
namespace {

// The machine before the daemon's start.
struct Before {
  Kernel kernel;
  bool yields;      // damon_stat=yield
  bool damon_stat;  // whether DAMON_STAT is on
};
constexpr Before kBefore[] = {
    {Kernel::k6_12, false, false},
    {Kernel::k7_2, true, true},
    {Kernel::k7_2, true, false},
};

void boot(PagesRun& run, const Before& before) {
  run.kernel.is_accessed = touched(100 * kMiB, 50 * kNsPerMs);
  if (!before.yields) return;
  run.machine.boot_with_damon_stat();
  if (before.damon_stat) return;
  REQUIRE(run.machine.damon->foreign_write(kDamonStatSwitch, "N"));
}

// Measurements begin three seconds after the start.
bool live(PagesRun& run) {
  run.machine.clock.advance(kNsPerSecond);
  run.make();
  const bool ran = run.sampler->start() && run.run(7);
  run.sampler->stop();
  return ran;
}

bool is_command(const FakeDamon::Write& write) {
  return write.path.ends_with("/state") || write.path.find("/nr_") != std::string::npos ||
         write.path == kDamonStatSwitch;
}

// The writes before which the daemon is killed: all commands, what follows each, and some of the
// thousands of bounds of pages; a third of that where DAMON_STAT is not on.
std::set<size_t> points_of_death(const Before& before) {
  PagesRun whole(before.kernel);
  boot(whole, before);
  const size_t foreign = whole.machine.damon->journal.size();
  REQUIRE(live(whole));
  const auto& journal = whole.machine.damon->journal;
  std::set<size_t> points;
  for (size_t i = foreign; i < journal.size(); ++i) {
    const bool follows = i > foreign && is_command(journal[i - 1]);
    if (is_command(journal[i]) || follows || i % 1'401 == 0) points.insert(i - foreign);
  }
  size_t number = 0;
  if (!before.damon_stat) std::erase_if(points, [&](size_t) { return number++ % 3 != 0; });
  return points;
}

void check_as_before(const PagesRun& run, const Before& before) {
  CHECK(run.machine.nr_ours() == 0);
  CHECK(run.machine.is_untouched());
  CHECK(run.machine.damon_stat_is_on() == before.damon_stat);
}

// Kills a daemon before a write. Returns: whether there was one of that number.
bool die(PagesRun& run, const Before& before, size_t number) {
  boot(run, before);
  return run.machine.ends_before(number, [&] { live(run); });
}

// By turns before a mount, and at the next start of monitoring.
void clean_up(PagesRun& run, bool before_mount) {
  if (before_mount) return run.machine.recover();
  run.machine.clock.advance(kNsPerSecond);
  run.make();
  CHECK(run.sampler->start());
  run.sampler->stop();
}

TEST_CASE("a daemon that is killed at any point is cleaned up", "[kdamond_pages]") {
  for (const Before& before : kBefore) {
    CAPTURE(static_cast<int>(before.kernel), before.yields, before.damon_stat);
    size_t most_left = 0, nr_left_off = 0, nr_points = 0;
    const std::set<size_t> points = points_of_death(before);
    CHECK(points.size() > 12);
    for (const size_t point : points) {
      CAPTURE(point);
      PagesRun run(before.kernel);
      REQUIRE(die(run, before, point));
      most_left = std::max(most_left, run.machine.nr_ours());
      nr_left_off += run.machine.damon_stat_is_on() == before.damon_stat ? 0 : 1;
      clean_up(run, nr_points++ % 2 == 0);
      check_as_before(run, before);
      CHECK(run.machine.log.count(LogLevel::kWarning, "cannot") == 0);
    }
    CHECK(most_left >= (before.damon_stat ? 3 : 2));
    CHECK((nr_left_off > 20) == (before.yields && before.damon_stat));
  }
}

TEST_CASE("a daemon that is killed while it cleans up after another", "[kdamond_pages]") {
  const Before before{Kernel::k7_2, true, true};
  const std::set<size_t> points = points_of_death(before);
  const size_t first = *std::next(points.rbegin(), 10);
  for (size_t second = 0; second < 40; second += 3) {
    CAPTURE(second);
    PagesRun run;
    REQUIRE(die(run, before, first));
    REQUIRE(run.machine.nr_ours() > 1);
    REQUIRE(run.machine.ends_before(second, [&] { live(run); }));
    clean_up(run, second % 2 == 0);
    check_as_before(run, before);
  }
}

}  // namespace
}  // namespace damon_statfs::test
