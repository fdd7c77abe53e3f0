// SPDX-License-Identifier: GPL-2.0-or-later
//
// ops=kdamond with estimator=pages, from the kernel's records to the values of the files, on memory
// of known access and with everything that can go wrong at the interface.
#include "engine/damon/ops_kdamond_pages.h"

#include <cerrno>
#include <cmath>
#include <set>

#include "support/catch.h"
#include "unit/engine/damon/kdamond_pages_run.h"

namespace damon_statfs::test {
namespace {

TEST_CASE("shares, idle times and bandwidth of memory in use", "[kdamond_pages]") {
  for (const Kernel of : {Kernel::k6_2, Kernel::k6_12, Kernel::k6_15, Kernel::k7_2}) {
    PagesRun run(of);
    CAPTURE(static_cast<int>(of));
    run.kernel.is_accessed = touched(100 * kMiB, 50 * kNsPerMs);
    REQUIRE(run.sampler->start());
    REQUIRE(run.run(6));
    CHECK(run.refreshes == 1);
    CHECK(std::abs(run.details.share_percent[0] - 25) < 0.5);
    REQUIRE(run.run(120));
    CHECK(std::abs(run.details.share_percent[0] - 25) < 0.5);
    CHECK(std::abs(run.details.share_percent[2] - 25) < 0.5);
    const double idle_s = static_cast<double>(run.statistics.memory_idle_ms_percentiles[60]) / 1e3;
    CHECK(idle_s > 118);
    CHECK(idle_s < 127);
    const double bandwidth =
        static_cast<double>(run.statistics.estimated_memory_bandwidth_bytes_per_s);
    CHECK(std::abs(bandwidth / (20 * 100 * kMiB) - 1) < 0.25);
    run.sampler->stop();
    CHECK(run.machine.damon->staged() == run.machine.untouched);
  }
}

TEST_CASE("what is accessed now and then, at its own rate", "[kdamond_pages]") {
  PagesRun run;
  run.kernel.is_accessed = touched(40 * kMiB, 2'300 * kNsPerMs);
  REQUIRE(run.sampler->start());
  REQUIRE(run.run(150));
  const double bandwidth =
      static_cast<double>(run.statistics.estimated_memory_bandwidth_bytes_per_s);
  CHECK(std::abs(bandwidth / (40.0 * kMiB / 2.3) - 1) < 0.25);
  CHECK(std::abs(run.details.share_percent[1] - 10) < 0.5);
}

TEST_CASE("real time counts, not the kdamond's", "[kdamond_pages]") {
  PagesRun run;
  run.kernel.real_per_nominal = 1.3;
  REQUIRE(run.sampler->start());
  REQUIRE(run.run(100));
  const double idle_s = static_cast<double>(run.statistics.memory_idle_ms_percentiles[50]) / 1e3;
  CHECK(idle_s > 92);
  CHECK(idle_s < 101);
  run.kernel.real_per_nominal = 1;
  REQUIRE(run.run(100));
  CHECK(run.statistics.memory_idle_ms_percentiles[50] > 192'000);
  CHECK(run.statistics.memory_idle_ms_percentiles[50] < 201'000);
}

TEST_CASE("a change shows two refreshes later", "[kdamond_pages]") {
  PagesRun run;
  run.kernel.is_accessed = touched(100 * kMiB, 50 * kNsPerMs);
  REQUIRE(run.sampler->start());
  REQUIRE(run.run(31));
  run.kernel.is_accessed = touched(200 * kMiB, 50 * kNsPerMs);
  const int before = run.refreshes;
  while (run.refreshes < before + 2) REQUIRE(run.run(0.5));
  CHECK(std::abs(run.details.share_percent[0] - 50) < 0.5);
  run.kernel.is_accessed = touched(0, kNsPerSecond);
  while (run.refreshes < before + 4) REQUIRE(run.run(0.5));
  CHECK(run.details.share_percent[0] < 0.5);
}

TEST_CASE("memory that comes is sampled, and the pages that stay keep their past",
          "[kdamond_pages]") {
  for (const bool keeps_ages : {true, false}) {
    PagesRun run;
    CAPTURE(keeps_ages);
    run.kernel.keeps_ages = keeps_ages;
    REQUIRE(run.sampler->start());
    REQUIRE(run.run(50));
    run.machine.damon->set_file("/proc/iomem", "10000000-41ffffff : System RAM");
    REQUIRE(run.run(50));
    CHECK(run.sampler->monitored_bytes() == 800 * kMiB);
    CHECK(run.staged_pages(0) == run.sampler->sample().pages().size());
    CHECK(run.statistics.memory_idle_ms_percentiles[80] > 90'000);
  }
}

TEST_CASE("a part of the sample is replaced while it runs", "[kdamond_pages]") {
  PagesRun run;
  REQUIRE(run.sampler->start());
  std::set<uint64_t> first;
  for (const PageState& page : run.sampler->sample().pages()) first.insert(page.addr);
  REQUIRE(run.run(1'260));
  size_t kept = 0;
  for (const PageState& page : run.sampler->sample().pages()) kept += first.count(page.addr);
  const size_t all = run.sampler->sample().pages().size();
  CHECK(kept < all - all / 70);
  CHECK(kept > all - all / 20);
  CHECK(run.statistics.memory_idle_ms_percentiles[50] > 1'200'000);
}

TEST_CASE("what the kernel cannot do is ENOTSUP, so that regions can take over",
          "[kdamond_pages]") {
  SECTION("regions that are larger than a page") {
    PagesRun run;
    run.kernel.region_bytes = 2 * kPage;
    REQUIRE(run.sampler->start());
    const Result<void> ended = run.run(10);
    REQUIRE_FALSE(ended);
    CHECK(ended.error().code.value() == ENOTSUP);
    CHECK(ended.error().context.find("regions of 8192 bytes") != std::string::npos);
  }
  SECTION("no trace events") {
    PagesRun run;
    run.kernel.open_errno = EACCES;
    const Result<void> started = run.sampler->start();
    REQUIRE_FALSE(started);
    CHECK(started.error().code.value() == ENOTSUP);
    CHECK(run.machine.damon->staged() == run.machine.untouched);
    CHECK(run.machine.damon->kernel().nr_running() == 0);
  }
  SECTION("regions of a page are refused") {
    PagesRun run;
    run.machine.damon->fail(kState, EINVAL, 1);
    const Result<void> started = run.sampler->start();
    REQUIRE_FALSE(started);
    CHECK(started.error().code.value() == ENOTSUP);
    CHECK(started.error().context.find("one page") != std::string::npos);
    CHECK(run.machine.damon->staged() == run.machine.untouched);
  }
  SECTION("and the probe says so before") {
    KdamondMachine machine(Kernel::k7_2);
    CHECK(failed_with(probe_kdamond_pages(*machine.damon), ENOENT));
    machine.mount_tracefs();
    CHECK(probe_kdamond_pages(*machine.damon));
  }
}

TEST_CASE("another program that stops or changes one of the kdamonds", "[kdamond_pages]") {
  SECTION("stops the sample") {
    PagesRun run;
    REQUIRE(run.sampler->start());
    REQUIRE(run.run(7));
    REQUIRE(run.machine.damon->foreign_write(FakeDamon::admin("0/state"), "off"));
    CHECK(failed_with(run.run(10), ESRCH));
  }
  SECTION("stops the counted pages") {
    PagesRun run;
    REQUIRE(run.sampler->start());
    REQUIRE(run.run(7));
    REQUIRE(run.machine.damon->foreign_write(FakeDamon::admin("1/state"), "off"));
    CHECK(failed_with(run.run(10), ESRCH));
  }
  SECTION("writes a bound of one page") {
    PagesRun run;
    REQUIRE(run.sampler->start());
    REQUIRE(run.run(7));
    REQUIRE(run.machine.damon->foreign_write(kContext + "targets/0/regions/40/start", "4096"));
    const Result<void> ended = run.run(50);
    REQUIRE_FALSE(ended);
    CHECK(ended.error().code.value() == EBUSY);
    CHECK(ended.error().context.find("regions/40/start") != std::string::npos);
    run.sampler->stop();
    CHECK(run.machine.damon->kernel().nr_running() == 0);
  }
}

TEST_CASE("other pages that the kernel refuses end it, and nothing is left", "[kdamond_pages]") {
  PagesRun run;
  REQUIRE(run.sampler->start());
  REQUIRE(run.run(7));
  run.machine.damon->fail(FakeDamon::admin("0/state"), EINVAL, 1);
  const Result<void> ended = run.run(700);  // within which a part of the sample is replaced
  REQUIRE_FALSE(ended);
  CHECK(ended.error().code.value() == EINVAL);
  CHECK(ended.error().context.find("does not take other pages") != std::string::npos);
  run.sampler->stop();
  CHECK(run.machine.damon->staged() == run.machine.untouched);
  CHECK(run.machine.damon->kernel().nr_running() == 0);
}

TEST_CASE("a start that fails at any write leaves nothing", "[kdamond_pages]") {
  PagesRun whole;
  REQUIRE(whole.sampler->start());
  const size_t nr_writes = whole.machine.damon->nr_writes();
  whole.sampler->stop();
  for (size_t failing = 0; failing < nr_writes; failing += failing < 40 ? 1 : 97) {
    PagesRun run;
    CAPTURE(failing);
    size_t number = 0;
    run.machine.damon->before_write = [&](FakeDamon& damon, const std::string& path,
                                          const std::string&) {
      if (number++ == failing) damon.fail(path, EIO, 1);
    };
    CHECK_FALSE(run.sampler->start());
    CHECK(run.machine.damon->staged() == run.machine.untouched);
    CHECK(run.machine.damon->kernel().nr_running() == 0);
  }
}

TEST_CASE("CPU time of the kernel's threads counts", "[kdamond_pages]") {
  PagesRun run;
  REQUIRE(run.sampler->start());
  run.machine.damon->set_file(
      "/proc/" + std::to_string(run.pages->facts().kdamond_pid) + "/schedstat", "123456789 5 6");
  REQUIRE(run.run(6));
  CHECK(run.pages->facts().kdamond_cpu_ns == 123'456'789);
}

TEST_CASE("another refresh interval, also shorter than a period", "[kdamond_pages]") {
  PagesRun run;
  run.kernel.is_accessed = touched(100 * kMiB, 50 * kNsPerMs);
  REQUIRE(run.sampler->start());
  REQUIRE(run.run(12));
  run.sampler->change({100, 500, run.config.attrs.goal});
  const int before = run.refreshes;
  REQUIRE(run.run(20));
  CHECK(run.refreshes > before + 25);
  CHECK(run.pages->period_ns() == 500 * kNsPerMs);
  CHECK(std::abs(run.details.share_percent[0] - 25) < 0.5);
}

}  // namespace
}  // namespace damon_statfs::test
