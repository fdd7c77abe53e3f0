// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a running daemon answers: its status as of now, and a change of options, which is taken over
// as a whole or refused.
#include "mount/ioctl_answers.h"

#include <cerrno>
#include <nlohmann/json.hpp>

#include "support/captured_log.h"
#include "support/catch.h"
#include "support/fake_clock.h"
#include "support/fake_operations.h"
#include "support/fake_switch.h"

namespace damon_statfs::test {
namespace {

class FakeSettings final : public MonitoringSettings {
 public:
  bool change(const RunSettings& settings) override {
    if (!busy) taken.push_back(settings);
    return !busy;
  }

  bool busy = false;
  std::vector<RunSettings> taken;
};

struct AnswersRun {
  // Returns: the answers so far, each with a "." behind it.
  std::string change(std::string_view words) {
    answers.change_options(this, words,
                           [this](const std::string& refusal) { answered += refusal + "."; });
    return answered;
  }

  Options options = [] {
    Options of_sim;
    of_sim.engine.ops = "sim";
    return of_sim;
  }();
  FakeSwitch engine;
  FakeSettings settings;
  EnabledFile enabled{engine};
  FakeClock clock;
  Logging logging{false};
  CapturedLog log;
  IoctlAnswers answers{options, {engine, settings, enabled}, clock, logging};
  std::string answered;
};

TEST_CASE("the status is that of the newest snapshot, and of now", "[ioctl_answers]") {
  AnswersRun run;
  const auto status = [&] { return nlohmann::json::parse(run.answers.status()); };
  CHECK(status()["mountpoint"] == "");
  CHECK(status()["state"] == "off");
  CHECK(status()["uptime_s"] == 0.0);
  CHECK(status()["last_error"].is_null());
  run.answers.set_mountpoint("/run/damon_stat");
  run.engine.become(EngineState::kOn);
  CHECK(status()["mountpoint"] == "/run/damon_stat");
  CHECK(status()["state"] == "on");
  CHECK(status()["operations_set"] == "sim");
}

TEST_CASE("settings are handed to the engine when they differ, and logged", "[ioctl_answers]") {
  AnswersRun run;
  CHECK(run.change("max_cpu=1,refresh_ms=5000") == ".");
  CHECK(run.settings.taken.empty());
  CHECK(run.log.take().empty());
  CHECK(run.change("max_cpu=2.5") == "..");
  REQUIRE(run.settings.taken.size() == 1);
  CHECK(run.settings.taken[0].max_cpu_percent == 2.5);
  CHECK(run.log.take() ==
        "info: options changed: max_cpu=2.5, refresh_ms=5000, access_bp=400, aggrs=3, "
        "min_sample_us=5000, max_sample_us=10000000\n");
  // They are in force: the same words change nothing, others keep them.
  CHECK(run.change("max_cpu=2.5") == "...");
  CHECK(run.settings.taken.size() == 1);
  run.change("refresh_ms=100");
  REQUIRE(run.settings.taken.size() == 2);
  CHECK(run.settings.taken[1].max_cpu_percent == 2.5);
  CHECK(run.settings.taken[1].refresh_ms == 100);
}

TEST_CASE("what is refused changes nothing", "[ioctl_answers]") {
  AnswersRun run;
  CHECK(run.change("max_cpu=2,enabled=Y,abi=7.2").find("abi=7.2: cannot change") == 0);
  CHECK(run.settings.taken.empty());
  CHECK(run.engine.take_calls().empty());
  run.answered.clear();
  run.settings.busy = true;
  CHECK(run.change("max_cpu=2,enabled=Y") ==
        "the engine is still busy with the change before; try again.");
  CHECK(run.engine.take_calls().empty());
  CHECK(run.log.take().empty());
  run.settings.busy = false;
  run.change("max_cpu=2");
  CHECK(run.settings.taken.size() == 1);  // it was not in force
}

TEST_CASE("enabled= is answered when the switch is done, or has failed", "[ioctl_answers]") {
  AnswersRun run;
  CHECK(run.change("max_cpu=2,enabled=Y").empty());
  CHECK(run.settings.taken.size() == 1);
  CHECK(run.engine.take_calls() == "start ");
  run.engine.become(EngineState::kOff, EBUSY);
  run.enabled.engine_changed();
  CHECK(run.answered == "enabled=Y: Device or resource busy; the log says more.");
  run.answered.clear();
  CHECK(run.change("enabled=N") == ".");  // it is off
  CHECK(run.change("enabled=Y") == ".");
  run.enabled.interrupt(&run);
  CHECK(run.answered == ".enabled=Y: Interrupted system call; the log says more.");
}

}  // namespace
}  // namespace damon_statfs::test
