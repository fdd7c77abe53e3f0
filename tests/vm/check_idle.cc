// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the engine may do when it is left alone: find nothing accessed while nothing is, and stay
// inside its CPU budget. Both are promises about bad readers of page_idle, which fail them widely.
#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <vector>

#include "checks.h"
#include "engine_cpu.h"
#include "free_memory.h"
#include "readings.h"
#include "workload_state.h"

namespace guest_test {
namespace {

constexpr double kNsPerSecond = 1e9;
int64_t seconds_from_now_ns(double seconds) {
  return monotonic_ns() + static_cast<int64_t>(seconds * kNsPerSecond);
}

// Runs `seen` for every reading of the next seconds. Returns: how many there were.
template <typename Function>
int for_readings(const std::string& directory, double seconds, Function seen) {
  const int64_t end_ns = seconds_from_now_ns(seconds);
  ReadingPoller poller(directory);
  int count = 0;
  for (; const auto reading = poller.next(end_ns); ++count) seen(*reading);
  return count;
}

void print_reading(const char* what, const Reading& reading) {
  std::printf(
      "%s accessed %5.1f%%  under 1s %5.1f%%  under 6s %5.1f%%  hottest %lldms  "
      "coldest %lldms\n",
      what, share_accessed(reading.percentiles), share_below(reading.percentiles, 1'000),
      share_below(reading.percentiles, 6'000), static_cast<long long>(reading.percentiles.front()),
      static_cast<long long>(reading.percentiles.back()));
  std::fflush(stdout);
}

}  // namespace

void check_quiet(const Arguments& arguments, Report& report) {
  const std::string& directory = arguments.text("--dir");
  switch_on(directory);
  for_readings(directory, arguments.number("--settle"),
               [](const Reading& reading) { print_reading("warm-up", reading); });
  std::vector<double> under_1s;
  const int count =
      for_readings(directory, arguments.number("--seconds"), [&](const auto& reading) {
        print_reading("reading", reading);
        under_1s.push_back(share_below(reading.percentiles, 1'000));
      });
  const double limit = arguments.number("--limit-points"),
               worst = arguments.number("--limit-worst");
  report.check(
      count > 0 && median(under_1s) <= limit && largest(under_1s) <= worst,
      text_of("%s: share idle under 1 s, true 0: median %.1f %%, limit %.1f, worst %.1f %%, "
              "limit %.1f (%d readings)",
              arguments.text("--what").c_str(), median(under_1s), limit, largest(under_1s), worst,
              count));
}

void check_free(const Arguments& arguments, Report& report) {
  const std::string& directory = arguments.text("--dir");
  const FreeRange range = parse_free_range(arguments.text("--range"));
  switch_on(directory);
  double accessed = 0;
  int busy = 0;
  const int count =
      for_readings(directory, arguments.number("--seconds"), [&](const auto& reading) {
        print_reading("reading", reading);
        accessed = std::max(accessed, share_accessed(reading.percentiles));
        if (read_text(directory + "/estimated_memory_bandwidth") != "0\n") ++busy;
      });
  report.check(is_free(range),
               text_of("%llu MiB, %s, were free all the time",
                       static_cast<unsigned long long>(range.end - range.start) >> 20,
                       arguments.text("--range").c_str()));
  report.check(count > 0 && accessed == 0 && busy == 0,
               text_of("free pages accessed: %.1f %% at most, %d of %d readings with a bandwidth; "
                       "true 0 and 0",
                       accessed, busy, count));
}

void check_budget(const Arguments& arguments, Report& report) {
  const std::string& directory = arguments.text("--dir");
  switch_on(directory);
  const EngineCpu cpu(directory);
  const double seconds = arguments.number("--seconds");
  const int count = for_readings(directory, seconds,
                                 [](const Reading& reading) { print_reading("reading", reading); });
  const double used = cpu.percent(), limit = cpu.allowed_percent(arguments.number("--max-cpu"));
  report.check(count > 0, text_of("%d readings in %.0f s", count, seconds));
  report.check(used <= limit,
               text_of("engine CPU %.2f %% over %.0f s, limit %.2f %% (thread %lld)", used, seconds,
                       limit, static_cast<long long>(cpu.thread_id())));
}

}  // namespace guest_test
