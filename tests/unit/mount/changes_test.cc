// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which words of a remount change what, which change nothing, and which are refused.
#include "mount/changes.h"

#include <cerrno>

#include "support/catch.h"
#include "support/fake_operations.h"

namespace damon_statfs::test {
namespace {

Options in_force() {
  Options options;
  options.engine.ops = "sim";
  options.context.sim = {{4096, kNsPerMs}};
  return options;
}

Result<Changes> changes_by(std::string_view words) { return parse_changes(in_force(), words); }

TEST_CASE("no words change nothing, nor does what is so already", "[changes]") {
  const RunSettings before = run_settings(in_force());
  for (const char* words : {"", ",", "max_cpu=1", "ops=sim,abi=6.17,seed=0,refresh_ms=5000"}) {
    const Result<Changes> changes = changes_by(words);
    REQUIRE(changes);
    CHECK(run_settings(changes.value().options) == before);
    CHECK_FALSE(changes.value().enabled);
  }
}

TEST_CASE("what may change while it is mounted", "[changes]") {
  const Result<Changes> changes = changes_by(
      "max_cpu=2.5,refresh_ms=100,access_bp=500,aggrs=4,min_sample_us=1000,max_sample_us=2000,"
      "enabled=Y,max_cpu=3");
  REQUIRE(changes);
  const RunSettings settings = run_settings(changes.value().options);
  CHECK(settings.max_cpu_percent == 3);  // of two the last one holds
  CHECK(settings.refresh_ms == 100);
  CHECK(settings.goal.access_bp == 500);
  CHECK(settings.goal.aggrs == 4);
  CHECK(settings.goal.min_sample_us == 1'000);
  CHECK(settings.goal.max_sample_us == 2'000);
  CHECK(changes.value().enabled == true);
  CHECK(changes_by("enabled=N").value().enabled == false);
}

TEST_CASE("what may not, and what is no option, is named", "[changes]") {
  const auto refusal = [](const char* words) {
    const Result<Changes> changes = changes_by(words);
    REQUIRE_FALSE(changes);
    CHECK(changes.error().code.value() == EINVAL);
    return changes.error().context;
  };
  for (const char* word :
       {"abi=7.2", "ops=page_idle", "seed=1", "estimator=regions", "regions=kernel",
        "sample_us=6000", "sim=8K@1ms", "rootfs=/x", "damon_stat=yield"}) {
    CAPTURE(word);
    CHECK(refusal(word).find(std::string(word) + ": cannot change while it is mounted") == 0);
  }
  CHECK(refusal("nonsense=1") == "nonsense=1: unknown option");
  CHECK(refusal("max_cpu=2,nonsense") == "nonsense: unknown option");
  CHECK(refusal("max_cpu=0").find("max_cpu=0: max_cpu= takes") == 0);
  CHECK(refusal("max_cpu").find("max_cpu: max_cpu= takes") == 0);
  CHECK(refusal("min_sample_us=3000,max_sample_us=2000").find("min_sample_us") !=
        std::string::npos);
}

TEST_CASE("more than an ioctl takes is refused without asking a daemon", "[changes]") {
  const Result<void> changed = change_options("/nonexistent", std::string(100'000, 'x'));
  REQUIRE_FALSE(changed);
  CHECK(changed.error().code.value() == E2BIG);
}

}  // namespace
}  // namespace damon_statfs::test
