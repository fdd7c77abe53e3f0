// SPDX-License-Identifier: GPL-2.0-or-later
//
// Another program's kdamond: the right one must be chosen, its time must not be wasted, its end
// must be noticed, and its ages, which are counted in windows, must become points in time.
#include "engine/damon/ops_observe.h"

#include <cerrno>
#include <filesystem>
#include <string>

#include "engine/base/wide.h"
#include "support/catch.h"
#include "support/fake_clock.h"
#include "support/fake_events.h"
#include "support/log_lines.h"
#include "support/stat_line.h"
#include "support/tree_fixture.h"
#include "unit/engine/regions/region_lists.h"

namespace damon_statfs::test {
namespace {

const std::string kEvent = "/sys/kernel/tracing/events/damon/damon_aggregated";
const std::string kKdamond = "/sys/kernel/mm/damon/admin/kdamonds/0";
constexpr int64_t kWindowNs = 100 * kNsPerMs;

// A machine with one kdamond, and the set that observes it.
struct Machine {
  TreeFixture tree{{"/proc/57/stat", stat_line(57, "kdamond.0", kKernelThread)},
                   {"/proc/80/stat", stat_line(80, "bash", kProgram)},
                   {"/proc/80/comm", "bash\n"}};
  FakeClock clock;
  LogLines lines;
  OperationsContext context;
  std::shared_ptr<EventsScript> script = std::make_shared<EventsScript>();
  int open_errno = 0;
  pid_t opened_pid = -1;
  uint64_t opened_nr_regions = 0;
  std::optional<ObserveOperations> operations;

  int64_t window_ns = kWindowNs;
  int64_t next_end_ns = clock.now_ns() + kWindowNs;
  std::vector<Region> regions = {make_region(0, 4096, 0, 9), make_region(4096, 8192, 5, 0)};
  int64_t recorded_ns = 0;

  Machine() {
    tree.write(kEvent + "/id", "734\n");
    context.rootfs = tree.root();
    context.clock = &clock;
    context.log = lines.sink();
  }

  Result<std::vector<AddressRange>> open() {
    operations.emplace(
        context, std::make_shared<RootedKernelFiles>(tree.root()),
        [this](pid_t pid, uint64_t max_nr_regions) -> Result<std::unique_ptr<AggregatedEvents>> {
          opened_pid = pid;
          opened_nr_regions = max_nr_regions;
          if (open_errno != 0) return failure(open_errno, "scripted error in open");
          return std::unique_ptr<AggregatedEvents>(std::make_unique<FakeEvents>(script));
        });
    return operations->open();
  }

  // Lets the kdamond aggregate until the set wants to be called, and calls it.
  Result<std::optional<Aggregation>> step() {
    const int64_t before_ns = clock.now_ns();
    clock.wait_until(operations->collect_due_ns(), -1);
    if (script->enabled) recorded_ns += clock.now_ns() - before_ns;
    for (; next_end_ns <= clock.now_ns(); next_end_ns += window_ns) {
      script->push_aggregation(next_end_ns, regions);
    }
    return operations->collect();
  }

