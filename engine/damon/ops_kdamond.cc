// SPDX-License-Identifier: GPL-2.0-or-later
//
// The kernel samples, we look at its regions once per refresh. In between the events are off, so
// that neither side pays for what is not read.
#include "engine/damon/ops_kdamond.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>

#include "engine/base/memory_ranges.h"
#include "engine/base/wide.h"
#include "engine/damon/damon_sysfs.h"
#include "engine/damon/damon_users.h"
#include "engine/damon/kdamond_orphan.h"
#include "engine/damon/kdamond_ranges.h"
#include "engine/damon/ops_kdamond_pages.h"

namespace damon_statfs {
namespace {

constexpr uint64_t kMaxCallMs = 60'000;
constexpr int64_t kCheckNs = 3 * kNsPerSecond;  // how often the kdamond is looked after
constexpr double kAdmittedRatio = 1.25;  // real per nominal; from then on real time is published

}  // namespace

KdamondOperations::KdamondOperations(const OperationsContext& context,
                                     std::shared_ptr<const KernelFiles> files,
                                     OpenEvents open_events)
    : context_(context),
      attrs_(normalised(context.attrs)),
      files_(std::move(files)),
      open_events_(std::move(open_events)) {}

Result<std::vector<AddressRange>> KdamondOperations::open() {
  BOOST_OUTCOME_TRYV(read_nr_kdamonds(*files_));  // is there an interface at all?
  DAMON_STATFS_TRY(ranges, kdamond_ranges(context_, *files_));
  BOOST_OUTCOME_TRYV(own_.claim());
  setup_ = {attrs_, ranges, false, attrs_.sample_us};
  const Result<void> started = start();
  if (!started) {
    stop();
    return started.as_failure();
  }
  log_left_out(context_, ranges);
  return std::move(ranges);
}

Result<void> KdamondOperations::start() {
  BOOST_OUTCOME_TRYV(own_.make(attrs_.update_us));
  BOOST_OUTCOME_TRYV(choose_source());
  BOOST_OUTCOME_TRYV(kdamond().stage(setup_));
  BOOST_OUTCOME_TRYV(choose_tuner());
  BOOST_OUTCOME_TRYV(own_.turn_on());
  complete_ns_ = context_.clock->now_ns();
  nominal_time_.emplace(complete_ns_);
  next_check_ns_ = complete_ns_ + kCheckNs;
  want_next(complete_ns_, !we_tune_);
  return open_source();
}

void KdamondOperations::stop() {
  forget_recording();
  own_.stop(changed_by_others_);
}

Result<std::optional<Aggregation>> KdamondOperations::collect() {
  const int64_t now_ns = context_.clock->now_ns();
  if (now_ns >= next_check_ns_) {
    next_check_ns_ = now_ns + kCheckNs;
    BOOST_OUTCOME_TRYV(check_ownership());
    BOOST_OUTCOME_TRYV(follow_goal());
  }
  const int64_t begin_ns = recording_ ? wanted_ns_ - window_ns() : wanted_ns_;
  if (now_ns < begin_ns) {
    due_ns_ = std::min(begin_ns, next_check_ns_);
    return std::optional<Aggregation>();
  }
  DAMON_STATFS_TRY(snapshot, recording_ ? take_recorded() : take_tried_regions());
  due_ns_ = std::min(due_ns_, next_check_ns_);
  if (!snapshot) return std::optional<Aggregation>();
  DAMON_STATFS_TRY(aggregation, deliver(std::move(*snapshot)));
  return std::optional<Aggregation>(std::move(aggregation));
}

Result<std::vector<AddressRange>> KdamondOperations::update() {
  DAMON_STATFS_TRY(ranges, kdamond_ranges(context_, *files_));
  if (ranges == setup_.ranges) return std::move(ranges);
  KdamondSetup wanted = setup_;
  wanted.ranges = ranges;
  DAMON_STATFS_TRY(in_force, commit(wanted));
  if (!in_force) return setup_.ranges;  // at the next update, then
  forget_recording();
  context_.log(LogLevel::kInfo,
               fmt::format("memory has changed: {} MiB", total_bytes(setup_.ranges) >> 20));
  BOOST_OUTCOME_TRYV(open_source());
  return std::move(ranges);
}

// Puts `wanted` in force. Returns: false if another program holds the interface just then.
Result<bool> KdamondOperations::commit(const KdamondSetup& wanted) {
  BOOST_OUTCOME_TRYV(kdamond().verify(setup_));
  Result<KdamondSetup> committed = kdamond().commit(setup_, wanted);
  if (failed_with(committed, EBUSY)) return false;
  if (!committed) return committed.as_failure();
  setup_ = std::move(committed.value());
  return true;
}

uint64_t KdamondOperations::nr_dropped() const {
  return dropped_before_ + (recording_ ? recording_->dropped() : 0);
}

void KdamondOperations::close() noexcept {
  try {
    stop();
  } catch (const std::exception& error) {
    log_quietly(context_.log, LogLevel::kError,
                [&] { return fmt::format("kdamond {}: {}", own_.pid(), error.what()); });
  }
}

// Whether our kdamond is there, as we have set it up. Unknown counts as yes: another program may
// hold the interface for long.
Result<void> KdamondOperations::check_ownership() {
  const Result<bool> is_ours = kdamond().is_pid(own_.pid());
  if (failed_with(is_ours, EBUSY)) return outcome::success();
  if (!is_ours || !is_ours.value()) {
    return failure(ESRCH,
                   fmt::format("kdamond {} has been stopped by another program", own_.pid()));
  }
  const Result<void> verified = kdamond().verify(setup_);
  if (verified) return outcome::success();
  changed_by_others_ = true;
  return failure(verified.error().code.value(),
                 fmt::format("kdamond {}: {}", own_.pid(), verified.error().context));
}

Result<Aggregation> KdamondOperations::deliver(RegionSnapshot snapshot) {
  const int64_t now_ns = context_.clock->now_ns();
  Aggregation aggregation;
  aggregation.aggr_us = setup_.attrs.aggr_us;
  aggregation.sample_us = setup_.attrs.sample_us;
  if (real_per_nominal_ > kAdmittedRatio) {
    aggregation.aggr_us =
        to_u64_saturated(std::round(static_cast<double>(setup_.attrs.aggr_us) * real_per_nominal_));
  }
  nominal_time_->advance(snapshot.ended_ns, real_per_nominal_);
  const int64_t nominal_window_ns = times_ns(setup_.attrs.aggr_us, kNsPerUs);
  for (Region& region : snapshot.regions) {
    region.since_ns =
        nominal_time_->before_now_ns(times_ns(uint64_t{region.age} + 1, nominal_window_ns));
  }
  aggregation.regions = std::move(snapshot.regions);
  complete_ns_ = now_ns;
  bool settled = true;
  if (we_tune_) {
    DAMON_STATFS_TRY(unchanged, tune(aggregation.regions));
    settled = unchanged;
  }
  want_next(now_ns, settled);
  return aggregation;
}

// The next aggregation is wanted for the next refresh; while our tuning has not settled, for that.
void KdamondOperations::want_next(int64_t now_ns, bool settled) {
  wanted_ns_ = next_refresh_ns(context_.refresh_ms, now_ns);
  if (!settled) {
    wanted_ns_ = std::min(wanted_ns_, now_ns + times_ns(attrs_.goal.aggrs, window_ns()));
  }
  if (recording_) recording_->rest_until(wanted_ns_ - window_ns(), now_ns, window_ns());
  if (!recording_ || !recording_->recording()) {
    due_ns_ = std::min(wanted_ns_ - window_ns(), next_check_ns_);
  }
}

namespace {

Result<std::string> probe(const OperationsContext& context, const KernelFiles& files) {
  BOOST_OUTCOME_TRYV(read_nr_kdamonds(files));
  BOOST_OUTCOME_TRYV(files.check_writable(nr_kdamonds_path()));
  DAMON_STATFS_TRY(ranges, kdamond_ranges(context, files));
  DAMON_STATFS_TRY(record, KdamondRecord::open_existing(context.rootfs, files, *context.clock));
  if (!record || !is_orphan(context, files, *record)) {
    BOOST_OUTCOME_TRYV(refuse_unyielding_users(
        context, [&](DamonStatUse damon_stat) { return refuse_damon_users(files, damon_stat); }));
  }
  DAMON_STATFS_TRY(yields, yield_text(context, files));
  const Result<std::string> events = find_aggregated_events(files);
  return fmt::format("{}, {}, {} MiB{}", kKdamondsDirectory,
                     events ? fmt::format("pages or regions from {}", events.value())
                            : "regions from tried_regions",
                     total_bytes(ranges) >> 20, yields);
}

}  // namespace

OperationsSet kdamond_operations() {
  OperationsSet set;
  set.name = "kdamond";
  set.probe = [](const OperationsContext& context) {
    return probe(context, RootedKernelFiles(context.rootfs));
  };
  set.probe_pages = [](const OperationsContext& context) {
    return probe_kdamond_pages(RootedKernelFiles(context.rootfs));
  };
  set.add_factory<DeliveredRegions>(
      [](const OperationsContext& context) -> std::unique_ptr<DeliveredRegions> {
        const auto files = std::make_shared<RootedKernelFiles>(context.rootfs);
        return std::make_unique<KdamondOperations>(context, files, events_of(files, context.log));
      });
  set.add_factory<ObservedPages>(
      [](const OperationsContext& context) -> std::unique_ptr<ObservedPages> {
        const auto files = std::make_shared<RootedKernelFiles>(context.rootfs);
        return std::make_unique<KdamondPages>(context, files, events_of(files, context.log),
                                              static_cast<uint64_t>(sysconf(_SC_PAGESIZE)));
      });
  set.recover = [](const OperationsContext& context) {
    stop_orphaned_kdamond(context, RootedKernelFiles(context.rootfs));
  };
  set.max_call_ms = kMaxCallMs;
  set.yields_damon_stat = true;
  set.unused_options = {"regions", "seed"};
  return set;
}

}  // namespace damon_statfs
