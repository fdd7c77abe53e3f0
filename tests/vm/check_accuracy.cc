// SPDX-License-Identifier: GPL-2.0-or-later
//
// How far the readings are from the truth while a known workload runs, at whatever phase of its
// period they come: the bounds are the project's own promise. The kernel's DAMON_STAT is measured
// with the same code for comparison.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <optional>
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
constexpr size_t kMinReadings = 8;

struct Errors {
  std::vector<double> under_1s, under_6s, under_60s;  // points off, signed
  std::vector<double> bandwidth;                      // reported over true
  std::vector<double> cold;              // reported over true idle time of the cold part
  std::vector<double> untouched;         // the same of all memory that no process touches
  std::vector<double> excess;            // points accessed beyond what the workload touches
  std::optional<double> first_under_1s;  // points off, of the first reading after Y
  double first_age_s = 0;                // how long after
};

WorkloadState state_of(const std::string& path) {
  const auto state = read_state(path);
  if (!state) throw std::runtime_error("no workload state in " + path);
  return *state;
}

// Reported over true idle time at one percentile.
double ratio(const Reading& reading, size_t index, int64_t true_idle_ms) {
  return static_cast<double>(reading.percentiles[index]) / static_cast<double>(true_idle_ms);
}

// The same of the untouched memory, whose true idle time began at some moment of the write of Y,
// which took `start_ms`.
double untouched_ratio(const Reading& reading, const Truth& truth, int64_t start_ms) {
  const int64_t read_ms = reading.percentiles[truth.untouched_index];
  const int64_t nearest_ms =
      std::clamp(read_ms, truth.untouched_idle_ms, truth.untouched_idle_ms + start_ms);
  return ratio(reading, truth.untouched_index, nearest_ms);
}

std::string range_text(const Share& share) {
  return share.least == share.most ? text_of("true %.1f", share.least)
                                   : text_of("true %.1f to %.1f", share.least, share.most);
}

std::string cold_text(const Reading& reading, const Truth& truth) {
  if (!truth.cold_idle_ms) return "";
  return text_of("  cold part %lld ms (true %lld)",
                 static_cast<long long>(reading.percentiles[truth.cold_index]),
                 static_cast<long long>(*truth.cold_idle_ms));
}

