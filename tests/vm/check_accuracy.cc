// SPDX-License-Identifier: GPL-2.0-or-later
//
// How far the readings are from the truth while a known workload runs. The bounds are the project's
// own promise; the kernel's DAMON_STAT is measured with the same code for comparison.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <stdexcept>
#include <vector>

#include "checks.h"
#include "engine_cpu.h"
#include "readings.h"
#include "truth.h"
#include "workload_state.h"

namespace guest_test {
namespace {

constexpr double kNsPerSecond = 1e9;
constexpr double kMaxFreeAccessed = 4;  // points: a region may straddle the edge of the hot part
constexpr size_t kMinReadings = 8;
constexpr timespec kPollInterval{0, 50'000'000};

struct Errors {
  std::vector<double> under_1s, under_6s;  // points off, signed
  std::vector<double> cold;                // reported over true idle time, next to the warm part
  std::vector<double> untouched;           // the same in the middle of all untouched memory
  std::vector<double> excess;              // points accessed beyond what the workload touches
};

WorkloadState state_of(const std::string& path) {
  const auto state = read_state(path);
  if (!state) throw std::runtime_error("no workload state in " + path);
  return *state;
}

// Waits for the moment of the workload's period at which to begin. Readings come every 5 s too, so
// they stay near this phase: well away from a warm pass, each one has a clear truth.
void wait_for_phase(const std::string& path, double phase_s) {
  const int64_t phase_ns = static_cast<int64_t>(phase_s * kNsPerSecond);
  const int64_t last_warm_ns = state_of(path).warm_end_ns;
  while (state_of(path).warm_end_ns == last_warm_ns) nanosleep(&kPollInterval, nullptr);
  while (monotonic_ns() < state_of(path).warm_end_ns + phase_ns) nanosleep(&kPollInterval, nullptr);
}

// Reported over true idle time at one percentile of the memory that nobody touches.
double ratio(const Reading& reading, size_t index, const Truth& truth) {
  return static_cast<double>(reading.percentiles[index]) / static_cast<double>(truth.cold_idle_ms);
}

// Prints one reading, and adds it to the errors when it is past the time to settle.
void add_reading(const Reading& reading, const Truth& truth, double age_s, bool settled,
                 Errors& errors) {
  const double under_1s = share_below(reading.percentiles, 1'000);
  const double under_6s = share_below(reading.percentiles, 6'000);
  const double accessed = share_accessed(reading.percentiles);
  const double cold = ratio(reading, truth.cold_index, truth);
  const double untouched = ratio(reading, truth.untouched_index, truth);
  std::printf(
      "%s t=%5.1fs  under 1s %5.1f%% (true %4.1f)  under 6s %5.1f%% (true %4.1f)  true idle "
      "%6lldms "
      "(cold part %.2f, all untouched %.2f of it)  accessed %5.1f%%  warm pass %.1fs ago\n",
      settled ? "reading" : "warm-up", age_s, under_1s, truth.under_1s, under_6s, truth.under_6s,
      static_cast<long long>(truth.cold_idle_ms), cold, untouched, accessed, truth.warm_age_s);
  std::fflush(stdout);
  if (!settled) return;
  errors.under_1s.push_back(under_1s - truth.under_1s);
  errors.under_6s.push_back(under_6s - truth.under_6s);
  errors.cold.push_back(cold);
  errors.untouched.push_back(untouched);
  errors.excess.push_back(accessed - truth.touched);
}

void judge_share(const char* name, const std::vector<double>& errors, double limit,
                 Report& report) {
  std::vector<double> sizes;
  for (double error : errors) sizes.push_back(std::fabs(error));
  report.check(median(sizes) <= limit,
               text_of("share %s: median off by %.1f points, limit %.0f (signed %+.1f, worst %.1f)",
                       name, median(sizes), limit, median(errors), largest(sizes)));
}

std::string idle_text(const char* name, const std::vector<double>& ratios, double limit) {
  return text_of(
      "idle time in the middle of %s: median %.2f of the true time, limit %.2f to %.2f "
      "(least %.2f)",
      name, median(ratios), 1 - limit, 1 + limit,
      ratios.empty() ? 0 : *std::min_element(ratios.begin(), ratios.end()));
}

struct Limits {
  double under_1s, under_6s;  // points
  double idle;                // of the true idle time
};

void judge(const Errors& errors, const Limits& limits, Report& report) {
  report.check(errors.cold.size() >= kMinReadings,
               text_of("%zu readings, at least %zu wanted", errors.cold.size(), kMinReadings));
  judge_share("idle under 1 s", errors.under_1s, limits.under_1s, report);
  judge_share("idle under 6 s", errors.under_6s, limits.under_6s, report);
  // The cold part cannot be told from the free memory, which has been idle as long. DAMON averages
  // the ages of regions that it merges, so what lies next to the warm part reads younger by chance.
  report.check(std::fabs(median(errors.untouched) - 1) <= limits.idle,
               idle_text("the untouched memory (cold and free)", errors.untouched, limits.idle));
  report.note(idle_text("the cold part if it is the youngest of it", errors.cold, limits.idle));
  const double excess = errors.excess.empty() ? 100 : largest(errors.excess);
  report.check(excess <= kMaxFreeAccessed,
               text_of("free memory: share accessed at most %+.1f points from what is touched, "
                       "limit +%.0f",
                       excess, kMaxFreeAccessed));
}

}  // namespace

void check_accuracy(const Arguments& arguments, Report& report) {
  const std::string& directory = arguments.text("--dir");
  const int64_t total = system_ram_bytes(arguments.has("--span"));
  const WorkloadState first = state_of(arguments.text("--state"));
  std::printf("monitored: %lld MiB, one pass over the hot part takes %lld ms\n",
              static_cast<long long>(total >> 20),
              static_cast<long long>(first.hot_pass_ns / 1'000'000));

  wait_for_phase(arguments.text("--state"), arguments.number("--phase"));
  const int64_t asked_ns = monotonic_ns();
  const int64_t since_ns = switch_on(directory);
  std::printf("the write of Y took %lld ms\n",
              static_cast<long long>((since_ns - asked_ns) / 1'000'000));
  const EngineCpu cpu(directory);
  const double settle_s = arguments.number("--settle");
  const double end_s = settle_s + arguments.number("--seconds");
  const int64_t end_ns = since_ns + static_cast<int64_t>(end_s * kNsPerSecond);
  ReadingPoller poller(directory);
  Errors errors;
  while (const auto reading = poller.next(end_ns)) {
    const WorkloadState state = state_of(arguments.text("--state"));
    const Truth truth = truth_at(reading->noticed_ns, state, total, since_ns);
    const double age_s = static_cast<double>(reading->noticed_ns - since_ns) / kNsPerSecond;
    add_reading(*reading, truth, age_s, age_s > settle_s, errors);
  }
  judge(errors,
        {arguments.number("--limit-1s"), arguments.number("--limit-6s"),
         arguments.number("--limit-idle") / 100},
        report);
  const double used = cpu.percent(), limit = arguments.number("--max-cpu");
  report.check(used <= limit, text_of("engine CPU %.2f %%, limit %.0f %%", used, limit));
}

}  // namespace guest_test
