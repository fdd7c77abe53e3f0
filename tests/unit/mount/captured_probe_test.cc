// SPDX-License-Identifier: GPL-2.0-or-later
//
// Real kernels, as tests/vm/capture has found them: --probe must say of each what is true of it,
// and the program must understand what it reads there.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cerrno>

#include "damon_statfs/registry.h"
#include "engine/damon/event_format.h"
#include "engine/damon/ops_damon_stat.h"
#include "support/captured_kernel.h"
#include "support/catch.h"
#include "support/event_formats.h"
#include "support/fake_clock.h"
#include "support/log_lines.h"
#include "support/tree_fixture.h"

namespace damon_statfs::test {
namespace {

const std::string kDamonStat = "/sys/module/damon_stat/parameters/";
const std::string kKdamonds = "/sys/kernel/mm/damon/admin/kdamonds";
const std::string kBitmap = "/sys/kernel/mm/page_idle/bitmap";
const std::string kTracing = "/sys/kernel/tracing/events/damon/";
const std::string kAggregated = kTracing + "damon_aggregated";

// A real kernel's files below a directory, and what all machines have.
struct CapturedMachine {
  explicit CapturedMachine(const std::string& name) : kernel(name) {
    for (const auto& [path, file] : kernel.untouched()) {
      if (!path.ends_with('/')) tree.write(path, file.content);
    }
    context.rootfs = tree.root();
    context.clock = &clock;
    context.log = log.sink();
  }

  Result<std::string> probe(const char* set) const { return sets.find(set)->probe(context); }
  std::string text(const std::string& path) const { return kernel.untouched().at(path).text(); }