void print_reading(const Reading& reading, const Truth& truth, double age_s, bool settled,
                   double aggr_ms) {
  std::printf(
      "%s t=%5.1fs  under 1s %5.1f%% (%s)  under 6s %5.1f%% (%s)  under 60s %5.1f%% (%s)  accessed "
      "%5.1f%%  untouched %lld ms (true %lld)%s  "
      "warm part %lld ms, pass %.1fs ago  aggregation %.0f ms\n",
      settled ? "reading" : "warm-up", age_s, share_below(reading.percentiles, 1'000),
      range_text(truth.under_1s).c_str(), share_below(reading.percentiles, 6'000),
      range_text(truth.under_6s).c_str(), share_below(reading.percentiles, 60'000),
      range_text(truth.under_60s).c_str(), share_accessed(reading.percentiles),
      static_cast<long long>(reading.percentiles[truth.untouched_index]),
      static_cast<long long>(truth.untouched_idle_ms), cold_text(reading, truth).c_str(),
      static_cast<long long>(reading.percentiles[truth.warm_index]), truth.warm_age_s, aggr_ms);
  std::fflush(stdout);
}

void add_reading(const Reading& reading, const Truth& truth, int64_t start_ms, Errors& errors) {
  errors.under_1s.push_back(truth.under_1s.error(share_below(reading.percentiles, 1'000)));
  errors.under_6s.push_back(truth.under_6s.error(share_below(reading.percentiles, 6'000)));
  errors.under_60s.push_back(truth.under_60s.error(share_below(reading.percentiles, 60'000)));
  errors.untouched.push_back(untouched_ratio(reading, truth, start_ms));
  if (truth.cold_idle_ms)
    errors.cold.push_back(ratio(reading, truth.cold_index, *truth.cold_idle_ms));
  errors.excess.push_back(share_accessed(reading.percentiles) - truth.touched);
}

// What may be off before it is a failure; nothing: it is only printed.
struct ShareLimits {
  std::optional<double> median_points;
  std::optional<double> worst_points;
};

std::string limit_text(const std::optional<double>& points) {
  return points ? text_of("limit %.1f", *points) : "no limit";
}

// How far a share is off.
void judge_share(const char* name, const std::vector<double>& errors, const ShareLimits& limits,
                 Report& report) {
  std::vector<double> sizes;
  for (double error : errors) sizes.push_back(std::fabs(error));
  const double middle = median(sizes), worst = largest(sizes);
  const std::string text =
      text_of("share %s: median off by %.1f points, %s, worst %.1f, %s (signed %+.1f)", name,
              middle, limit_text(limits.median_points).c_str(), worst,
              limit_text(limits.worst_points).c_str(), median(errors));
  if (!limits.median_points && !limits.worst_points) return report.note(text);
  report.check(
      middle <= limits.median_points.value_or(100) && worst <= limits.worst_points.value_or(100),
      text);
}

// The bandwidth that is there now, over that of the workload.
double bandwidth_ratio(const std::string& directory, const WorkloadState& state) {
  const int64_t sample_us = std::atoll(read_text(directory + "/aggr_interval_us").c_str()) / 20;
  return std::atof(read_text(directory + "/estimated_memory_bandwidth").c_str()) /
         bytes_per_second(state, sample_us);
}

// Single readings of it come from some tens of accesses, so the median is judged.
void judge_bandwidth(const std::vector<double>& ratios, double limit_percent, Report& report) {
  if (ratios.empty()) return report.check(false, "bandwidth: no reading told it");
  const auto [least, most] = std::minmax_element(ratios.begin(), ratios.end());
  const double middle = median(ratios), limit = limit_percent / 100;
  report.check(std::fabs(middle - 1) <= limit,
               text_of("bandwidth: median %.2f of the true one, limits %.2f to %.2f (%.2f to %.2f)",
                       middle, 1 - limit, 1 + limit, *least, *most));
}

// Memory in use has to be known from the start.
void judge_first(const Errors& errors, double limit_points, Report& report) {
  if (!errors.first_under_1s) return report.check(false, "the first reading: there was none");
  report.check(std::fabs(*errors.first_under_1s) <= limit_points,
               text_of("the first reading, %.1f s after Y: share idle under 1 s off by %+.1f "
                       "points, limit %.1f",
                       errors.first_age_s, *errors.first_under_1s, limit_points));
}

// Every single ratio has to be near 1; without a limit they are only printed.
void judge_idle(const char* name, const std::vector<double>& ratios,
                std::optional<double> limit_percent, Report& report) {
  if (ratios.empty()) {
    report.check(false, text_of("idle time of %s: no reading told it", name));
    return;
  }
  const auto [least, most] = std::minmax_element(ratios.begin(), ratios.end());
  const std::string text = text_of("idle time of %s: %.2f to %.2f of the true time (%zu readings)",
                                   name, *least, *most, ratios.size());
  if (!limit_percent) return report.note(text);
  const double limit = *limit_percent / 100;
  report.check(*least >= 1 - limit && *most <= 1 + limit,
               text_of("%s, limits %.2f to %.2f", text.c_str(), 1 - limit, 1 + limit));
}

void judge(const Errors& errors, const Arguments& arguments, Report& report) {
  report.check(errors.untouched.size() >= kMinReadings,
               text_of("%zu readings, at least %zu wanted", errors.untouched.size(), kMinReadings));
  const ShareLimits limits{arguments.number("--limit-points"), arguments.number("--limit-worst")};
  judge_share("idle under 1 s", errors.under_1s, limits, report);
  ShareLimits limits_6s = limits;
  if (arguments.has("--note-cold")) limits_6s.worst_points.reset();
  if (arguments.has("--note-6s")) limits_6s = {};
  judge_share("idle under 6 s", errors.under_6s, limits_6s, report);
  if (arguments.has("--judge-60s"))
    judge_share("idle under 60 s", errors.under_60s, limits, report);
  if (arguments.has("--judge-first"))
    judge_first(errors, arguments.number("--limit-worst"), report);
  if (!arguments.text("--limit-bandwidth").empty()) {
    judge_bandwidth(errors.bandwidth, arguments.number("--limit-bandwidth"), report);
  }
  std::optional<double> limit_idle_percent;
  if (!arguments.has("--note-idle")) limit_idle_percent = arguments.number("--limit-idle");
  judge_idle("the untouched memory", errors.untouched, limit_idle_percent, report);
  if (arguments.has("--cold-again")) {
    std::optional<double> limit_percent;
    if (!arguments.has("--note-cold")) limit_percent = arguments.number("--limit-cold");
    judge_idle("the cold part", errors.cold, limit_percent, report);
  }
  const double excess = errors.excess.empty() ? 100 : largest(errors.excess);
  const double limit = arguments.number("--limit-worst");
  report.check(
      excess <= limit,
      text_of("free memory: share accessed at most %+.1f points from what is touched, limit %+.1f",
              excess, limit));
}

}  // namespace

void check_accuracy(const Arguments& arguments, Report& report) {
  const std::string& directory = arguments.text("--dir");
  const int64_t total = system_ram_bytes(arguments.has("--span"));
  const WorkloadState first = state_of(arguments.text("--state"));
  std::printf("monitored: %lld MiB, one pass over the hot part takes %lld ms\n",
              static_cast<long long>(total >> 20),
              static_cast<long long>(first.hot_pass_ns / 1'000'000));

  const int64_t asked_ns = monotonic_ns();
  const int64_t since_ns = switch_on(directory);
  const int64_t start_ms = (since_ns - asked_ns) / 1'000'000;
  std::printf("the write of Y took %lld ms\n", static_cast<long long>(start_ms));
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
    print_reading(*reading, truth, age_s, age_s > settle_s,
                  std::atof(read_text(directory + "/aggr_interval_us").c_str()) / 1000);
    if (!errors.first_under_1s) {
      errors.first_under_1s = truth.under_1s.error(share_below(reading->percentiles, 1'000));
      errors.first_age_s = age_s;
    }
    if (age_s <= settle_s) continue;
    add_reading(*reading, truth, start_ms, errors);
    errors.bandwidth.push_back(bandwidth_ratio(directory, state));
  }
  judge(errors, arguments, report);
  const double used = cpu.percent(), limit = cpu.allowed_percent(arguments.number("--max-cpu"));
  report.check(used <= limit, text_of("engine CPU %.2f %%, limit %.2f %%", used, limit));
}

}  // namespace guest_test
