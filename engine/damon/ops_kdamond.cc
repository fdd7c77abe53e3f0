// SPDX-License-Identifier: GPL-2.0-or-later
//
// The kernel samples, we look at its regions once per refresh. In between the events are off, so
// that neither side pays for what nobody reads.
#include "engine/damon/ops_kdamond.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>

#include "engine/base/memory_ranges.h"
#include "engine/base/wide.h"
#include "engine/damon/damon_sysfs.h"
#include "engine/damon/damon_users.h"
#include "engine/damon/kdamond_orphan.h"
#include "engine/damon/kdamond_threads.h"
#include "engine/regions/regions.h"

namespace damon_statfs {
namespace {

constexpr uint64_t kMaxCloseMs = 60'000;
constexpr int64_t kMaxOffNs = 55 * kNsPerSecond;
constexpr int64_t kCheckNs = 3 * kNsPerSecond;       // how often the kdamond is looked after
constexpr int64_t kRefreshMarginNs = 20 * kNsPerMs;  // the engine's clock is read a little later
constexpr int64_t kMinPollNs = 10 * kNsPerMs;
constexpr int64_t kMaxPollNs = kNsPerSecond;
constexpr double kAdmittedStretch = 1.25;  // from then on the real time is published, see Sampler
constexpr uint64_t kMaxMark = 999'999;

Result<std::vector<AddressRange>> page_aligned_ranges(const OperationsContext& context,
                                                      const KernelFiles& files) {
  DAMON_STATFS_TRY(monitored, monitored_ranges(context, files));
  Regions regions;
  BOOST_OUTCOME_TRYV(
      set_regions(regions, monitored, static_cast<uint64_t>(sysconf(_SC_PAGESIZE)), 0));
  std::vector<AddressRange> ranges;
  for (const Region& region : regions) ranges.push_back({region.start, region.end});
  return ranges;
}

// An update interval of a few microseconds more than asked for, which is different at each start.
uint64_t make_mark(const Clock& clock, uint64_t update_us) {
  const auto now_us = static_cast<uint64_t>(clock.now_ns() / kNsPerUs);
  const auto pid = static_cast<uint64_t>(getpid());
  return update_us + 1 + (now_us ^ pid << 10) % kMaxMark;
}

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
  DAMON_STATFS_TRY(ranges, page_aligned_ranges(context_, *files_));
  DAMON_STATFS_TRY(record, KdamondRecord::open(context_.rootfs, *files_, *context_.clock));
  BOOST_OUTCOME_TRYV(stop_orphan(context_, *files_, record));
  BOOST_OUTCOME_TRYV(refuse_damon_users(*files_));
  record_ = std::move(record);
  setup_ = {attrs_, ranges, false, attrs_.sample_us};
  const Result<void> started = start();
  if (!started) {
    let_go();
    return started.as_failure();
  }
  log_left_out(context_, ranges);
  return std::move(ranges);
}

// Each step is recorded before it is taken, so that a crash leaves nothing unknown.
Result<void> KdamondOperations::start() {
  DAMON_STATFS_TRY(boot, boot_id(*files_));
  KdamondOwnership ownership{boot, make_mark(*context_.clock, attrs_.update_us), false, -1,
                             getpid()};
  BOOST_OUTCOME_TRYV(record_->write(ownership));
  admin_.emplace(*files_, *context_.clock, ownership.mark);
  BOOST_OUTCOME_TRYV(admin_->make());
  ownership.marked = true;
  BOOST_OUTCOME_TRYV(record_->write(ownership));
  BOOST_OUTCOME_TRYV(choose_source());
  BOOST_OUTCOME_TRYV(kdamond().stage(setup_));
  BOOST_OUTCOME_TRYV(choose_tuner());
  DAMON_STATFS_TRY(pid, kdamond().turn_on());
  pid_ = ownership.pid = pid;
  BOOST_OUTCOME_TRYV(record_->write(ownership));
  complete_ns_ = context_.clock->now_ns();
  planned_time_.emplace(complete_ns_);
  next_check_ns_ = complete_ns_ + kCheckNs;
  want_next(complete_ns_, !we_tune_);
  return open_source();
}

// Regions are read through tried_regions where there are no trace events, or none that may be read.
Result<void> KdamondOperations::choose_source() {
  const Result<std::string> events = find_aggregated_events(*files_);
  setup_.stat_scheme = !events;
  if (events) return outcome::success();
  if (!failed_with(events, ENOENT) && !is_forbidden(events)) return events.as_failure();
  log_tried_regions(events.error());
  return outcome::success();
}

Result<void> KdamondOperations::open_source() {
  if (setup_.stat_scheme) return outcome::success();
  Result<std::unique_ptr<AggregatedEvents>> events =
      open_events_(pid_, setup_.attrs.max_nr_regions);
  if (events) {
    snapshots_ =
        std::make_unique<RegionSnapshots>(std::move(events.value()), total_bytes(setup_.ranges));
    return outcome::success();
  }
  log_tried_regions(events.error());
  return read_through_scheme();
}

void KdamondOperations::log_tried_regions(const Error& why_no_events) const {
  context_.log(LogLevel::kInfo,
               fmt::format("regions are read through tried_regions: {}", why_no_events.context));
}

Result<void> KdamondOperations::read_through_scheme() {
  KdamondSetup wanted = setup_;
  wanted.stat_scheme = true;
  DAMON_STATFS_TRY(in_force, kdamond().commit(setup_, wanted));
  setup_ = std::move(in_force);
  return outcome::success();
}

Result<std::optional<Aggregation>> KdamondOperations::collect() {
  const int64_t now_ns = context_.clock->now_ns();
  if (now_ns >= next_check_ns_) {
    next_check_ns_ = now_ns + kCheckNs;
    BOOST_OUTCOME_TRYV(check_ownership());
    BOOST_OUTCOME_TRYV(follow_goal());
  }
  const int64_t begin_ns = snapshots_ ? wanted_ns_ - window_ns() : wanted_ns_;
  if (now_ns < begin_ns) {
    due_ns_ = std::min(begin_ns, next_check_ns_);
    return std::optional<Aggregation>();
  }
  DAMON_STATFS_TRY(snapshot, snapshots_ ? take_recorded() : take_tried_regions());
  due_ns_ = std::min(due_ns_, next_check_ns_);
  if (!snapshot) return std::optional<Aggregation>();
  DAMON_STATFS_TRY(aggregation, deliver(std::move(*snapshot)));
  return std::optional<Aggregation>(std::move(aggregation));
}

Result<std::vector<AddressRange>> KdamondOperations::update() {
  DAMON_STATFS_TRY(ranges, page_aligned_ranges(context_, *files_));
  if (ranges == setup_.ranges) return std::move(ranges);
  KdamondSetup wanted = setup_;
  wanted.ranges = ranges;
  DAMON_STATFS_TRY(in_force, commit(wanted));
  if (!in_force) return setup_.ranges;  // at the next update, then
  forget_snapshots();
  context_.log(LogLevel::kInfo,
               fmt::format("memory has changed: {} MiB", total_bytes(setup_.ranges) >> 20));
  BOOST_OUTCOME_TRYV(open_source());
  return std::move(ranges);
}

// Puts `wanted` in force. Returns: false if somebody holds the interface just then.
Result<bool> KdamondOperations::commit(const KdamondSetup& wanted) {
  BOOST_OUTCOME_TRYV(kdamond().verify(setup_));
  Result<KdamondSetup> committed = kdamond().commit(setup_, wanted);
  if (failed_with(committed, EBUSY)) return false;
  if (!committed) return committed.as_failure();
  setup_ = std::move(committed.value());
  return true;
}

uint64_t KdamondOperations::nr_dropped() const {
  return dropped_before_ + (snapshots_ ? snapshots_->dropped() : 0);
}

void KdamondOperations::forget_snapshots() {
  dropped_before_ = nr_dropped();
  snapshots_.reset();
}

void KdamondOperations::close() noexcept {
  try {
    let_go();
  } catch (const std::exception& error) {
    log_quietly(context_.log, LogLevel::kError,
                [&] { return fmt::format("kdamond {}: {}", pid_, error.what()); });
  }
}

// Whether our kdamond is there, as we have set it up. Unknown counts as yes: somebody may hold the
// interface for long.
Result<void> KdamondOperations::check_ownership() {
  const Result<bool> is_ours = kdamond().is_pid(pid_);
  if (failed_with(is_ours, EBUSY)) return outcome::success();
  if (!is_ours || !is_ours.value()) {
    return failure(ESRCH, fmt::format("kdamond {} has been stopped by somebody else", pid_));
  }
  const Result<void> verified = kdamond().verify(setup_);
  if (verified) return outcome::success();
  changed_by_others_ = true;
  return failure(verified.error().code.value(),
                 fmt::format("kdamond {}: {}", pid_, verified.error().context));
}

// The newest aggregation, or none yet.
Result<std::optional<RegionSnapshot>> KdamondOperations::take_recorded() {
  const int64_t now_ns = context_.clock->now_ns();
  if (!snapshots_->recording()) {
    BOOST_OUTCOME_TRYV(snapshots_->begin());
    due_ns_ = now_ns + times_ns(2, window_ns()) + kMinPollNs;
    return std::optional<RegionSnapshot>();
  }
  due_ns_ = now_ns + std::clamp(window_ns() / 2, kMinPollNs, kMaxPollNs);
  std::optional<RegionSnapshot> snapshot = snapshots_->poll();
  if (snapshots_->ended()) {
    return failure(ESRCH, fmt::format("kdamond {} has been stopped by somebody else", pid_));
  }
  if (!snapshot || now_ns < wanted_ns_) {
    note_incomplete();
    return std::optional<RegionSnapshot>();
  }
  // Ages are counted in the intervals in force after the aggregation; if another one has ended
  // while they were asked for, it is not known which of the two they belong to.
  constexpr int kMaxTries = 3;
  for (int tries = 0; kernel_tunes_ && tries < kMaxTries; ++tries) {
    BOOST_OUTCOME_TRYV(refresh_intervals());
    std::optional<RegionSnapshot> newer = snapshots_->poll();
    if (!newer) break;
    snapshot = std::move(newer);
  }
  if (!kernel_tunes_ || steady_) measure_stretch(snapshot->window_ns);
  return snapshot;
}

Result<std::optional<RegionSnapshot>> KdamondOperations::take_tried_regions() {
  due_ns_ = context_.clock->now_ns() + std::clamp(window_ns() / 2, kMinPollNs, kMaxPollNs);
  if (kernel_tunes_) {
    BOOST_OUTCOME_TRYV(refresh_intervals());
  }
  Result<std::vector<Region>> regions = kdamond().tried_regions();
  if (failed_with(regions, EINVAL)) {
    BOOST_OUTCOME_TRYV(check_ownership());
    return failure(ENODEV, "no trace events, and a kernel older than 6.2 has no tried_regions");
  }
  if (!regions || !is_complete(regions.value())) {
    if (regions) ++dropped_before_;
    note_incomplete();
    return std::optional<RegionSnapshot>();
  }
  const KdamondIntervals before{setup_.attrs.sample_us, setup_.attrs.aggr_us};
  if (kernel_tunes_) {
    BOOST_OUTCOME_TRYV(refresh_intervals());
  }
  if (setup_.attrs.aggr_us != before.aggr_us) return std::optional<RegionSnapshot>();
  RegionSnapshot snapshot;
  snapshot.regions = std::move(regions.value());
  snapshot.ended_ns = context_.clock->now_ns();
  return std::optional<RegionSnapshot>(std::move(snapshot));
}

Result<Aggregation> KdamondOperations::deliver(RegionSnapshot snapshot) {
  const int64_t now_ns = context_.clock->now_ns();
  Aggregation aggregation;
  aggregation.aggr_us = setup_.attrs.aggr_us;
  aggregation.sample_us = setup_.attrs.sample_us;
  if (stretch_ > kAdmittedStretch) {
    aggregation.aggr_us =
        to_u64_saturated(std::round(static_cast<double>(setup_.attrs.aggr_us) * stretch_));
  }
  planned_time_->advance(snapshot.ended_ns, stretch_);
  const int64_t planned_window_ns = times_ns(setup_.attrs.aggr_us, kNsPerUs);
  for (Region& region : snapshot.regions) {
    region.since_ns =
        planned_time_->before_now_ns(times_ns(uint64_t{region.age} + 1, planned_window_ns));
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
  wanted_ns_ = now_ns + static_cast<int64_t>(context_.refresh_ms) * kNsPerMs + kRefreshMarginNs;
  if (!settled) {
    wanted_ns_ = std::min(wanted_ns_, now_ns + times_ns(attrs_.goal.aggrs, window_ns()));
  }
  if (snapshots_ && wanted_ns_ - now_ns > times_ns(3, window_ns())) snapshots_->end();
  if (!snapshots_ || !snapshots_->recording()) {
    due_ns_ = std::min(wanted_ns_ - window_ns(), next_check_ns_);
  }
}

// A kernel short of memory leaves regions out, and some versions have none at times.
void KdamondOperations::note_incomplete() {
  const int64_t patience_ns = std::max(10 * kNsPerSecond, times_ns(10, window_ns()));
  if (incomplete_logged_ ||
      context_.clock->now_ns() < std::max(wanted_ns_, complete_ns_) + patience_ns)
    return;
  incomplete_logged_ = true;
  context_.log(LogLevel::kWarning,
               fmt::format("kdamond {} has not given all of its regions for {} s: the values stay "
                           "what they are until it does",
                           pid_, patience_ns / kNsPerSecond));
}

bool KdamondOperations::is_complete(const std::vector<Region>& regions) const {
  return total_bytes(regions) == total_bytes(setup_.ranges);
}

// Stops our kdamond if it is still ours.
Result<void> KdamondOperations::switch_off() {
  if (pid_ <= 0) {
    if (!kdamond().may_be_on()) return outcome::success();
    DAMON_STATFS_TRY(marked, kdamond().is_marked());
    if (!marked) return outcome::success();
  }
  Result<void> off = kdamond().turn_off(pid_, kMaxOffNs);
  if (!failed_with(off, ENOENT)) return off;
  // Files that are out of sight do not mean that it has ended.
  DAMON_STATFS_TRY(runs, is_kdamond_thread(*files_, pid_));
  if (runs) return off;
  return outcome::success();
}

// Stops it, and gives its directory back if that is still ours.
Result<void> KdamondOperations::give_back() {
  BOOST_OUTCOME_TRYV(switch_off());
  DAMON_STATFS_TRY(marked, kdamond().is_marked());
  if ((marked || admin_->made()) && !changed_by_others_) {
    BOOST_OUTCOME_TRYV(admin_->release());
  }
  return record_->clear();
}

void KdamondOperations::let_go() {
  forget_snapshots();
  const Result<void> done = admin_ ? give_back() : outcome::success();
  if (!done) {
    context_.log(
        LogLevel::kError,
        fmt::format("DAMON's interface could not be given back as it was, the next start of "
                    "damon-statfs will try again: {}",
                    done.error().context));
  }
  admin_.reset();
  record_.reset();
  pid_ = -1;
}

namespace {

Result<std::string> probe(const OperationsContext& context, const KernelFiles& files) {
  BOOST_OUTCOME_TRYV(read_nr_kdamonds(files));
  BOOST_OUTCOME_TRYV(files.check_writable(nr_kdamonds_path()));
  DAMON_STATFS_TRY(ranges, page_aligned_ranges(context, files));
  DAMON_STATFS_TRY(record, KdamondRecord::open_existing(context.rootfs, files, *context.clock));
  if (!record || !is_orphan(context, files, *record)) {
    BOOST_OUTCOME_TRYV(refuse_damon_users(files));
  }
  const Result<std::string> events = find_aggregated_events(files);
  return fmt::format("{}, regions from {}, {} MiB", kKdamondsDirectory,
                     events ? events.value() : "tried_regions", total_bytes(ranges) >> 20);
}

}  // namespace

OperationsSet kdamond_operations() {
  const auto create = [](const OperationsContext& context) -> std::unique_ptr<DeliveredRegions> {
    const auto files = std::make_shared<RootedKernelFiles>(context.rootfs);
    return std::make_unique<KdamondOperations>(context, files, events_of(files, context.log));
  };
  OperationsSet set;
  set.name = "kdamond";
  set.probe = [](const OperationsContext& context) {
    return probe(context, RootedKernelFiles(context.rootfs));
  };
  set.create = create;
  set.recover = [](const OperationsContext& context) {
    stop_orphaned_kdamond(context, RootedKernelFiles(context.rootfs));
  };
  set.max_call_ms = kMaxCloseMs;
  set.unused_options = {"seed"};
  return set;
}

}  // namespace damon_statfs
