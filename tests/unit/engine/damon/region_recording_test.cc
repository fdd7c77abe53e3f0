// SPDX-License-Identifier: GPL-2.0-or-later
//
// When events are recorded and how often they are polled: around a refresh and not all the time.
#include "engine/damon/region_recording.h"

#include <cerrno>
#include <memory>

#include "damon_statfs/clock.h"
#include "engine/base/kernel_files.h"
#include "support/catch.h"
#include "support/fake_events.h"
#include "unit/engine/regions/region_lists.h"

namespace damon_statfs::test {
namespace {

constexpr int64_t kWindowNs = 100 * kNsPerMs;
constexpr int64_t kNowNs = 1'000 * kNsPerSecond;

struct Run {
  std::shared_ptr<EventsScript> script = std::make_shared<EventsScript>();
  RegionRecording recording{std::make_unique<FakeEvents>(script), 0};

  void aggregate(int64_t time_ns) {
    script->push_aggregation(time_ns, {make_region(0, 4096, 0, 9), make_region(4096, 8192, 5, 0)});
  }
};

TEST_CASE("the pause between two polls is half of an aggregation", "[region_recording]") {
  CHECK(RegionRecording::pause_ns(kWindowNs) == kWindowNs / 2);
  CHECK(RegionRecording::pause_ns(1) == 10 * kNsPerMs);
  CHECK(RegionRecording::pause_ns(INT64_MAX) == kNsPerSecond);
  CHECK(RegionRecording::pause_ns(0) == 50 * kNsPerMs);
}

TEST_CASE("recording begins once, and gives aggregations", "[region_recording]") {
  Run run;
  CHECK_FALSE(run.recording.recording());
  CHECK(run.recording.begin(kNowNs, 7).value());
  CHECK(run.recording.recording());
  CHECK(run.recording.due_ns() == kNowNs + 7);
  CHECK_FALSE(run.recording.begin(kNowNs + 7, 7).value());
  CHECK(run.script->nr_enabled == 1);
  CHECK_FALSE(run.recording.poll(kNowNs + 7, kWindowNs));
  CHECK(run.recording.due_ns() == kNowNs + 7 + kWindowNs / 2);
  run.aggregate(kNowNs + 10);
  run.aggregate(kNowNs + 10 + 2 * kWindowNs);
  const std::optional<RegionSnapshot> snapshot = run.recording.poll(kNowNs + kWindowNs, kWindowNs);
  REQUIRE(snapshot);
  CHECK(snapshot->window_ns == 2 * kWindowNs);
  CHECK(run.recording.due_ns() == kNowNs + 2 * kWindowNs);  // by what was measured
}

TEST_CASE("pauses grow while it is not known how long an aggregation is", "[region_recording]") {
  Run run;
  int64_t now_ns = kNowNs;
  REQUIRE(run.recording.begin(now_ns, RegionRecording::pause_ns(0)));
  int64_t pause_ns = 50 * kNsPerMs;
  for (int polls = 0; polls < 8; ++polls) {
    CHECK(run.recording.due_ns() == now_ns + pause_ns);
    now_ns = run.recording.due_ns();
    CHECK_FALSE(run.recording.poll(now_ns, 0));
    pause_ns = std::min(2 * pause_ns, kNsPerSecond);
  }
}

TEST_CASE("recording rests if the next aggregation is far away", "[region_recording]") {
  Run run;
  REQUIRE(run.recording.begin(kNowNs, kWindowNs));
  run.recording.rest_until(kNowNs + 2 * kWindowNs, kNowNs, kWindowNs);
  CHECK(run.recording.recording());
  run.recording.rest_until(INT64_MAX, INT64_MAX - 5, INT64_MAX);
  CHECK(run.recording.recording());
  run.recording.rest_until(kNowNs + 2 * kWindowNs + 1, kNowNs, kWindowNs);
  CHECK_FALSE(run.recording.recording());
  CHECK(run.script->nr_disabled == 1);
}

TEST_CASE("events that cannot be switched on are an error", "[region_recording]") {
  Run run;
  run.script->enable_errno = EACCES;
  CHECK(failed_with(run.recording.begin(kNowNs, kWindowNs), EACCES));
  CHECK_FALSE(run.recording.recording());
  run.script->enable_errno = 0;
  CHECK(run.recording.begin(kNowNs, kWindowNs).value());
}

TEST_CASE("the next refresh", "[region_recording]") {
  CHECK(next_refresh_ns(5'000, kNowNs) == kNowNs + 5'020 * kNsPerMs);
}

}  // namespace
}  // namespace damon_statfs::test
