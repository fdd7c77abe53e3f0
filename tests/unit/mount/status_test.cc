// SPDX-License-Identifier: GPL-2.0-or-later
//
// The status as JSON and as lines: what applies when, how an engine that hangs is told, and that
// nothing in it can make it too long for the ioctl.
#include "mount/status.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "damon_statfs/clock.h"
#include "damon_statfs/status_ioctl.h"
#include "damon_statfs/version.h"
#include "support/catch.h"

namespace damon_statfs {
namespace {

using Json = nlohmann::json;

StatusFacts facts_of_pages() {
  StatusFacts facts;
  facts.mountpoint = "/run/damon_stat";
  facts.ops = "auto";
  facts.snapshot.status.state = EngineState::kOn;
  facts.snapshot.status.tid = 4711;
  facts.snapshot.details = {.ops = "page_idle",
                            .estimator = "pages",
                            .started_ns = 60 * kNsPerSecond,
                            .monitored_bytes = 4096,
                            .refreshed = true,
                            .cpu_ns = 250 * kNsPerMs,
                            .sample_us = 5'000,
                            .aggr_us = 100'000,
                            .nr_checks = 1'000'000,
                            .nr_dropped = 3,
                            .share_percent = {12.34567, 50, 75},
                            .by_estimator = PageDetails{.untracked_bytes = 1024,
                                                        .unmapped_cache_bytes = 512,
                                                        .nr_pages = 20'000,
                                                        .check_period_ms = 500,
                                                        .share_error_percent = {0.25, 0.5, 0.75}}};
  facts.snapshot.alive_until_ns = 101 * kNsPerSecond;
  facts.started_ns = 50 * kNsPerSecond;
  facts.now_ns = 100 * kNsPerSecond;
  facts.cpu_ns = kNsPerSecond / 2;
  return facts;
}

TEST_CASE("everything that a sample of pages tells", "[status]") {
  const Json json = Json::parse(status_json(facts_of_pages()));
  CHECK(json["version"] == kProgramVersion);
  CHECK(json["mountpoint"] == "/run/damon_stat");
  CHECK(json["state"] == "on");
  CHECK(json["operations_set"] == "page_idle");
  CHECK(json["estimator"] == "pages");
  CHECK(json["engine_tid"] == 4711);
  CHECK(json["kdamond_pid"].is_null());  // it is no kdamond
  CHECK(json["uptime_s"] == 50.0);
  CHECK(json["monitoring_s"] == 40.0);
  CHECK(json["untracked_bytes"] == 1024);
  CHECK(json["unmapped_cache_bytes"] == 512);
  CHECK(json["nr_pages"] == 20'000);
  CHECK(json["nr_checks"] == 1'000'000);
  CHECK(json["nr_dropped"] == 3);
  CHECK(json["idle_below_1000_ms_percent"] == 12.346);
  CHECK(json["idle_below_60000_ms_error_percent"] == 0.75);
  CHECK(json["engine_cpu_s"] == 0.25);
  CHECK(json["cpu_s"] == 0.5);
  CHECK(json["cpu_percent"] == 1.0);
  for (const char* name : {"nr_regions", "last_error", "last_error_age_s"}) {
    CHECK(json[name].is_null());
  }
}

TEST_CASE("what does not apply is null, and no name comes or goes", "[status]") {
  const Json pages = Json::parse(status_json(facts_of_pages()));
  StatusFacts off;
  off.ops = "auto";
  const Json json = Json::parse(status_json(off));
  CHECK(json["state"] == "off");
  CHECK(json["operations_set"] == "auto");
  for (const char* name :
       {"estimator", "kdamond_pid", "engine_tid", "monitored_bytes", "nr_checks", "nr_pages",
        "idle_below_6000_ms_percent", "engine_cpu_s", "monitoring_s"}) {
    CHECK(json[name].is_null());
  }
  CHECK(json.size() == pages.size());
  for (const auto& member : pages.items()) CHECK(json.contains(member.key()));

  StatusFacts regions = facts_of_pages();
  regions.snapshot.details.estimator = "regions";
  regions.snapshot.details.by_estimator = RegionDetails{.nr_regions = 100};
  const Json of_regions = Json::parse(status_json(regions));
  CHECK(of_regions["nr_regions"] == 100);
  CHECK(of_regions["nr_pages"].is_null());
  CHECK(of_regions["idle_below_1000_ms_error_percent"].is_null());
}

// Checks that these members, and of the ones about monitoring no others, are known.
void check_known(const Json& json, const std::set<std::string>& known) {
  for (const char* name :
       {"kdamond_pid", "engine_tid", "monitored_bytes", "untracked_bytes", "unmapped_cache_bytes",
        "sample_us", "aggr_us", "nr_regions", "nr_pages", "check_period_ms", "nr_checks",
        "nr_dropped", "idle_below_1000_ms_percent", "idle_below_6000_ms_error_percent",
        "monitoring_s", "engine_cpu_s"}) {
    CAPTURE(name);
    CHECK(json[name].is_null() != (known.count(name) > 0));
  }
}

TEST_CASE("before the first refresh what is not known is null, not 0", "[status]") {
  for (const char* estimator : {"pages", "regions"}) {
    StatusFacts facts;
    facts.snapshot.status.state = EngineState::kOn;
    facts.snapshot.status.tid = 4711;
    facts.snapshot.details.ops = "page_idle";
    facts.snapshot.details.estimator = estimator;
    facts.snapshot.details.started_ns = 1;
    facts.snapshot.details.monitored_bytes = 4096;
    const Json on = Json::parse(status_json(facts));
    CHECK(on["operations_set"] == "page_idle");
    CHECK(on["estimator"] == estimator);
    check_known(on, {"engine_tid", "monitored_bytes", "monitoring_s"});

    // A start that has failed knows only what it was about.
    facts.snapshot.status = {};
    facts.snapshot.details.started_ns = 0;
    facts.snapshot.details.monitored_bytes = 0;
    check_known(Json::parse(status_json(facts)), {});
  }
}

TEST_CASE("a mirror says what it is, and what the kernel says", "[status]") {
  StatusFacts facts;
  facts.ops = "auto";
  facts.snapshot.status.state = EngineState::kOn;
  facts.snapshot.status.tid = 57;
  facts.snapshot.status.is_kdamond = true;
  facts.snapshot.details.ops = "damon_stat";
  facts.snapshot.details.estimator = "kernel";
  facts.snapshot.details.aggr_us = 200'000;
  const Json json = Json::parse(status_json(facts));
  CHECK(json["operations_set"] == "damon_stat");
  CHECK(json["estimator"] == "kernel");
  CHECK(json["kdamond_pid"] == 57);
  check_known(json, {"kdamond_pid", "aggr_us"});
}

TEST_CASE("of a kdamond: its checks are not ours to count", "[status]") {
  StatusFacts facts = facts_of_pages();
  facts.snapshot.status.is_kdamond = true;
  facts.snapshot.details.estimator = "regions";
  facts.snapshot.details.by_estimator = RegionDetails{.nr_regions = 100};
  facts.snapshot.details.nr_checks = 0;
  const std::set<std::string> known = {
      "kdamond_pid",  "monitored_bytes", "sample_us",
      "aggr_us",      "nr_regions",      "nr_dropped",
      "monitoring_s", "engine_cpu_s",    "idle_below_1000_ms_percent"};
  check_known(Json::parse(status_json(facts)), known);
  facts.snapshot.details.sample_us = 0;  // another program's, which does not tell
  std::set<std::string> of_others = known;
  of_others.erase("sample_us");
  check_known(Json::parse(status_json(facts)), of_others);
}

TEST_CASE("a share of a sample without pages is not known", "[status]") {
  StatusFacts facts = facts_of_pages();
  facts.snapshot.details.share_percent.fill(std::numeric_limits<double>::quiet_NaN());
  std::get<PageDetails>(facts.snapshot.details.by_estimator)
      .share_error_percent.fill(std::numeric_limits<double>::quiet_NaN());
  const Json json = Json::parse(status_json(facts));
  CHECK(json["idle_below_1000_ms_percent"].is_null());
  CHECK(json["idle_below_1000_ms_error_percent"].is_null());
  CHECK(json["nr_pages"] == 20'000);
}

TEST_CASE("an engine that has not kept its promise is stuck", "[status]") {
  StatusFacts facts = facts_of_pages();
  facts.now_ns = facts.snapshot.alive_until_ns;
  CHECK_FALSE(is_stuck(facts.snapshot, facts.now_ns));
  ++facts.now_ns;
  CHECK(is_stuck(facts.snapshot, facts.now_ns));
  CHECK(Json::parse(status_json(facts))["state"] == "stuck");
  CHECK_FALSE(is_stuck(Snapshot(), facts.now_ns));  // no thread has promised anything
}

TEST_CASE("it always fits into the ioctl, and is JSON", "[status]") {
  for (const char worst : {'\x01', '\xff', '"', '\n', 'x'}) {
    StatusFacts facts = facts_of_pages();
    const std::string longest(5'000, worst);
    facts.mountpoint = facts.ops = longest;
    facts.last_error = longest;
    facts.snapshot.details.ops = {};
    const std::string text = status_json(facts);
    CHECK(text.size() < sizeof(damon_statfs_status::json));
    CHECK(text.find('\n') == std::string::npos);
    CHECK(Json::parse(text).is_object());
  }
}

TEST_CASE("lines for people: a name and a value each, without what does not apply", "[status]") {
  StatusFacts facts = facts_of_pages();
  facts.last_error = "monitoring is off:\nno luck";
  facts.last_error_ns = 90 * kNsPerSecond;
  const std::vector<std::string> lines = status_lines(status_json(facts));
  const auto has = [&](const char* line) {
    return std::find(lines.begin(), lines.end(), line) != lines.end();
  };
  CHECK(has("operations_set: page_idle"));
  CHECK(has("nr_pages: 20000"));
  CHECK(has("last_error: monitoring is off:\\x0ano luck"));
  CHECK(has("last_error_age_s: 10.0"));
  for (const std::string& line : lines) CHECK(line.find("nr_regions") == std::string::npos);
  CHECK(status_lines("[1]").empty());
  CHECK(status_lines("junk").empty());
}

TEST_CASE("a backslash and text of any language are not changed in lines", "[status]") {
  StatusFacts facts = facts_of_pages();
  facts.mountpoint = "/run/back\\slash and größe";
  const std::vector<std::string> lines = status_lines(status_json(facts));
  CHECK(std::count(lines.begin(), lines.end(), "mountpoint: /run/back\\slash and größe") == 1);
}

// An unprivileged user's FUSE mount may pass for one of ours, and answer what it likes.
TEST_CASE("a foreign document cannot make lines of its own, or reach the terminal", "[status]") {
  const std::string foreign =
      "{\"state: on\\n\\u001b[2Jname\": 1, \"b\": \"\\u009b\\u202e\x7f\", \"deep\": " +
      std::string(10'000, '[') + std::string(10'000, ']') + "}";
  CHECK(status_lines(foreign) == std::vector<std::string>{"state: on\\x0a\\x1b[2Jname: 1",
                                                          "b: \\xc2\\x9b\\xe2\\x80\\xae\\x7f"});
  const std::string ascii = ascii_json(foreign);
  for (const char byte : ascii) CHECK((byte >= ' ' && byte < 0x7f));
  CHECK(Json::parse(ascii)["b"] == "\xc2\x9b\xe2\x80\xae\x7f");
  CHECK(ascii_json("[1]").empty());
  CHECK(ascii_json("junk").empty());
}

TEST_CASE("the daemon's own JSON is ASCII, with the same text in it", "[status]") {
  StatusFacts facts = facts_of_pages();
  facts.mountpoint = "/größe\x7f\xc2\x9b";
  const std::string json = status_json(facts);
  for (const char byte : json) CHECK((byte >= ' ' && byte < 0x7f));
  CHECK(Json::parse(json)["mountpoint"] == "/größe\x7f\xc2\x9b");
}

}  // namespace
}  // namespace damon_statfs
