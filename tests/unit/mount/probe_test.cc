// SPDX-License-Identifier: GPL-2.0-or-later
//
// --probe for people and for scripts: the same answers in both, and a last line that says what
// ops=auto would do with them.
#include "mount/probe.h"

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <sstream>

#include "support/catch.h"
#include "support/fake_mirror.h"
#include "support/fake_operations.h"

namespace damon_statfs::test {
namespace {

constexpr EstimatorChoice kAuto = EstimatorChoice::kAuto;

const OperationsSet kBitmap = [] {
  OperationsSet set = fake_operations("bitmap");
  set.factories = {};
  set.add_factory<PageChecks>(
      [](const OperationsContext&) -> std::unique_ptr<PageChecks> { return nullptr; });
  return set;
}();
const OperationsSet kStat = [] {
  OperationsSet set = fake_mirror();
  set.name = "stat";
  return set;
}();
const OperationsSet kManual = fake_operations("manual", false);

const ProbedSet kUsableBitmap{&kBitmap, std::string("/b, 4 MiB")};
const ProbedSet kNoBitmap{&kBitmap, failure(ENODEV, "/b: missing; the kernel is built without it")};
const ProbedSet kBusyStat{&kStat, failure(EBUSY, "/s: another program has it")};
const ProbedSet kUsableManual{&kManual, std::string("what it is told")};

TEST_CASE("the table: aligned columns, the text last, then what auto would choose", "[probe]") {
  const std::vector<ProbedSet> probed = {kUsableBitmap, kBusyStat, kUsableManual};
  CHECK(probe_table(probed, kAuto) ==
        "SET     USABLE  ESTIMATOR  USES, OR WHY NOT\n"
        "bitmap  yes     pages      /b, 4 MiB\n"
        "stat    no      kernel     /s: another program has it\n"
        "manual  yes     regions    what it is told\n"
        "\n"
        "estimator=auto takes pages where single pages can be sampled, else regions\n"
        "ops=auto would choose bitmap\n");
}

TEST_CASE("the table's last line when auto has nothing", "[probe]") {
  const auto last_line = [](const std::vector<ProbedSet>& probed) {
    const std::string table = probe_table(probed, kAuto);
    return table.substr(table.find("ops=auto would"));
  };
  CHECK(last_line({kNoBitmap}) ==
        "ops=auto would choose nothing and fail with ENODEV (No such device)\n");
  CHECK(last_line({kNoBitmap, kBusyStat}) ==
        "ops=auto would choose nothing and fail with EBUSY (Device or resource busy)\n");
  CHECK(last_line({kNoBitmap, kUsableManual}) ==
        "ops=auto would choose nothing and fail with ENODEV (No such device); it never\n"
        "  chooses manual\n");
  CHECK(last_line({}) == "ops=auto would choose nothing and fail with ENODEV (No such device)\n");
}

TEST_CASE("long texts go on in their column, and no line has more than 80", "[probe]") {
  const std::string reason =
      "/sys/kernel/tracing/events/damon/damon_aggregated_with_a_longer_name/id: not there, tracefs "
      "is not mounted";
  const std::vector<ProbedSet> probed = {{&kBitmap, failure(ENODEV, reason)}, kUsableManual};
  const std::string table = probe_table(probed, kAuto);
  CHECK(table.starts_with(
      "SET     USABLE  ESTIMATOR  USES, OR WHY NOT\n"
      "bitmap  no      pages      /sys/kernel/tracing/events/damon/\n"
      "                           damon_aggregated_with_a_longer_name/id: not there,\n"
      "                           tracefs is not mounted\n"
      "manual  yes     regions    what it is told\n"));
  for (const size_t bytes : {53, 54, 79, 80, 81, 5'000}) {
    const std::string odd(bytes, 'r');
    std::istringstream lines(
        probe_table(std::vector<ProbedSet>{{&kBitmap, failure(ENODEV, odd + " " + odd)}}, kAuto));
    size_t nr_found = 0;
    for (std::string line; std::getline(lines, line);) {
      CHECK(line.size() <= 80);
      nr_found += static_cast<size_t>(std::count(line.begin(), line.end(), 'r'));
    }
    CHECK(nr_found > 2 * bytes);
  }
}

TEST_CASE("a path cannot reach the terminal or break the table", "[probe]") {
  const std::vector<ProbedSet> probed = {
      {&kBitmap, std::string("/a\nops=auto would choose x\xc2\x9b")},
      {&kStat, failure(ENODEV, "/\x1b[2J\x7f\xe2\x80\xae: missing")}};
  const std::string table = probe_table(probed, kAuto);
  CHECK(table.find("/a\\x0aops=auto would choose x\\xc2\\x9b\n") != std::string::npos);
  CHECK(table.find("/\\x1b[2J\\x7f\\xe2\\x80\\xae: missing\n") != std::string::npos);
  for (const char byte : probe_json(probed, kAuto))
    CHECK((byte == '\n' || (byte >= ' ' && byte < 0x7f)));
}

TEST_CASE("json: what applies, and null for what does not", "[probe]") {
  using Json = nlohmann::json;
  const std::vector<ProbedSet> probed = {kNoBitmap, kBusyStat, kUsableManual};
  const Json sets = {{{"set", "bitmap"},
                      {"usable", false},
                      {"estimator", "pages"},
                      {"uses", nullptr},
                      {"reason", "/b: missing; the kernel is built without it"},
                      {"errno", "ENODEV"}},
                     {{"set", "stat"},
                      {"usable", false},
                      {"estimator", "kernel"},
                      {"uses", nullptr},
                      {"reason", "/s: another program has it"},
                      {"errno", "EBUSY"}},
                     {{"set", "manual"},
                      {"usable", true},
                      {"estimator", "regions"},
                      {"uses", "what it is told"},
                      {"reason", nullptr},
                      {"errno", nullptr}}};
  CHECK(Json::parse(probe_json(probed, kAuto)) == Json{{"auto", nullptr}, {"sets", sets}});
  const std::vector<ProbedSet> usable = {kNoBitmap, kUsableBitmap};
  CHECK(Json::parse(probe_json(usable, kAuto))["auto"] == "bitmap");
}

TEST_CASE("estimator= counts: what is left, and which estimator goes with it", "[probe]") {
  const std::vector<ProbedSet> probed = {{&kStat, std::string("/s")}, kUsableBitmap, kUsableManual};
  const auto asked = [&](EstimatorChoice estimator) {
    std::vector<ProbedSet> fitting = probed;
    for (ProbedSet& row : fitting) row = fit_estimator(row, estimator);
    return std::pair(nlohmann::json::parse(probe_json(fitting, estimator)),
                     probe_table(fitting, estimator));
  };
  const auto [pages, table] = asked(EstimatorChoice::kPages);
  CHECK(pages["auto"] == "bitmap");
  CHECK(pages["sets"][0]["reason"] == "estimator=pages: stat delivers regions");
  CHECK(pages["sets"][0]["errno"] == "EINVAL");
  CHECK(pages["sets"][1]["estimator"] == "pages");
  CHECK(pages["sets"][2]["usable"] == false);
  CHECK(table.ends_with("\n\nops=auto,estimator=pages would choose bitmap\n"));

  const auto regions = asked(EstimatorChoice::kRegions).first;
  CHECK(regions["auto"] == "stat");
  CHECK(regions["sets"][0]["estimator"] == "kernel");
  CHECK(regions["sets"][1]["estimator"] == "regions");
  CHECK(asked(kAuto).first["sets"][1]["estimator"] == "pages");
}

// A busy set that estimator=pages cannot use does not make it busy.
TEST_CASE("estimator=pages without pages fails as page sets fail", "[probe]") {
  const auto fitting =
      std::vector<ProbedSet>{fit_estimator(kBusyStat, EstimatorChoice::kPages),
                             fit_estimator(kNoBitmap, EstimatorChoice::kPages)};
  CHECK(
      probe_table(fitting, EstimatorChoice::kPages)
          .ends_with("ops=auto,estimator=pages would choose nothing and fail with ENODEV (No such\n"
                     "  device)\n"));
}

TEST_CASE("json: what grep finds", "[probe]") {
  const std::string nothing = probe_json(std::vector<ProbedSet>{kNoBitmap}, kAuto);
  CHECK(nothing.find("\n  \"auto\": null,\n") != std::string::npos);
  // A reason that quotes the same words is not taken for them.
  const ProbedSet quoting{&kStat, failure(ENODEV, "\"auto\": null")};
  const std::string usable = probe_json(std::vector<ProbedSet>{quoting, kUsableBitmap}, kAuto);
  CHECK(usable.find("\"auto\": null") == std::string::npos);
}

TEST_CASE("json: any bytes, and errors without a name", "[probe]") {
  const std::vector<ProbedSet> probed = {{&kBitmap, failure(ENODEV, "/\xff: missing")},
                                         {&kStat, failure(9999, "\x1b[31m\n")}};
  const auto sets = nlohmann::json::parse(probe_json(probed, kAuto))["sets"];
  CHECK(sets[0]["reason"] == "/\xef\xbf\xbd: missing");
  CHECK(sets[1]["errno"] == "9999");
}

}  // namespace
}  // namespace damon_statfs::test
