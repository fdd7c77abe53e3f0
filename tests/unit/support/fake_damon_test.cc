// SPDX-License-Identifier: GPL-2.0-or-later
//
// The stand-in for the kernel itself: other tests are worth as much as it is like DAMON's sysfs
// interface.
#include "support/fake_damon.h"

#include <algorithm>

#include "support/catch.h"
#include "support/fake_events.h"
#include "unit/engine/regions/region_lists.h"

namespace damon_statfs::test {
namespace {

const std::string kNr = FakeDamon::admin("nr_kdamonds");
const std::string kState = FakeDamon::admin("0/state");
const std::string kPid = FakeDamon::admin("0/pid");
const std::string kNrContexts = FakeDamon::admin("0/contexts/nr_contexts");
const std::string kContext = FakeDamon::admin("0/contexts/0/");
const std::string kSampleUs = kContext + "monitoring_attrs/intervals/sample_us";
const std::string kTried = kContext + "schemes/0/tried_regions";

int errno_of(const Result<void>& result) { return result ? 0 : result.error().code.value(); }

void add_stat_scheme(FakeDamon& damon) {
  REQUIRE(damon.write(kContext + "schemes/nr_schemes", "1"));
  for (const char* const range : {"sz", "nr_accesses", "age"}) {
    const std::string max = kContext + "schemes/0/access_pattern/" + range + "/max";
    REQUIRE(damon.write(max, range[0] == 's' ? "18446744073709551615" : "4294967295"));
  }
}

TEST_CASE("each kernel has its files", "[fake_damon]") {
  struct Row {
    std::string path;
    Kernel since;
  };
  const Row rows[] = {
      {kNr, Kernel::k6_2},
      {kTried + "/total_bytes", Kernel::k6_7},
      {kContext + "schemes/0/apply_interval_us", Kernel::k6_7},
      {kContext + "monitoring_attrs/intervals/intervals_goal/aggrs", Kernel::k6_15},
      {FakeDamon::admin("0/refresh_ms"), Kernel::k6_17},
      {kContext + "pause", Kernel::k7_2},
  };
  for (const Kernel kernel : {Kernel::none, Kernel::k6_2, Kernel::k6_7, Kernel::k6_12,
                              Kernel::k6_15, Kernel::k6_17, Kernel::k7_2}) {
    FakeDamon damon(kernel);
    const bool made = damon.stage_foreign();
    CHECK(made == (kernel != Kernel::none));
    if (made) add_stat_scheme(damon);
    for (const Row& row : rows) {
      CAPTURE(row.path, static_cast<int>(kernel));
      CHECK(damon.read(row.path).has_value() == (row.since <= kernel));
    }
  }
}

TEST_CASE("counts make and remove directories", "[fake_damon]") {
  FakeDamon damon(Kernel::k6_12);
  const Files untouched = damon.staged();
  REQUIRE(damon.write(kNr, "2\n"));
  CHECK(damon.list(kKdamonds).value().size() == 3);
  CHECK(damon.content(kState) == "off");
  CHECK(damon.content(kPid) == "-1");
  CHECK(errno_of(damon.write(kNrContexts, "2")) == EINVAL);
  REQUIRE(damon.write(kNrContexts, "0x1"));
  CHECK(damon.content(kNrContexts) == "1");
  CHECK(damon.content(kContext + "operations") == "vaddr");
  CHECK(damon.content(kSampleUs) == "5000");
  REQUIRE(damon.write(kSampleUs, "6000"));
  REQUIRE(damon.write(kNrContexts, "1"));  // the same count also makes them anew
  CHECK(damon.content(kSampleUs) == "5000");
  REQUIRE(damon.write(kNr, "0"));
  CHECK(damon.staged() == untouched);
  CHECK(errno_of(damon.write(kNrContexts, "1")) == ENOENT);
}

TEST_CASE("values that are not taken", "[fake_damon]") {
  FakeDamon damon(Kernel::k6_12);
  REQUIRE(damon.stage_foreign());
  for (const auto& [path, text] : {std::pair(kSampleUs, "x"),
                                   {kSampleUs, "-1"},
                                   {kSampleUs, ""},
                                   {kContext + "operations", "physical"},
                                   {kPid, "1"},
                                   {kNr, "-1"},
                                   {kState, "go"},
                                   {kState, "update_tuned_intervals"}}) {
    CAPTURE(path, text);
    CHECK(errno_of(damon.write(path, text)) == EINVAL);
  }
  CHECK(damon.journal.back().errno_value == EINVAL);
  CHECK_FALSE(damon.journal.back().foreign);
}

TEST_CASE("on and off", "[fake_damon]") {
  FakeDamon damon(Kernel::k6_12);
  REQUIRE(damon.stage_foreign());
  CHECK(errno_of(damon.write(kState, "off")) == EINVAL);  // it was never on
  REQUIRE(damon.write(kState, "on"));
  const std::string pid = damon.content(kPid);
  CHECK(damon.read("/proc/" + pid + "/comm").value() == "kdamond.0");
  CHECK(damon.content("/proc/" + pid + "/stat").find(" 2129984 ") != std::string::npos);
  CHECK(errno_of(damon.write(kState, "on")) == EBUSY);
  CHECK(errno_of(damon.write(kNr, "0")) == EBUSY);
  REQUIRE(damon.write(kState, "off"));
  CHECK(damon.list("/proc/" + pid).value().empty());
  CHECK(errno_of(damon.write(kState, "off")) == EPERM);
  REQUIRE(damon.write(kState, "on"));
  CHECK(damon.content(kPid) != pid);
}

TEST_CASE("what is not switched on", "[fake_damon]") {
  FakeDamon damon(Kernel::k6_12);
  REQUIRE(damon.stage_foreign());
  SECTION("bad values") {
    REQUIRE(damon.write(kContext + "monitoring_attrs/nr_regions/min", "2"));
    CHECK(errno_of(damon.write(kState, "on")) == EINVAL);
  }
  SECTION("no context") {
    REQUIRE(damon.write(kNrContexts, "0"));
    CHECK(errno_of(damon.write(kState, "on")) == EINVAL);
  }
  SECTION("beside an exclusive module") {
    damon.set_module("damon_stat", true);
    CHECK(errno_of(damon.write(kState, "on")) == EBUSY);
    damon.set_module("damon_stat", false);
    CHECK(damon.write(kState, "on"));
  }
}

TEST_CASE("what is staged counts from the commit on", "[fake_damon]") {
  FakeDamon damon(Kernel::k6_12);
  REQUIRE(damon.start_foreign() > 0);
  damon.set_regions({make_region(0, 4096, 10, 8)});
  REQUIRE(damon.write(kSampleUs, "14000"));
  REQUIRE(damon.write(kContext + "monitoring_attrs/intervals/aggr_us", "280000"));
  CHECK(damon.kernel().running(0)->context.attrs.sample_us == 7'000);
  REQUIRE(damon.write(kState, "commit"));
  CHECK(damon.kernel().running(0)->context.attrs.sample_us == 14'000);
  CHECK(damon.kernel().regions->front().nr_accesses == 10);
  CHECK(damon.kernel().regions->front().age == 4);
  REQUIRE(damon.write(kNrContexts, "1"));
  CHECK(damon.content(kState) == "on");  // only what is staged has gone
  REQUIRE(damon.write(kState, "commit"));
  CHECK(damon.content(kState) == "off");
}

TEST_CASE("regions are shown through the scheme that matches them", "[fake_damon]") {
  FakeDamon damon(Kernel::k6_12);
  REQUIRE(damon.stage_foreign());
  add_stat_scheme(damon);
  damon.set_regions({make_region(0, 4096, 3, 1), make_region(4096, 12288, 0, 7)});
  REQUIRE(damon.write(kState, "on"));
  REQUIRE(damon.write(kState, "update_schemes_tried_regions"));
  CHECK(damon.content(kTried + "/total_bytes") == "12288");
  CHECK(damon.content(kTried + "/1/end") == "12288");
  CHECK(damon.content(kTried + "/0/nr_accesses") == "3");
  REQUIRE(damon.write(kState, "clear_schemes_tried_regions"));
  CHECK(damon.list(kTried).value().size() == 1);
  damon.kernel().short_snapshots = 1;
  REQUIRE(damon.write(kState, "update_schemes_tried_regions"));
  CHECK(damon.content(kTried + "/total_bytes") == "0");
  REQUIRE(damon.write(kState, "update_schemes_tried_regions"));
  CHECK(damon.list(kTried).value().size() == 3);
  REQUIRE(damon.write(kContext + "schemes/0/access_pattern/age/min", "2"));
  REQUIRE(damon.write(kState, "commit"));
  REQUIRE(damon.write(kState, "update_schemes_tried_regions"));
  CHECK(damon.content(kTried + "/0/start") == "4096");
  REQUIRE(damon.write(kNrContexts, "1"));  // nowhere to show them
  REQUIRE(damon.write(kState, "update_schemes_tried_regions"));
  REQUIRE(damon.write(kNrContexts, "0"));
  CHECK(errno_of(damon.write(kState, "update_schemes_tried_regions")) == EINVAL);
}

TEST_CASE("the kernel's own tuning shows when asked for", "[fake_damon]") {
  FakeDamon damon(Kernel::k6_15);
  REQUIRE(damon.start_foreign() > 0);
  damon.set_regions({make_region(0, 4096, 20, 9)});
  damon.kernel().tune(0, 14'000, 280'000);
  CHECK(damon.kernel().regions->front().age == 4);
  CHECK(damon.content(kSampleUs) == "7000");
  REQUIRE(damon.write(kState, "update_tuned_intervals"));
  CHECK(damon.content(kSampleUs) == "14000");
}

TEST_CASE("faults are for the program under test", "[fake_damon]") {
  FakeDamon damon(Kernel::k6_12);
  REQUIRE(damon.stage_foreign());
  SECTION("the lock is held") {
    damon.busy(2, 1);
    CHECK(damon.read(kState));
    CHECK(damon.read(kNr));  // takes no lock
    CHECK(failed_with(damon.read(kPid), EBUSY));
    CHECK(damon.foreign_write(kNrContexts, "1"));
    CHECK(failed_with(damon.write(kNrContexts, "1"), EBUSY));
    CHECK(damon.write(kNrContexts, "1"));
  }
  SECTION("files vanish") {
    damon.vanish(FakeDamon::admin("0"));
    CHECK(failed_with(damon.read(kState), ENOENT));
    CHECK(damon.list(kKdamonds).value() == std::vector<std::string>{"nr_kdamonds"});
    damon.restore_vanished();
    CHECK(damon.read(kState));
  }
  SECTION("one file fails") {
    damon.fail(kSampleUs, ENOMEM, 1);
    CHECK(failed_with(damon.write(kSampleUs, "9000"), ENOMEM));
    CHECK(damon.content(kSampleUs) == "7000");
    CHECK(damon.write(kSampleUs, "9000"));
  }
  SECTION("the program has gone") {
    const size_t writes = damon.journal.size();
    damon.cut_off();
    CHECK(failed_with(damon.write(kSampleUs, "9000"), EIO));
    CHECK(damon.journal.size() == writes);
    damon.reconnect();
    CHECK(damon.write(kSampleUs, "9000"));
  }
}

TEST_CASE("another program comes between", "[fake_damon]") {
  FakeDamon damon(Kernel::k6_12);
  damon.before_write = [](FakeDamon& kernel, const std::string& path, const std::string&) {
    if (path == kNr) kernel.start_foreign();
  };
  CHECK(failed_with(damon.write(kNr, "1"), EBUSY));
  CHECK(damon.nr_writes() == 1);
  CHECK(damon.kernel().running(0)->foreign);
}

TEST_CASE("records are written while they are on", "[fake_events]") {
  const auto script = std::make_shared<EventsScript>();
  {
    FakeEvents events(script);
    script->push_aggregation(5, {make_region(0, 4096, 3, 1)});
    CHECK(events.drain().records.empty());
    REQUIRE(events.enable());
    script->push_aggregation(6, {make_region(0, 4096, 3, 1), make_region(4096, 8192, 0, 2)});
    const AggregatedEvents::Drained drained = events.drain();
    REQUIRE(drained.records.size() == 2);
    CHECK(drained.records[1].nr_regions == 2);
    CHECK(drained.records[1].time_ns == 6);
    CHECK(events.drain().records.empty());
  }
  CHECK(script->nr_destroyed == 1);
}

}  // namespace
}  // namespace damon_statfs::test
