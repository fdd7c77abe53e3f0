// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which pages, how many of them, and what their states say. How the states come about is the
// source's business.
#include "engine/pages/page_sampler.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <utility>

#include "engine/base/memory_ranges.h"
#include "engine/base/wide.h"

namespace damon_statfs {
namespace {

constexpr int64_t kAdaptNs = 5 * kNsPerSecond;  // about; the sample's size to its cost
// The whole sample is another one after 100 times as long, which is 17 hours.
constexpr int64_t kRenewalNs = 600 * kNsPerSecond;
constexpr uint64_t kRenewals = 100;

// Of those that are known; without any, not a number.
double largest(const std::array<double, 3>& values) {
  double found = PageStatistics::kUnknown;
  for (const double value : values) found = std::fmax(found, value);
  return found;
}

}  // namespace

PageSampler::PageSampler(const PageSamplerConfig& config, ObservedPages& pages, const Clock& clock,
                         MonitoringObserver& observer)
    : pages_(pages),
      clock_(clock),
      observer_(observer),
      update_ns_(static_cast<int64_t>(normalised(config.attrs).update_us) * kNsPerUs),
      max_cpu_percent_(config.max_cpu_percent),
      excluded_(config.excluded),
      log_(config.log),
      sample_(config.page_bytes, config.seed ^ 0x70616765, pages.sample_shape()),
      size_(config.max_cpu_percent, pages.sample_shape()) {}

// What it takes to begin is not held against max_cpu.
Result<void> PageSampler::start() {
  DAMON_STATFS_TRY(ranges, pages_.open());
  set_ranges(std::move(ranges));
  Result<void> drawn = draw_sample();
  if (!drawn) {
    pages_.close();
    return drawn;
  }
  last_cpu_ns_ = cpu_ns();
  last_adapted_ns_ = clock_.now_ns();
  next_update_ns_ = last_adapted_ns_ + update_ns_;
  next_renewal_ns_ = last_adapted_ns_ + kRenewalNs;
  return outcome::success();
}

void PageSampler::stop() {
  observer_.before_stop();
  pages_.close();
}

void PageSampler::change(const RunSettings& settings) {
  pages_.change(settings);
  if (settings.max_cpu_percent == max_cpu_percent_) return;
  max_cpu_percent_ = settings.max_cpu_percent;
  size_.set_max_cpu_percent(max_cpu_percent_);
  warned_ = false;
}

Result<void> PageSampler::step() {
  DAMON_STATFS_TRY(progress, pages_.step());
  if (progress == ObservedPages::Progress::kNone) return outcome::success();
  if (progress == ObservedPages::Progress::kRefresh) refresh();
  return adapt_sample();
}

void PageSampler::set_ranges(std::vector<AddressRange> ranges) {
  ranges_ = std::move(ranges);
  monitored_bytes_ = total_bytes(ranges_);
}

Result<void> PageSampler::draw_sample() {
  sample_.fit(ranges_, size_.nr_words(), clock_.now_ns());
  return pages_.select(sample_.pages());
}

int64_t PageSampler::cpu_ns() const {
  return clock_.thread_cpu_ns() + pages_.facts().kdamond_cpu_ns;
}

void PageSampler::refresh() {
  sample_.update(pages_.states());
  take_statistics();
  const AccessRate rate = pages_.take_access_rate();
  Statistics statistics;
  statistics.aggr_interval_us = rate.aggr_us;
  statistics.estimated_memory_bandwidth_bytes_per_s =
      to_u64_saturated(rate.per_page_s * static_cast<double>(monitored_bytes_));
  statistics.memory_idle_ms_percentiles = found_.memory_idle_ms_percentiles;
  MonitoringDetails details;
  details.monitored_bytes = monitored_bytes_;
  details.sample_us = rate.sample_us;
  details.aggr_us = rate.aggr_us;
  details.nr_checks = pages_.nr_checks();
  details.share_percent = found_.share_percent;
  PageDetails pages;
  pages.untracked_bytes = monitored_bytes_in(found_.untracked_share);
  pages.unmapped_cache_bytes = monitored_bytes_in(found_.unmapped_cache_share);
  pages.nr_pages = sample_.pages().size();
  pages.check_period_ms = static_cast<uint64_t>(pages_.period_ns() / kNsPerMs);
  pages.share_error_percent = found_.share_error_percent;
  details.by_estimator = pages;
  observer_.refreshed(statistics, details);
}

std::optional<uint64_t> PageSampler::monitored_bytes_in(double share) const {
  if (std::isnan(share)) return std::nullopt;
  return to_u64_saturated(share * static_cast<double>(monitored_bytes_));
}

// No page is no value: zeros would say that all memory is in use. The last values stay.
void PageSampler::take_statistics() {
  const PageStatistics found = make_page_statistics(sample_, excluded_, clock_.now_ns());
  const bool none_counted = none_counts_;
  none_counts_ = found.nr_pages == 0;
  if (!none_counts_) {
    found_ = found;
    return;
  }
  found_.untracked_share = found.untracked_share;
  found_.unmapped_cache_share = found.unmapped_cache_share;
  if (none_counted) return;
  log_(LogLevel::kWarning,
       fmt::format("{} leaves nothing: no page of the sample can be tracked{}, so the idle times "
                   "stay as they were until one can",
                   to_option(excluded_),
                   excluded_ == ExcludedPages::kUnmapped ? " and is mapped" : ""));
}

Result<void> PageSampler::adapt_sample() {
  const uint64_t words_before = size_.nr_words();
  const bool resized = adapt_size();
  pages_.spare_checks(size_.few_checks());
  DAMON_STATFS_TRY(moved, update_if_due());
  const bool renewed = renew_if_due();
  if (!resized && !moved && !renewed) return outcome::success();
  sample_.update(pages_.states());
  if (renewed) sample_.forget_part(kRenewals);
  if (moved || renewed || size_.nr_words() > words_before) {
    BOOST_OUTCOME_TRYV(draw_sample());
  } else {
    sample_.thin(size_.nr_words());
    BOOST_OUTCOME_TRYV(pages_.select(sample_.pages()));
  }
  log_(LogLevel::kDebug, fmt::format("the sample has {} pages now", sample_.pages().size()));
  return outcome::success();
}

// Or an unlucky draw would stay for as long as monitoring is on.
bool PageSampler::renew_if_due() {
  const int64_t now_ns = clock_.now_ns();
  if (now_ns < next_renewal_ns_) return false;
  next_renewal_ns_ = now_ns + kRenewalNs;
  return true;
}

// Returns: whether the sample has another size from now on.
bool PageSampler::adapt_size() {
  const int64_t now_ns = clock_.now_ns();
  const int64_t real_ns = now_ns - last_adapted_ns_;
  if (real_ns <= kAdaptNs - pages_.period_ns() / 2) return false;
  const int64_t used_ns = cpu_ns();
  const bool resized =
      size_.adapt(used_ns - last_cpu_ns_, real_ns, largest(found_.share_error_percent));
  last_cpu_ns_ = used_ns;
  last_adapted_ns_ = now_ns;
  warn_if_over_budget();
  return resized;
}

// Returns: whether memory is where it was not before.
Result<bool> PageSampler::update_if_due() {
  const int64_t now_ns = clock_.now_ns();
  if (now_ns < next_update_ns_) return false;
  next_update_ns_ = now_ns + update_ns_;
  DAMON_STATFS_TRY(ranges, pages_.update());
  const bool moved = ranges != ranges_;
  set_ranges(std::move(ranges));
  return moved;
}

void PageSampler::warn_if_over_budget() {
  if (!size_.over_budget() || warned_) return;
  warned_ = true;
  log_(LogLevel::kWarning,
       fmt::format("max_cpu={:g} is too little for the smallest sample ({} pages); it is used all "
                   "the same",
                   max_cpu_percent_, sample_.pages().size()));
}

}  // namespace damon_statfs
