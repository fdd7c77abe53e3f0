// SPDX-License-Identifier: GPL-2.0-or-later
//
// Each record costs the kdamond time that its owner has not asked for, so events are recorded for
// about two aggregations per refresh only.
#include "engine/damon/ops_observe.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <limits>
#include <string>
#include <utility>

#include "engine/base/wide.h"
#include "engine/damon/damon_sysfs.h"

namespace damon_statfs {
namespace {

constexpr int64_t kCheckNs = 2 * kNsPerSecond;
constexpr int64_t kMaxReadBusyNs = 200 * kNsPerMs;
constexpr int kMaxUnsteady = 2;
constexpr uint64_t kDefaultMaxNrRegions = 1'000;

std::string describe(const KdamondThread& thread) {
  return fmt::format("{} (pid {})", thread.name, thread.pid);
}

Result<KdamondThread> find_asked_for(const KernelFiles& files,
                                     const std::vector<KdamondThread>& threads, pid_t pid) {
  for (const KdamondThread& thread : threads) {
    if (thread.pid == pid) return thread;
  }
  DAMON_STATFS_TRY(comm, read_if_there(files, fmt::format("/proc/{}/comm", pid)));
  if (!comm) return failure(ESRCH, fmt::format("kdamond={}: there is no such thread", pid));
  return failure(EINVAL, fmt::format("kdamond={}: that is {}, not a kdamond", pid, *comm));
}

Result<KdamondThread> choose_kdamond(const OperationsContext& context, const KernelFiles& files) {
  DAMON_STATFS_TRY(threads, find_kdamond_threads(files));
  if (context.kdamond_pid) return find_asked_for(files, threads, *context.kdamond_pid);
  if (threads.empty()) return failure(ENODEV, "no kdamond is running");
  if (threads.size() == 1) return threads.front();
  std::vector<std::string> all;
  all.reserve(threads.size());
  for (const KdamondThread& thread : threads) all.push_back(describe(thread));
  return failure(EINVAL, fmt::format("several kdamonds are running: {}; kdamond=PID says which",
                                     fmt::join(all, ", ")));
}

// DAMON's sysfs interface says EBUSY while another program uses it; it is not worth waiting for
// long.
// Returns: none for a file that is not there, is root's, or stays busy.
Result<std::optional<std::string>> read_patiently(const OperationsContext& context,
                                                  const KernelFiles& files,
                                                  const std::string& path) {
  Result<std::optional<std::string>> text =
      retry_busy(*context.clock, kMaxReadBusyNs, [&] { return read_if_there(files, path); });
  const bool withheld =
      failed_with(text, EBUSY) || failed_with(text, EACCES) || failed_with(text, EPERM);
  if (withheld) return std::optional<std::string>();
  return text;
}

// The directory of a kdamond that was started through sysfs; the modules' have none.
Result<std::optional<std::string>> find_directory(const OperationsContext& context,
                                                  const KernelFiles& files, pid_t pid) {
  DAMON_STATFS_TRY(names, list_if_there(files, kKdamondsDirectory));
  for (const std::string& name : names) {
    std::string directory = fmt::format("{}/{}", kKdamondsDirectory, name);
    DAMON_STATFS_TRY(text, read_patiently(context, files, directory + "/pid"));
    if (text == std::to_string(pid)) return std::optional<std::string>(std::move(directory));
  }
  return std::optional<std::string>();
}

// Addresses of a process are not this machine's memory. What the kernel does not let us read is
// taken for physical: a user who may observe events need not be root.
Result<void> refuse_virtual(const OperationsContext& context, const KernelFiles& files, pid_t pid) {
  DAMON_STATFS_TRY(directory, find_directory(context, files, pid));
  if (!directory) return outcome::success();
  const std::string path = *directory + "/contexts/0/operations";
  DAMON_STATFS_TRY(operations, read_patiently(context, files, path));
  if (!operations || operations == "paddr") return outcome::success();
  return failure(EINVAL, fmt::format("kdamond {} does not monitor physical memory: {} is {}", pid,
                                     path, *operations));
}

// The most that any kdamond here may have; which one's file it is does not matter much. It only
// sizes a buffer, so a number that cannot be read is done without.
Result<uint64_t> max_nr_regions(const KernelFiles& files) {
  uint64_t most = kDefaultMaxNrRegions;
  for (const char* const module : {"damon_reclaim", "damon_lru_sort"}) {
    const std::string path = fmt::format("/sys/module/{}/parameters/max_nr_regions", module);
    const Result<uint64_t> number = read_number(files, path);
    if (number) most = std::max(most, number.value());
  }
  DAMON_STATFS_TRY(names, list_if_there(files, kKdamondsDirectory));
  for (const std::string& name : names) {
    const std::string path =
        fmt::format("{}/{}/contexts/0/monitoring_attrs/nr_regions/max", kKdamondsDirectory, name);
    const Result<uint64_t> number = read_number(files, path);
    if (number) most = std::max(most, number.value());
  }
  return most;
}

// ENOENT would be said of the mount's own files.
Result<std::string> find_tracing(const KernelFiles& files) {
  Result<std::string> events = find_aggregated_events(files);
  if (failed_with(events, ENOENT)) return failure(ENODEV, events.error().context);
  return events;
}

// A region whose count has just changed has age 0 and has been so for one window.
int64_t since_ns(const RegionSnapshot& snapshot, const Region& region) {
  const int128_t time_ns = static_cast<int128_t>(snapshot.window_ns) * (int64_t{region.age} + 1);
  constexpr int128_t kLongest = std::numeric_limits<int64_t>::max() / 4;
  return snapshot.ended_ns - static_cast<int64_t>(std::min(time_ns, kLongest));
}

}  // namespace

ObserveOperations::ObserveOperations(const OperationsContext& context,
                                     std::shared_ptr<const KernelFiles> files,
                                     OpenEvents open_events)
    : context_(context), files_(std::move(files)), open_events_(std::move(open_events)) {}

Result<std::vector<AddressRange>> ObserveOperations::open() {
  DAMON_STATFS_TRY(kdamond, choose_kdamond(context_, *files_));
  BOOST_OUTCOME_TRYV(refuse_virtual(context_, *files_, kdamond.pid));
  DAMON_STATFS_TRY(tracing, find_tracing(*files_));
  DAMON_STATFS_TRY(nr_regions, max_nr_regions(*files_));
  DAMON_STATFS_TRY(events, open_events_(kdamond.pid, nr_regions));
  recording_ = std::make_unique<RegionRecording>(std::move(events), 0);
  kdamond_ = kdamond;
  const int64_t now_ns = context_.clock->now_ns();
  wanted_ns_ = next_refresh_ns(context_.refresh_ms, now_ns);
  next_check_ns_ = now_ns + kCheckNs;
  due_ns_ = std::min(wanted_ns_, next_check_ns_);
  context_.log(LogLevel::kInfo, fmt::format("observing {} through {}", describe(kdamond), tracing));
  return std::vector<AddressRange>();
}

Result<std::optional<Aggregation>> ObserveOperations::collect() {
  const int64_t now_ns = context_.clock->now_ns();
  BOOST_OUTCOME_TRYV(check_alive(now_ns));
  std::optional<Aggregation> aggregation;
  if (recording_->recording() || now_ns >= wanted_ns_) {
    DAMON_STATFS_TRY(snapshot, take(now_ns));
    if (snapshot) aggregation = deliver(std::move(*snapshot), now_ns);
  }
  due_ns_ = recording_->recording() ? recording_->due_ns() : std::min(wanted_ns_, next_check_ns_);
  return aggregation;
}

Result<void> ObserveOperations::check_alive(int64_t now_ns) {
  if (now_ns < next_check_ns_ && !recording_->ended()) return outcome::success();
  next_check_ns_ = now_ns + kCheckNs;
  // That it cannot be looked at does not mean that it has ended; its events would say so too.
  const Result<bool> runs = is_kdamond_thread(*files_, kdamond_.pid);
  if (!recording_->ended() && (!runs || runs.value())) return outcome::success();
  return failure(ESRCH, fmt::format("{} has ended", describe(kdamond_)));
}

// The newest aggregation, or none yet.
Result<std::optional<RegionSnapshot>> ObserveOperations::take(int64_t now_ns) {
  DAMON_STATFS_TRY(begun, recording_->begin(now_ns, RegionRecording::pause_ns(window_ns_)));
  if (begun) {
    begun_ns_ = now_ns;
    return std::optional<RegionSnapshot>();
  }
  std::optional<RegionSnapshot> snapshot = recording_->poll(now_ns, window_ns_);
  BOOST_OUTCOME_TRYV(check_alive(now_ns));
  if (snapshot) {
    if (!is_steady(snapshot->window_ns)) snapshot.reset();
  } else {
    note_silence(now_ns);
  }
  return snapshot;
}

// Where the kernel's tuning has just changed the intervals, ages are counted in another unit than
// the window that was measured. The next window tells.
bool ObserveOperations::is_steady(int64_t window_ns) {
  const int64_t last_ns = std::exchange(window_ns_, window_ns);
  if (last_ns == 0 || std::abs(window_ns - last_ns) <= last_ns / 4) return true;
  return ++unsteady_ > kMaxUnsteady;
}

Aggregation ObserveOperations::deliver(RegionSnapshot snapshot, int64_t now_ns) {
  unsteady_ = 0;
  begun_ns_ = now_ns;
  wanted_ns_ = next_refresh_ns(context_.refresh_ms, now_ns);
  const int64_t refresh_ns = static_cast<int64_t>(context_.refresh_ms) * kNsPerMs;
  recording_->rest_until(now_ns + refresh_ns, now_ns, snapshot.window_ns);
  Aggregation aggregation;
  aggregation.aggr_us = static_cast<uint64_t>(snapshot.window_ns / kNsPerUs);
  for (Region& region : snapshot.regions) region.since_ns = since_ns(snapshot, region);
  aggregation.regions = std::move(snapshot.regions);
  return aggregation;
}

// A kdamond may be paused, or its watermarks may have put it to sleep.
void ObserveOperations::note_silence(int64_t now_ns) {
  const int64_t patience_ns = std::max(60 * kNsPerSecond, times_ns(10, window_ns_));
  if (silence_logged_ || now_ns < begun_ns_ + patience_ns) return;
  silence_logged_ = true;
  context_.log(LogLevel::kWarning,
               fmt::format("{} has shown no complete aggregation for {} s ({} records or "
                           "aggregations dropped): the values stay what they are until it does",
                           describe(kdamond_), patience_ns / kNsPerSecond, recording_->dropped()));
}

namespace {

Result<std::string> probe(const OperationsContext& context, const KernelFiles& files) {
  DAMON_STATFS_TRY(kdamond, choose_kdamond(context, files));
  BOOST_OUTCOME_TRYV(refuse_virtual(context, files, kdamond.pid));
  DAMON_STATFS_TRY(tracing, find_tracing(files));
  return fmt::format("{} through {}", describe(kdamond), tracing);
}

}  // namespace

OperationsSet observe_operations() {
  const auto create = [](const OperationsContext& context) -> std::unique_ptr<DeliveredRegions> {
    const auto files = std::make_shared<RootedKernelFiles>(context.rootfs);
    return std::make_unique<ObserveOperations>(context, files, events_of(files, context.log));
  };
  OperationsSet set;
  set.name = "observe";
  set.automatic = false;
  set.probe = [](const OperationsContext& context) {
    return probe(context, RootedKernelFiles(context.rootfs));
  };
  set.add_factory<DeliveredRegions>(create);
  set.unused_options = {"access_bp",     "aggr_us",        "aggrs",         "max_nr_regions",
                        "max_sample_us", "min_nr_regions", "min_sample_us", "ram",
                        "regions",       "sample_us",      "seed"};
  return set;
}

}  // namespace damon_statfs
