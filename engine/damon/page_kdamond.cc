// SPDX-License-Identifier: GPL-2.0-or-later
//
// What it takes to keep a region a page: no goal that would tune the intervals, no scheme, and room
// for all regions, so that the kernel never merges for want of it.
#include "engine/damon/page_kdamond.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "engine/base/text.h"

namespace damon_statfs {

KdamondSetup PageKdamond::make_setup(std::span<const uint64_t> addrs,
                                     KdamondIntervals intervals) const {
  constexpr uint64_t kMoreRegions = 10;
  KdamondSetup setup;
  setup.attrs.sample_us = intervals.sample_us;
  setup.attrs.aggr_us = intervals.aggr_us;
  setup.attrs.min_nr_regions = kMinRegions;
  setup.attrs.max_nr_regions = addrs.size() + kMoreRegions;
  setup.attrs.goal = {0, 0, 0, 0};
  setup.ranges.reserve(addrs.size());
  for (const uint64_t addr : addrs) setup.ranges.push_back({addr, addr + page_bytes_});
  return setup;
}

Result<void> PageKdamond::stage(std::span<const uint64_t> addrs, KdamondIntervals intervals) {
  setup_ = make_setup(addrs, intervals);
  return own_.kdamond(index_).stage(setup_);
}

Result<void> PageKdamond::turn_on() {
  Result<void> on = own_.turn_on(index_);
  if (failed_with(on, EINVAL)) {
    return failure(ENOTSUP, fmt::format("the kernel's DAMON refuses regions of one page ({})",
                                        on.error().context));
  }
  if (!on) return on;
  Result<std::unique_ptr<AggregatedEvents>> events =
      open_events_(pid(), setup_.attrs.max_nr_regions);
  if (!events) return failure(ENOTSUP, events.error().context);
  constexpr uint64_t kUnknownBytes = 0;
  constexpr bool kNeedsWindow = false;
  events_ =
      std::make_unique<RegionSnapshots>(std::move(events.value()), kUnknownBytes, kNeedsWindow);
  return outcome::success();
}

Result<void> PageKdamond::turn_off() {
  ask_cpu_time();
  ended_cpu_ns_ += std::exchange(thread_cpu_ns_, 0);
  forget_events();
  return own_.turn_off(index_);
}

void PageKdamond::forget_events() {
  dropped_before_ = dropped();
  events_.reset();
}

Result<bool> PageKdamond::commit(std::span<const uint64_t> addrs, KdamondIntervals intervals) {
  Kdamond& kdamond = own_.kdamond(index_);
  const Result<void> verified = kdamond.verify(setup_);
  if (failed_with(verified, EBUSY)) return verified.as_failure();
  Result<KdamondSetup> committed = kdamond.commit(setup_, make_setup(addrs, intervals));
  if (failed_with(committed, EBUSY)) return false;
  if (!committed) {
    return failure(committed.error().code.value(),
                   fmt::format("kdamond {}: the kernel does not take other pages for it ({})",
                               pid(), committed.error().context));
  }
  setup_ = std::move(committed.value());
  return true;
}

Result<void> PageKdamond::verify_on() const {
  const Result<bool> is_ours = own_.kdamond(index_).is_pid(pid());
  if (failed_with(is_ours, EBUSY) || (is_ours && is_ours.value())) return outcome::success();
  return failure(ESRCH, fmt::format("kdamond {} has been stopped by another program", pid()));
}

Result<void> PageKdamond::verify_staged() const {
  const Result<void> verified = own_.kdamond(index_).verify(setup_);
  if (verified) return outcome::success();
  return failure(verified.error().code.value(),
                 fmt::format("kdamond {}: {}", pid(), verified.error().context));
}

Result<void> PageKdamond::record() { return events_->begin(); }

void PageKdamond::rest() noexcept {
  if (events_) events_->end();
}

Result<std::optional<RegionSnapshot>> PageKdamond::poll() {
  std::optional<RegionSnapshot> snapshot = events_->poll();
  if (!snapshot) return std::optional<RegionSnapshot>();
  const auto larger =
      std::find_if(snapshot->regions.begin(), snapshot->regions.end(),
                   [this](const Region& region) { return region.size_bytes() != page_bytes_; });
  if (larger == snapshot->regions.end()) return snapshot;
  return failure(ENOTSUP,
                 fmt::format("the kernel's DAMON makes regions of {} bytes of single pages",
                             larger->size_bytes()));
}

// The first number of the file is the time on a CPU, in ns; kernels without scheduler statistics
// have no such file, and then the kdamonds' time is not known.
void PageKdamond::ask_cpu_time() {
  if (!is_on()) return;
  const Result<std::string> text = files_.read(fmt::format("/proc/{}/schedstat", pid()));
  if (!text) return;
  std::string_view words = text.value();
  thread_cpu_ns_ = parse_number<int64_t>(take_word(words)).value_or(thread_cpu_ns_);
}

}  // namespace damon_statfs
