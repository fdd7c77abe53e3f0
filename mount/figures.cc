// SPDX-License-Identifier: GPL-2.0-or-later
//
// A new figure is one row here, and a paragraph of the section STATUS in the manual; a test
// compares the two.
#include "mount/figures.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "damon_statfs/clock.h"
#include "damon_statfs/version.h"

namespace damon_statfs {
namespace {

const MonitoringDetails& details(const StatusFacts& facts) { return facts.snapshot.details; }

const PageDetails* pages(const StatusFacts& facts) {
  return std::get_if<PageDetails>(&details(facts).by_estimator);
}

const RegionDetails* regions(const StatusFacts& facts) {
  return std::get_if<RegionDetails>(&details(facts).by_estimator);
}

double seconds(int64_t ns) { return static_cast<double>(ns) / static_cast<double>(kNsPerSecond); }

FigureValue unless_zero(uint64_t number) {
  return number == 0 ? FigureValue() : FigureValue(number);
}

FigureValue if_known(std::optional<uint64_t> number) {
  return number ? FigureValue(*number) : FigureValue();
}

FigureValue unless_nan(double number) {
  return std::isnan(number) ? FigureValue() : FigureValue(number);
}

FigureValue state(const StatusFacts& facts) {
  if (is_stuck(facts.snapshot, facts.now_ns)) return std::string_view("stuck");
  switch (facts.snapshot.status.state) {
    case EngineState::kOff:
      break;
    case EngineState::kStarting:
      return std::string_view("starting");
    case EngineState::kOn:
      return std::string_view("on");
  }
  return std::string_view("off");
}

FigureValue operations_set(const StatusFacts& facts) {
  return details(facts).ops.empty() ? facts.ops : details(facts).ops;
}

FigureValue tid(const StatusFacts& facts) { return int64_t{facts.snapshot.status.tid}; }

FigureValue cpu_percent(const StatusFacts& facts) {
  const int64_t lived_ns = std::max<int64_t>(facts.now_ns - facts.started_ns, 1);
  return 100 * static_cast<double>(facts.cpu_ns) / static_cast<double>(lived_ns);
}

FigureValue kdamond_cpu(const StatusFacts& facts) {
  const int64_t cpu_ns = details(facts).kdamond_cpu_ns;
  return cpu_ns == 0 ? FigureValue() : FigureValue(seconds(cpu_ns));
}

template <size_t kLimit>
FigureValue share(const StatusFacts& facts) {
  return unless_nan(details(facts).share_percent[kLimit]);
}

template <size_t kLimit>
FigureValue share_error(const StatusFacts& facts) {
  return unless_nan(pages(facts)->share_error_percent[kLimit]);
}

using Facts = const StatusFacts&;

// The names of the shares say these limits.
static_assert(MonitoringDetails::kShareLimitsMs == std::array<int64_t, 3>{1'000, 6'000, 60'000});

constexpr std::array kFigures = {
    Figure{"version", Unit::kText, Applies::kAlways,
           [](Facts) { return FigureValue(std::string_view(kProgramVersion)); },
           "Version of the daemon."},
    Figure{"pid", Unit::kId, Applies::kAlways, [](Facts) { return FigureValue(int64_t{getpid()}); },
           "Process id of the daemon."},
    Figure{"mountpoint", Unit::kText, Applies::kAlways,
           [](Facts facts) { return FigureValue(facts.mountpoint); },
           "Where the daemon's files are mounted."},
    Figure{"uptime_s", Unit::kSeconds, Applies::kAlways,
           [](Facts facts) { return FigureValue(seconds(facts.now_ns - facts.started_ns)); },
           "Time since the daemon was started."},
    Figure{"state", Unit::kText, Applies::kAlways, state,
           "Whether monitoring is off, starting, on, or stuck."},
    Figure{"operations_set", Unit::kText, Applies::kAlways, operations_set,
           "The operations set in use, or the one asked for before the first start."},
    Figure{"kdamond_pid", Unit::kId, Applies::kWhileKdamondSamples, tid,
           "Process id of the kernel thread that samples."},
    Figure{"engine_tid", Unit::kId, Applies::kWhileEngineSamples, tid,
           "Thread id of the engine thread, which samples."},
    Figure{"estimator", Unit::kText, Applies::kAfterStart,
           [](Facts facts) { return FigureValue(details(facts).estimator); },
           "How accesses become values: pages, regions, or kernel for a mirror."},
    Figure{"monitored_bytes", Unit::kBytes, Applies::kAfterStart,
           [](Facts facts) { return unless_zero(details(facts).monitored_bytes); },
           "Memory that is monitored."},
    Figure{"untracked_bytes", Unit::kBytes, Applies::kOfPages,
           [](Facts facts) { return if_known(pages(facts)->untracked_bytes); },
           "Part of the monitored memory that no access check can see."},
    Figure{"unmapped_cache_bytes", Unit::kBytes, Applies::kOfPages,
           [](Facts facts) { return if_known(pages(facts)->unmapped_cache_bytes); },
           "Part of the monitored memory that is page cache which nothing maps."},
    Figure{"sample_us", Unit::kMicroseconds, Applies::kAfterStart,
           [](Facts facts) { return unless_zero(details(facts).sample_us); },
           "Sampling interval in force."},
    Figure{"aggr_us", Unit::kMicroseconds, Applies::kAfterStart,
           [](Facts facts) { return unless_zero(details(facts).aggr_us); },
           "Aggregation interval in force."},
    Figure{"nr_regions", Unit::kCount, Applies::kOfRegions,
           [](Facts facts) { return FigureValue(regions(facts)->nr_regions); },
           "Regions that the values come from."},
    Figure{"nr_pages", Unit::kCount, Applies::kOfPages,
           [](Facts facts) { return FigureValue(pages(facts)->nr_pages); },
           "Pages in the sample that the values come from."},
    Figure{"check_period_ms", Unit::kMilliseconds, Applies::kOfPages,
           [](Facts facts) { return FigureValue(pages(facts)->check_period_ms); },
           "Nominal time between two rounds of access checks."},
    Figure{"nr_checks", Unit::kCount, Applies::kAfterStart,
           [](Facts facts) { return unless_zero(details(facts).nr_checks); },
           "Access checks of the engine since monitoring is on."},
    Figure{"nr_dropped", Unit::kCount, Applies::kAfterRefresh,
           [](Facts facts) { return FigureValue(details(facts).nr_dropped); },
           "Access checks, or records of a kdamond, without a usable answer."},
    Figure{"idle_below_1000_ms_percent", Unit::kPercent, Applies::kAfterRefresh, share<0>,
           "Share of memory that has been idle for less than a second."},
    Figure{"idle_below_1000_ms_error_percent", Unit::kPercent, Applies::kOfPages, share_error<0>,
           "Standard error of the share of memory idle for less than a second."},
    Figure{"idle_below_6000_ms_percent", Unit::kPercent, Applies::kAfterRefresh, share<1>,
           "Share of memory that has been idle for less than six seconds."},
    Figure{"idle_below_6000_ms_error_percent", Unit::kPercent, Applies::kOfPages, share_error<1>,
           "Standard error of the share of memory idle for less than six seconds."},
    Figure{"idle_below_60000_ms_percent", Unit::kPercent, Applies::kAfterRefresh, share<2>,
           "Share of memory that has been idle for less than a minute."},
    Figure{"idle_below_60000_ms_error_percent", Unit::kPercent, Applies::kOfPages, share_error<2>,
           "Standard error of the share of memory idle for less than a minute."},
    Figure{
        "monitoring_s", Unit::kSeconds, Applies::kWhileOn,
        [](Facts facts) { return FigureValue(seconds(facts.now_ns - details(facts).started_ns)); },
        "Time since monitoring was started."},
    Figure{"engine_cpu_s", Unit::kSeconds, Applies::kAfterRefresh,
           [](Facts facts) { return FigureValue(seconds(details(facts).cpu_ns)); },
           "CPU time of the engine thread from the start of monitoring to the last refresh."},
    Figure{"kdamond_cpu_s", Unit::kSeconds, Applies::kAfterRefresh, kdamond_cpu,
           "CPU time of the kdamonds of the sample, from the start of monitoring to the last "
           "refresh."},
    Figure{"cpu_s", Unit::kSeconds, Applies::kAlways,
           [](Facts facts) { return FigureValue(seconds(facts.cpu_ns)); },
           "CPU time of all of the daemon's threads since its start."},
    Figure{"cpu_percent", Unit::kPercent, Applies::kAlways, cpu_percent,
           "CPU time of the daemon in percent of one CPU since its start."},
    Figure{"last_error", Unit::kText, Applies::kAfterError,
           [](Facts facts) { return FigureValue(std::string_view(*facts.last_error)); },
           "The last line of the log that was an error."},
    Figure{"last_error_age_s", Unit::kSeconds, Applies::kAfterError,
           [](Facts facts) { return FigureValue(seconds(facts.now_ns - facts.last_error_ns)); },
           "Time since the last error was logged."},
};

}  // namespace

std::span<const Figure> all_figures() { return kFigures; }

bool applies(Applies when, const StatusFacts& facts) {
  const EngineStatus& status = facts.snapshot.status;
  switch (when) {
    case Applies::kAlways:
      return true;
    case Applies::kWhileKdamondSamples:
      return status.tid != -1 && status.is_kdamond;
    case Applies::kWhileEngineSamples:
      return status.tid != -1 && !status.is_kdamond;
    case Applies::kWhileOn:
      return status.state == EngineState::kOn && details(facts).started_ns > 0;
    case Applies::kAfterStart:
      return !details(facts).estimator.empty();
    case Applies::kAfterRefresh:
      return details(facts).refreshed;
    case Applies::kOfPages:
      return pages(facts) != nullptr;
    case Applies::kOfRegions:
      return regions(facts) != nullptr;
    case Applies::kAfterError:
      return facts.last_error.has_value();
  }
  return false;
}

void tell_figures(const StatusFacts& facts, const FigureSink& sink) {
  for (const Figure& figure : kFigures) {
    sink(figure, applies(figure.applies, facts) ? figure.value(facts) : FigureValue());
  }
}

}  // namespace damon_statfs