  // The first aggregation within ten minutes.
  std::optional<Aggregation> next() {
    const int64_t limit_ns = clock.now_ns() + 600 * kNsPerSecond;
    while (clock.now_ns() < limit_ns) {
      auto collected = step();
      REQUIRE(collected);
      if (collected.value()) return collected.value();
    }
    return std::nullopt;
  }
};

Error error_of(const Result<std::vector<AddressRange>>& opened) {
  REQUIRE_FALSE(opened);
  return opened.error();
}

bool names(const Error& error, const std::string& part) {
  CAPTURE(error.context);
  return error.context.find(part) != std::string::npos;
}

TEST_CASE("the only kdamond is observed", "[ops_observe]") {
  Machine machine;
  REQUIRE(machine.open());
  CHECK(machine.opened_pid == 57);
  CHECK(machine.opened_nr_regions == 1'000);
  CHECK(machine.operations->facts().kdamond_pid == 57);
  CHECK(machine.lines.count(LogLevel::kInfo, "kdamond.0 (pid 57)") == 1);
  CHECK(machine.script->nr_enabled == 0);
  CHECK(machine.operations->update().value().empty());
  machine.operations->close();
  CHECK(machine.script->nr_destroyed == 1);
}

TEST_CASE("no kdamond, or several", "[ops_observe]") {
  Machine machine;
  machine.tree.write("/proc/91/stat", stat_line(91, "kdamond.1", kKernelThread));
  const Error several = error_of(machine.open());
  CHECK(several.code.value() == EINVAL);
  for (const char* const part : {"57", "91", "kdamond=PID"}) CHECK(names(several, part));
  machine.context.kdamond_pid = 91;
  REQUIRE(machine.open());
  CHECK(machine.opened_pid == 91);

  Machine none;
  none.tree.remove("/proc/57/stat");
  CHECK(error_of(none.open()).code.value() == ENODEV);
}

TEST_CASE("a pid that is no kdamond's", "[ops_observe]") {
  Machine machine;
  machine.context.kdamond_pid = 80;
  const Error program = error_of(machine.open());
  CHECK(program.code.value() == EINVAL);
  CHECK(names(program, "80"));
  CHECK(names(program, "bash"));
  machine.context.kdamond_pid = 81;
  CHECK(error_of(machine.open()).code.value() == ESRCH);
}

TEST_CASE("virtual addresses are refused", "[ops_observe]") {
  Machine machine;
  machine.tree.write("/sys/kernel/mm/damon/admin/kdamonds/nr_kdamonds", "1\n");
  machine.tree.write(kKdamond + "/pid", "57\n");
  machine.tree.write(kKdamond + "/contexts/0/operations", "vaddr\n");
  const Error refused = error_of(machine.open());
  CHECK(refused.code.value() == EINVAL);
  CHECK(names(refused, "/contexts/0/operations is vaddr"));
  machine.tree.write(kKdamond + "/contexts/0/operations", "paddr\n");
  machine.tree.write(kKdamond + "/contexts/0/monitoring_attrs/nr_regions/max", "4000\n");
  REQUIRE(machine.open());
  CHECK(machine.opened_nr_regions == 4'000);
  machine.tree.write(kKdamond + "/pid", "-1\n");  // set up, but not the one that runs
  machine.tree.write(kKdamond + "/contexts/0/operations", "vaddr\n");
  CHECK(machine.open());
}

TEST_CASE("no tracing, no rights", "[ops_observe]") {
  Machine machine;
  machine.open_errno = EACCES;
  CHECK(error_of(machine.open()).code.value() == EACCES);
  machine.tree.remove(kEvent + "/id");
  const Error missing = error_of(machine.open());
  CHECK(missing.code.value() == ENODEV);
  CHECK(names(missing, kEvent + "/id"));
}

TEST_CASE("ages become points in time", "[ops_observe]") {
  Machine machine;
  REQUIRE(machine.open());
  const auto aggregation = machine.next();
  REQUIRE(aggregation);
  const int64_t ended_ns = machine.next_end_ns - kWindowNs;
  REQUIRE(aggregation->regions.size() == 2);
  CHECK(aggregation->regions[0].since_ns == ended_ns - 10 * kWindowNs);
  CHECK(aggregation->regions[1].since_ns == ended_ns - kWindowNs);
  CHECK(aggregation->regions[1].nr_accesses == 5);
  CHECK(aggregation->aggr_us == 100'000);

  machine.window_ns = 200 * kNsPerSecond;
  machine.regions[0].age = ~uint32_t{0};  // longer than 64 bits of nanoseconds
  REQUIRE(machine.next());
  const auto old = machine.next();
  REQUIRE(old);
  CHECK(old->regions[0].since_ns < -kFarNs / 10 * 9);
}

TEST_CASE("records are asked for when a refresh is due, and only then", "[ops_observe]") {
  Machine machine;
  REQUIRE(machine.open());
  const int64_t begun_ns = machine.clock.now_ns();
  for (int i = 1; i <= 20; ++i) {
    REQUIRE(machine.next());
    CHECK_FALSE(machine.script->enabled);
    CHECK(machine.clock.now_ns() >= begun_ns + i * 5 * kNsPerSecond);
  }
  // Two windows each: one for the beginning of the other.
  CHECK(machine.clock.now_ns() - begun_ns < 20 * (5 * kNsPerSecond + 5 * kWindowNs / 2));
  CHECK(machine.recorded_ns <= 20 * 2 * kWindowNs);
  CHECK(machine.script->nr_drained <= 20 * 4);
}

TEST_CASE("records that are lost are counted, and no sampling interval is known", "[ops_observe]") {
  Machine machine;
  REQUIRE(machine.open());
  CHECK(machine.operations->facts().nr_dropped == 0);
  machine.script->dropped = 12;
  const auto delivered = machine.next();
  REQUIRE(delivered);
  CHECK(delivered->sample_us == 0);
  CHECK(machine.operations->facts().nr_dropped >= 12);
}

TEST_CASE("long aggregations are recorded without a break", "[ops_observe]") {
  Machine machine;
  machine.window_ns = 3 * kNsPerSecond;
  REQUIRE(machine.open());
  for (int i = 0; i < 5; ++i) {
    const auto aggregation = machine.next();
    REQUIRE(aggregation);
    CHECK(aggregation->aggr_us == 3'000'000);
  }
  CHECK(machine.script->nr_enabled == 1);
  CHECK(machine.script->enabled);
}

TEST_CASE("a window that jumps is read again, but not for ever", "[ops_observe]") {
  Machine machine;
  REQUIRE(machine.open());
  REQUIRE(machine.next());
  machine.window_ns = 2 * kWindowNs;
  const int64_t asked_ns = machine.clock.now_ns();
  const auto doubled = machine.next();
  REQUIRE(doubled);
  CHECK(doubled->aggr_us == 200'000);
  CHECK(machine.clock.now_ns() - asked_ns < 5'600 * kNsPerMs);

  // Each twice as long as the one before.
  const int64_t restless_ns = machine.clock.now_ns();
  for (;;) {
    machine.window_ns = machine.window_ns * 2;
    const auto collected = machine.step();
    REQUIRE(collected);
    if (collected.value()) break;
    REQUIRE(machine.clock.now_ns() < restless_ns + 600 * kNsPerSecond);
    if (machine.window_ns > 100 * kNsPerSecond) machine.window_ns = kWindowNs;
  }
}

TEST_CASE("the end of the kdamond is noticed within seconds", "[ops_observe]") {
  Machine machine;
  machine.context.refresh_ms = 60'000;
  REQUIRE(machine.open());
  REQUIRE(machine.step());
  machine.tree.remove("/proc/57/stat");
  const int64_t gone_ns = machine.clock.now_ns();
  auto collected = machine.step();
  while (collected) collected = machine.step();
  CHECK(collected.error().code.value() == ESRCH);
  CHECK(collected.error().context == "kdamond.0 (pid 57) has ended");
  CHECK(machine.clock.now_ns() - gone_ns <= 2 * kNsPerSecond);
}

TEST_CASE("the end of the events is the end of the kdamond", "[ops_observe]") {
  Machine machine;
  REQUIRE(machine.open());
  REQUIRE(machine.next());
  machine.script->ended = true;  // and another kdamond has got its pid
  auto collected = machine.step();
  while (collected && !collected.value()) collected = machine.step();
  REQUIRE_FALSE(collected);
  CHECK(collected.error().code.value() == ESRCH);
}

TEST_CASE("a kdamond that sleeps is told once", "[ops_observe]") {
  Machine machine;
  REQUIRE(machine.open());
  machine.next_end_ns = machine.clock.now_ns() + 10'000 * kNsPerSecond;
  CHECK_FALSE(machine.next());
  CHECK(machine.lines.count(LogLevel::kWarning) == 1);
  CHECK(machine.lines.count(LogLevel::kWarning, "kdamond.0 (pid 57)") == 1);
}

TEST_CASE("what the probe says", "[ops_observe]") {
  Machine machine;
  const OperationsSet set = observe_operations();
  CHECK(set.name == "observe");
  CHECK_FALSE(set.automatic);
  CHECK(set.probe(machine.context).value() == "kdamond.0 (pid 57) through " + kEvent);
  machine.tree.remove("/proc/57/stat");
  CHECK(set.probe(machine.context).error().context == "no kdamond is running");
}

}  // namespace
}  // namespace damon_statfs::test
