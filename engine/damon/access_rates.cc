// SPDX-License-Identifier: GPL-2.0-or-later
//
// The rate of pages in use is hits per check; that of the others a ratio estimate: their share is
// known well from the sample, and how often such a page is accessed from a few counted ones.
#include "engine/damon/access_rates.h"

#include <algorithm>
#include <cmath>

#include "damon_statfs/clock.h"
#include "engine/base/wide.h"

namespace damon_statfs {
namespace {

constexpr uint64_t kSamples = 20;      // of a measurement, as in DAMON's default aggregation
constexpr uint64_t kMinPages = 4;      // of a measurement
constexpr uint64_t kMaxPages = 64;
constexpr int64_t kTuneNs = 3 * kNsPerSecond;  // of which a measurement tells, for the tuning
constexpr double kKeptShare = 0.5;  // of what was counted before, when there is something new

uint64_t us(int64_t ns) { return static_cast<uint64_t>(ns / kNsPerUs); }

}  // namespace

int64_t AccessRates::sample_ns() const {
  return static_cast<int64_t>(bandwidth_.sample_us()) * kNsPerUs;
}

// Few pages for long rather than many for a moment, as memory may be hot at some moments only.
std::optional<RateMeasurement> AccessRates::plan(std::span<const uint64_t> in_use, size_t nr_pages,
                                                 int64_t time_ns, int64_t period_ns) {
  in_use_share_ = static_cast<double>(in_use.size()) /
                  static_cast<double>(std::max<size_t>(nr_pages, 1));
  if (in_use.empty() || sample_ns() >= period_ns) {
    bandwidth_.add_check(in_use_share_, sample_ns());
    bandwidth_.end_checks(kTuneNs);
    return std::nullopt;
  }
  const uint64_t wanted = bandwidth_.plan(in_use_share_, time_ns, few_).nr_pages;
  const uint64_t most = us(time_ns / 2) / bandwidth_.sample_us();
  if (wanted == 0 || most == 0) return std::nullopt;
  const uint64_t count =
      std::min<uint64_t>(std::clamp(wanted / kSamples, kMinPages, kMaxPages), in_use.size());
  const uint64_t samples = std::clamp(wanted / count, std::min<uint64_t>(5, most), most);
  RateMeasurement measurement;
  measurement.intervals = {bandwidth_.sample_us(), bandwidth_.sample_us() * samples};
  uint64_t left = in_use.size(), missing = count;
  for (const uint64_t addr : in_use) {
    if (random_.in_range(0, left--) >= missing) continue;
    measurement.addrs.push_back(addr);
    --missing;
  }
  return measurement;
}

bool AccessRates::add_measurement(const RegionSnapshot& measured, uint64_t samples,
                                  int64_t window_ns) {
  const uint64_t sample_us = bandwidth_.sample_us();
  double hits = 0;
  for (const Region& region : measured.regions) hits += region.nr_accesses;
  const double checks =
      static_cast<double>(measured.regions.size()) * static_cast<double>(samples);
  bandwidth_.add_check(in_use_share_ * hits / std::max(checks, 1.0), window_ns / static_cast<int64_t>(samples));
  bandwidth_.end_checks(kTuneNs);
  const uint64_t now_us = bandwidth_.sample_us();
  return std::max(now_us, sample_us) - std::min(now_us, sample_us) > sample_us / 4;
}

void AccessRates::add_counted(const RegionSnapshot& counted, uint32_t nr_periods) {
  counted_pages_ *= kKeptShare;
  counted_accesses_ *= kKeptShare;
  for (const Region& region : counted.regions) {
    if (region.nr_accesses == 0 || region.nr_accesses >= nr_periods) continue;
    counted_pages_ += 1;
    counted_accesses_ += region.nr_accesses;
  }
}

void AccessRates::add_now_and_then(double share, int64_t recent_ns, int64_t time_ns,
                                   int64_t period_ns) {
  constexpr double kEnoughPages = 3;
  double accesses = 1;
  if (counted_pages_ >= kEnoughPages) accesses = counted_accesses_ / counted_pages_;
  // A page counts once per sampling interval at most.
  if (sample_ns() > period_ns) {
    accesses = std::min(accesses, std::max(static_cast<double>(recent_ns) /
                                               static_cast<double>(sample_ns()),
                                           1.0));
  }
  const double times = static_cast<double>(time_ns) / static_cast<double>(std::max<int64_t>(recent_ns, 1));
  bandwidth_.add_round(share * accesses * times, time_ns);
}

}  // namespace damon_statfs
