// SPDX-License-Identifier: GPL-2.0-or-later
//
// One sampling interval in the kernel's order: check, and at the end of an aggregation age, merge,
// publish, tune, reset, split; then prepare the next checks. What differs from the kernel's loop
// is asked of the rules.
#include "engine/regions/sampler.h"

#include <algorithm>
#include <cerrno>

#include "engine/base/memory_ranges.h"
#include "engine/base/wide.h"
#include "engine/estimate/tuner.h"

namespace damon_statfs {

Sampler::Sampler(const SamplerConfig& config, RegionChecks& checks, const Clock& clock,
                 MonitoringObserver& observer)
    : checks_(checks),
      clock_(clock),
      observer_(observer),
      cancelled_(config.cancelled),
      min_region_bytes_(config.min_region_bytes),
      rules_(config.rules),
      aggr_samples_(samples_per_aggr(normalised(config.attrs))),
      random_(config.seed),
      max_cpu_percent_(config.max_cpu_percent),
      budget_(max_cpu_percent_, clock.now_ns(), clock.thread_cpu_ns()),
      attrs_(normalised(config.attrs)),
      tuned_sample_us_(attrs_.sample_us) {}

Result<void> Sampler::start() {
  DAMON_STATFS_TRY(ranges, checks_.open());
  monitored_bytes_ = total_bytes(ranges);
  const int64_t now_ns = clock_.now_ns();
  // What opening has cost is paid.
  budget_ = CpuBudget(max_cpu_percent_, now_ns, clock_.thread_cpu_ns());
  next_aggr_sample_ = samples_per_aggr(attrs_);
  next_tune_sample_ = next_aggr_sample_ * attrs_.goal.aggrs;
  next_update_ns_ = now_ns + static_cast<int64_t>(attrs_.update_us) * kNsPerUs;
  aggr_start_ns_ = deadline_ns_ = now_ns;
  aggr_suspended_ns_ = clock_.suspended_ns();

  Result<void> prepared = fit_to_ranges(ranges);
  if (prepared) prepared = prepare_access_checks();
  if (!prepared) checks_.close();
  arm_deadline();
  return prepared;
}

Result<void> Sampler::step() {
  BOOST_OUTCOME_TRYV(for_all_regions(&RegionChecks::check_accesses));
  ++passed_samples_;
  nr_checks_ += regions_.size();
  observer_.after_sampling(view());
  const int64_t suspended_ns = clock_.suspended_ns();
  if (rules_.real_time && suspended_ns > aggr_suspended_ns_ + kSuspendNoiseNs) {
    restart_aggregation(suspended_ns);
  }
  if (passed_samples_ >= next_aggr_sample_) end_aggregation();
  BOOST_OUTCOME_TRYV(update_if_due());
  BOOST_OUTCOME_TRYV(prepare_access_checks());
  arm_deadline();
  return outcome::success();
}

// The interval itself changes at the end of this aggregation, as all of its changes do.
void Sampler::change(const RunSettings& settings) {
  if (settings.max_cpu_percent != max_cpu_percent_) {
    max_cpu_percent_ = settings.max_cpu_percent;
    budget_ = CpuBudget(max_cpu_percent_, clock_.now_ns(), clock_.thread_cpu_ns());
  }
  if (settings.goal == attrs_.goal) return;
  attrs_.goal = settings.goal;
  next_tune_sample_ =
      next_aggr_sample_ + aggr_samples_ * (std::max<uint64_t>(attrs_.goal.aggrs, 1) - 1);
  MonitoringAttrs tuned = attrs_;
  tuned.sample_us = tuned_sample_us_;
  tuned_sample_us_ = within_goal(tuned).sample_us;
}

void Sampler::stop() {
  observer_.before_stop();
  checks_.close();
}

RegionsView Sampler::view() const {
  return {regions_, attrs_, clock_.now_ns(), nr_checks_, attrs_.sample_us};
}

Result<void> Sampler::fit_to_ranges(std::span<const AddressRange> ranges) {
  BOOST_OUTCOME_TRYV(set_regions(regions_, ranges, min_region_bytes_, clock_.now_ns()));
  max_region_bytes_ = apply_min_nr_regions(regions_, attrs_.min_nr_regions, min_region_bytes_);
  return outcome::success();
}

Result<void> Sampler::prepare_access_checks() {
  for (Region& region : regions_) {
    region.sampling_addr = random_.in_range(region.start, region.end);
  }
  return for_all_regions(&RegionChecks::prepare_access_checks);
}

// In portions, so that a stop does not have to wait for all of a hundred thousand regions.
Result<void> Sampler::for_all_regions(CheckFunction function) {
  constexpr size_t kPortion = 1024;
  std::span<Region> rest(regions_);
  while (!rest.empty()) {
    const size_t portion = std::min(kPortion, rest.size());
    BOOST_OUTCOME_TRYV((checks_.*function)(rest.first(portion)));
    rest = rest.subspan(portion);
    if (!rest.empty() && cancelled_()) return failure(ECANCELED, "stopped");
  }
  return outcome::success();
}

// Ticks that came late, for want of CPU time or budget, were longer sampling intervals than
// the nominal ones. What is published says so; otherwise the bandwidth would be too high by as
// much.
void Sampler::admit_lateness() {
  const int64_t passed_us = (clock_.now_ns() - aggr_start_ns_) / kNsPerUs;
  const uint64_t sample_us = static_cast<uint64_t>(passed_us) / samples_per_aggr(attrs_);
  if (sample_us > attrs_.sample_us + attrs_.sample_us / 4) set_sample_us(sample_us);
}

void Sampler::end_aggregation() {
  if (rules_.real_time) admit_lateness();
  uint32_t max_nr_accesses = 0;
  for (const Region& region : regions_) {
    max_nr_accesses = std::max(max_nr_accesses, region.nr_accesses);
  }
  const uint32_t threshold = max_nr_accesses / 10;
  age_regions(regions_, threshold, aggr_start_ns_);
  merge(threshold);
  max_region_bytes_ = apply_min_nr_regions(regions_, attrs_.min_nr_regions, min_region_bytes_);
  observer_.after_aggregation(view());

  const bool tuned = tune_intervals();
  const uint64_t sample_us = std::max(tuned_sample_us_, budget_.end_aggregation_min_sample_us());
  // The kernel converts everything at each tuning, whether or not its bounds leave a change.
  const bool converts = tuned && !rules_.exact_counts;
  if (sample_us != attrs_.sample_us || converts) set_sample_us(sample_us);
  next_aggr_sample_ = passed_samples_ + samples_per_aggr(attrs_);
  reset_aggregated(regions_);
  splitter_.split(regions_, attrs_.max_nr_regions, min_region_bytes_, random_);
  aggr_start_ns_ = clock_.now_ns();
}

void Sampler::merge(uint32_t threshold) {
  if (rules_.keeps_ages_apart) {
    merge_alike(regions_, threshold, max_region_bytes_, clock_.now_ns());
    if (regions_.size() <= attrs_.max_nr_regions) return;
  }
  merge_to_fit(regions_, threshold, max_region_bytes_, attrs_.max_nr_regions,
               samples_per_aggr(attrs_));
}

// Returns: whether it is time to, and the accesses seen were not what the goal wants.
bool Sampler::tune_intervals() {
  if (attrs_.goal.aggrs == 0 || passed_samples_ < next_tune_sample_) return false;
  next_tune_sample_ += aggr_samples_ * attrs_.goal.aggrs;
  const uint64_t score_bp = intervals_score_bp(regions_, aggr_samples_, attrs_.goal.access_bp);
  const uint64_t adaptation_bp = intervals_adaptation_bp(score_bp);
  if (adaptation_bp == 10'000) return false;
  tuned_sample_us_ = tuned_sample_us(attrs_.sample_us, adaptation_bp, attrs_.goal);
  return true;
}

// The number of samples per aggregation stays as first configured.
void Sampler::set_sample_us(uint64_t sample_us) {
  const MonitoringAttrs changed =
      with_intervals(attrs_, sample_us, mul_div(sample_us, aggr_samples_, 1));
  const auto convert = rules_.exact_counts ? rescale : rescale_in_bp;
  for (Region& region : regions_) convert(region, attrs_, changed);
  attrs_ = changed;
}

// What a suspended machine did not access is not idle, and what its waking up accessed is not hot:
// this aggregation's counts are dropped.
void Sampler::restart_aggregation(int64_t suspended_ns) {
  aggr_suspended_ns_ = suspended_ns;
  aggr_start_ns_ = clock_.now_ns();
  next_aggr_sample_ = passed_samples_ + samples_per_aggr(attrs_);
  for (Region& region : regions_) region.nr_accesses = 0;
}

Result<void> Sampler::update_if_due() {
  const int64_t now_ns = clock_.now_ns();
  if (now_ns < next_update_ns_) return outcome::success();
  next_update_ns_ = now_ns + static_cast<int64_t>(attrs_.update_us) * kNsPerUs;
  DAMON_STATFS_TRY(ranges, checks_.update());
  return fit_to_ranges(ranges);
}

// One sampling interval after the last deadline, or after now when the work has fallen behind:
// checking right after preparing would find everything idle. The kernel sleeps for an interval
// after its work, always.
void Sampler::arm_deadline() {
  const int64_t now_ns = clock_.now_ns();
  const int64_t interval_ns = static_cast<int64_t>(attrs_.sample_us) * kNsPerUs;
  deadline_ns_ += interval_ns;
  if (!rules_.real_time || deadline_ns_ < now_ns + interval_ns / 2) {
    deadline_ns_ = now_ns + interval_ns;
  }
  deadline_ns_ = std::max(deadline_ns_, budget_.account_tick(now_ns, clock_.thread_cpu_ns()));
}

}  // namespace damon_statfs
