// SPDX-License-Identifier: GPL-2.0-or-later
//
// Options that change nothing are named, once; those that are of use are not.
#include "engine/unused_options.h"

#include <fmt/format.h>

#include "mount/option_table.h"
#include "unit/engine/engine_run.h"

namespace damon_statfs::test {
namespace {

std::string text_for(const std::string& ops, std::set<std::string, std::less<>> asked_for,
                     EstimatorChoice estimator = EstimatorChoice::kAuto) {
  EngineConfig config;
  config.asked_for = std::move(asked_for);
  config.estimator = estimator;
  const OperationsRegistry registry = built_in_operations();
  const OperationsSet& set = *registry.find(ops);
  return unused_options_text(
      set, config, estimator != EstimatorChoice::kRegions && default_estimator(set) == "pages");
}

TEST_CASE("a page sample has no regions", "[unused_options]") {
  CHECK(text_for("sim", {"min_nr_regions", "max_nr_regions", "sample_us"}) ==
        "max_nr_regions=, min_nr_regions=: no effect with estimator=pages");
  CHECK(text_for("page_idle", {"min_nr_regions"}, EstimatorChoice::kPages) ==
        "min_nr_regions=: no effect with estimator=pages");
  CHECK(text_for("sim", {"regions"}) == "regions=: no effect with estimator=pages");
  CHECK(text_for("sim", {"min_nr_regions", "regions"}, EstimatorChoice::kRegions).empty());
  CHECK(text_for("sim", {"sample_us", "ram", "max_cpu", "seed", "ops"}).empty());
  CHECK(text_for("sim", {}).empty());
}

TEST_CASE("what the kernel decides by itself", "[unused_options]") {
  CHECK(text_for("damon_stat", {"max_cpu", "ram", "enabled", "abi"}) ==
        "max_cpu=, ram=: no effect with ops=damon_stat");
  CHECK(text_for("observe", {"sample_us", "kdamond", "update_us"}) ==
        "sample_us=: no effect with ops=observe");
  CHECK(text_for("kdamond", {"sample_us", "min_nr_regions", "ram"}).empty());
  CHECK(text_for("kdamond", {"regions"}) == "regions=: no effect with ops=kdamond");
  CHECK(text_for("kdamond", {"seed"}) == "seed=: no effect with ops=kdamond");
}

TEST_CASE("whatever is said to be of no use is an option", "[unused_options]") {
  std::string known;
  for (const Option& option : all_options()) known += std::string(" ") + option.name + " ";
  const OperationsRegistry registry = built_in_operations();
  for (const OperationsSet& set : registry.sets()) {
    for (const std::string_view word : set.unused_options) {
      CAPTURE(set.name, word);
      CHECK(known.find(fmt::format(" {} ", word)) != std::string::npos);
    }
  }
}

TEST_CASE("the log names them once, whatever is switched", "[unused_options]") {
  EngineRun run("sim");
  run.config.asked_for = {"min_nr_regions"};
  Engine& engine = run.make();
  for (int round = 0; round < 3; ++round) {
    REQUIRE(engine.start());
    REQUIRE(run.becomes(EngineState::kOn));
    engine.request_stop();
    REQUIRE(run.becomes(EngineState::kOff));
  }
  CHECK(run.log.count(LogLevel::kWarning, "min_nr_regions=: no effect with estimator=pages") == 1);
}

}  // namespace
}  // namespace damon_statfs::test