  const CapturedKernel kernel;
  TreeFixture tree{{"/proc/iomem",
                    "00100000-bfffffff : System RAM\n"
                    "100000000-13fffffff : System RAM\n"},
                   {"/proc/kpageflags", ""},
                   {"/proc/sys/kernel/random/boot_id", "7dfa1b2c-9d65-4a5e-8b06-6a2f2d1c4e11\n"}};
  FakeClock clock;
  LogLines log;
  OperationsContext context;
  const OperationsRegistry sets = built_in_operations();
};

template <class T>
int errno_of(const Result<T>& result) {
  return result ? 0 : result.error().code.value();
}

template <class T>
bool names(const Result<T>& result, const std::string& what) {
  return !result && result.error().context.find(what) != std::string::npos;
}

TEST_CASE("what is usable on real kernels", "[captured]") {
  struct Expected {
    const char* kernel;
    int damon_stat, kdamond, page_idle;  // errno
    const char* chosen;
  };
  for (const Expected& expected :
       {Expected{"6.1", ENODEV, ENODEV, ENODEV, "nothing"},
        Expected{"6.12", ENODEV, 0, ENODEV, "kdamond"},
        Expected{"7", 0, EBUSY, ENODEV, "damon_stat"}, Expected{"idle", 0, 0, 0, "damon_stat"}}) {
    CAPTURE(expected.kernel);
    const CapturedMachine machine(expected.kernel);
    CHECK(errno_of(machine.probe("damon_stat")) == expected.damon_stat);
    CHECK(errno_of(machine.probe("kdamond")) == expected.kdamond);
    CHECK(errno_of(machine.probe("page_idle")) == expected.page_idle);
    const auto chosen = choose_automatically(machine.sets.probe(machine.context));
    CHECK((chosen ? chosen.value().set->name : "nothing") == expected.chosen);
    const auto selected = machine.sets.select("auto", machine.context);
    CHECK((selected ? selected.value().set : nullptr) == (chosen ? chosen.value().set : nullptr));
    CHECK(errno_of(chosen) == (expected.chosen == std::string("nothing") ? ENODEV : 0));
  }
}

TEST_CASE("why real kernels cannot be used", "[captured]") {
  const CapturedMachine bookworm("6.1");
  CHECK(names(bookworm.probe("damon_stat"), kDamonStat + "enabled"));
  CHECK(names(bookworm.probe("kdamond"), kKdamonds + "/nr_kdamonds"));
  CHECK(names(bookworm.probe("page_idle"), kBitmap));
  const CapturedMachine trixie("6.12");
  CHECK(names(trixie.probe("damon_stat"), kDamonStat + "enabled"));
  CHECK(names(trixie.probe("page_idle"), kBitmap));
  CapturedMachine sid("7");
  CHECK(names(sid.probe("kdamond"), "damon_stat"));
  CHECK(names(sid.probe("kdamond"), "which damon_stat=yield switches off"));
  sid.context.yield_damon_stat = true;
  CHECK(sid.probe("kdamond").value().ends_with("with the kernel's DAMON_STAT off meanwhile"));
  CHECK(sid.sets.select("auto", sid.context).value().set->name == "kdamond");
}

TEST_CASE("what would be used of real kernels", "[captured]") {
  for (const char* const name : {"6.12", "idle"}) {
    CAPTURE(name);
    const CapturedMachine machine(name);
    CHECK(machine.probe("kdamond").value() ==
          fmt::format("{}, pages or regions from {}, 4095 MiB", kKdamonds, kAggregated));
  }
  CHECK(CapturedMachine("7").probe("damon_stat").value().ends_with("(on)"));
  CHECK(CapturedMachine("idle").probe("damon_stat").value().ends_with("(off)"));
}

TEST_CASE("a real DAMON_STAT is mirrored as it is", "[captured]") {
  for (const char* const name : {"7", "idle"}) {
    CAPTURE(name);
    CapturedMachine machine(name);
    const auto mirror = damon_stat_operations().make<Mirror>(machine.context);
    const Snapshot read = mirror->read().value();
    const Statistics& values = read.statistics;
    CHECK((read.status.state == EngineState::kOn) == (machine.text(kDamonStat + "enabled") == "Y"));
    CHECK(fmt::format("{}", read.status.tid) == machine.text(kDamonStat + "kdamond_pid"));
    CHECK(fmt::format("{}", values.aggr_interval_us) ==
          machine.text(kDamonStat + "aggr_interval_us"));
    CHECK(fmt::format("{}", values.estimated_memory_bandwidth_bytes_per_s) ==
          machine.text(kDamonStat + "estimated_memory_bandwidth"));
    CHECK(fmt::format("{}", fmt::join(values.memory_idle_ms_percentiles, ",")) ==
          machine.text(kDamonStat + "memory_idle_ms_percentiles"));
    CHECK(machine.log.count(LogLevel::kWarning) == 0);
  }
}

std::string without_id(const std::string& format_file) {
  const size_t id = format_file.find("ID: ");
  std::string text = format_file;
  return text.erase(id, format_file.find('\n', id) - id);
}

TEST_CASE("the tracepoint's format on real kernels", "[captured]") {
  CHECK(CapturedKernel("6.1").untouched().empty());
  for (const char* const name : {"6.12", "7", "idle"}) {
    CAPTURE(name);
    const CapturedKernel captured(name);
    const std::string format_file = captured.untouched().at(kAggregated + "/format").content;
    CHECK(without_id(format_file) == without_id(kAggregatedFormat));
    CHECK(format_file.find("\nID: " + captured.untouched().at(kAggregated + "/id").content) !=
          std::string::npos);
    const auto format = RegionEventFormat::parse(format_file);
    REQUIRE(format);
    CHECK(format->min_bytes() == 48);
  }
}

// Linux 7.2 and 7.3 have a second event with the same fields at other places; those of schemes name
// their target otherwise.
TEST_CASE("the formats of other tracepoints", "[captured]") {
  struct Row {
    const char* name;
    int nr_formats, nr_with_regions;
  };
  for (const auto& [name, nr_formats, nr_with_regions] :
       {Row{"6.12", 2, 1}, Row{"7", 6, 2}, Row{"idle", 6, 2}}) {
    int formats = 0, with_regions = 0;
    for (const auto& [path, file] : CapturedKernel(name).untouched()) {
      if (!path.starts_with(kTracing) || !path.ends_with("/format")) continue;
      CAPTURE(name, path);
      const bool has_regions = path.find("_aggregated/") != std::string::npos;
      CHECK(RegionEventFormat::parse(file.content).has_value() == has_regions);
      ++formats;
      with_regions += has_regions ? 1 : 0;
    }
    CAPTURE(name);
    CHECK(formats == nr_formats);
    CHECK(with_regions == nr_with_regions);
  }
}

}  // namespace
}  // namespace damon_statfs::test
