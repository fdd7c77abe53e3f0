// SPDX-License-Identifier: GPL-2.0-or-later
//
// The table of figures: its names are the manual's and carry their units, and each circumstance
// under which a figure applies is met and missed once.
#include "mount/figures.h"

#include <fstream>
#include <regex>
#include <set>

#include "support/catch.h"

namespace damon_statfs {
namespace {

// The shares' names, which the manual may give once with N for the number.
std::string without_limit(const std::string& name) {
  return std::regex_replace(name, std::regex("_[0-9]+_"), "_N_");
}

// The words in italics on the lines behind .TP in the manual's section STATUS.
std::set<std::string> names_in_manual() {
  std::ifstream manual(DAMON_STATFS_MANUAL);
  std::set<std::string> names;
  std::string line, before;
  bool in_status = false;
  const std::regex name("[a-z][A-Za-z0-9_]*");
  for (; std::getline(manual, line); before = line) {
    if (line.starts_with(".SH ")) in_status = line == ".SH STATUS";
    const bool is_tag = before == ".TP" || before == ".TQ";
    if (!in_status || !is_tag || !line.starts_with(".I")) continue;
    const std::string words = line.substr(line.find(' '));
    for (std::sregex_iterator word(words.begin(), words.end(), name), end; word != end; ++word) {
      names.insert(without_limit(word->str()));
    }
  }
  return names;
}

TEST_CASE("the manual's section STATUS names the figures, and no others", "[figures]") {
  std::set<std::string> names;
  for (const Figure& figure : all_figures()) names.insert(without_limit(std::string(figure.name)));
  CHECK(names_in_manual() == names);
}

TEST_CASE("a name carries its unit and comes once, and help is a sentence", "[figures]") {
  std::set<std::string_view> names;
  for (const Figure& figure : all_figures()) {
    CAPTURE(figure.name);
    CHECK(names.insert(figure.name).second);
    CHECK((figure.unit == Unit::kBytes) == figure.name.ends_with("_bytes"));
    CHECK((figure.unit == Unit::kMicroseconds) == figure.name.ends_with("_us"));
    CHECK((figure.unit == Unit::kMilliseconds) == figure.name.ends_with("_ms"));
    CHECK((figure.unit == Unit::kSeconds) == figure.name.ends_with("_s"));
    CHECK((figure.unit == Unit::kPercent) == figure.name.ends_with("_percent"));
    CHECK((figure.unit == Unit::kCount) == figure.name.starts_with("nr_"));
    CHECK(figure.help.find('.') == figure.help.size() - 1);
    CHECK((figure.help[0] >= 'A' && figure.help[0] <= 'Z'));
  }
}

// Returns: the names of the figures that have a value.
std::set<std::string_view> known(const StatusFacts& facts) {
  std::set<std::string_view> names;
  tell_figures(facts, [&](const Figure& figure, const FigureValue& value) {
    if (!std::holds_alternative<std::monostate>(value)) names.insert(figure.name);
  });
  return names;
}

TEST_CASE("before the first start only the daemon itself is known", "[figures]") {
  CHECK(known({}) == std::set<std::string_view>{"version", "pid", "mountpoint", "uptime_s", "state",
                                                "operations_set", "cpu_s", "cpu_percent"});
}

TEST_CASE("each circumstance, met and missed", "[figures]") {
  const auto met = [](Applies when, void (*change)(StatusFacts&)) {
    StatusFacts facts;
    CHECK_FALSE(applies(when, facts));
    change(facts);
    CHECK(applies(when, facts));
  };
  CHECK(applies(Applies::kAlways, {}));
  met(Applies::kWhileEngineSamples, [](StatusFacts& facts) { facts.snapshot.status.tid = 7; });
  met(Applies::kWhileKdamondSamples, [](StatusFacts& facts) {
    facts.snapshot.status.tid = 7;
    facts.snapshot.status.is_kdamond = true;
    CHECK_FALSE(applies(Applies::kWhileEngineSamples, facts));
  });
  met(Applies::kWhileOn, [](StatusFacts& facts) {
    facts.snapshot.status.state = EngineState::kOn;
    CHECK_FALSE(applies(Applies::kWhileOn, facts));  // a mirror
    facts.snapshot.details.started_ns = 1;
  });
  met(Applies::kAfterStart,
      [](StatusFacts& facts) { facts.snapshot.details.estimator = "kernel"; });
  met(Applies::kAfterRefresh, [](StatusFacts& facts) { facts.snapshot.details.refreshed = true; });
  met(Applies::kOfPages, [](StatusFacts& facts) {
    facts.snapshot.details.by_estimator = PageDetails();
    CHECK_FALSE(applies(Applies::kOfRegions, facts));
  });
  met(Applies::kOfRegions, [](StatusFacts& facts) {
    facts.snapshot.details.by_estimator = RegionDetails();
    CHECK_FALSE(applies(Applies::kOfPages, facts));
  });
  met(Applies::kAfterError, [](StatusFacts& facts) { facts.last_error = "no luck"; });
}

TEST_CASE("a sink gets each row once, in order, with its value unrounded", "[figures]") {
  StatusFacts facts;
  facts.mountpoint = "/run/damon_stat";
  facts.now_ns = 1'234'567'891;
  facts.snapshot.details.refreshed = true;
  facts.snapshot.details.nr_dropped = 3;
  size_t row = 0;
  tell_figures(facts, [&](const Figure& figure, const FigureValue& value) {
    CHECK(&figure == &all_figures()[row++]);
    if (figure.name == "mountpoint") CHECK(value == FigureValue(facts.mountpoint));
    if (figure.name == "uptime_s") CHECK(value == FigureValue(1.234567891));
    if (figure.name == "nr_dropped") CHECK(value == FigureValue(uint64_t{3}));
  });
  CHECK(row == all_figures().size());
}

}  // namespace
}  // namespace damon_statfs
