// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the engine tells the filesystem: its state and the latest statistics. One Snapshot is always
// passed as a whole, so a reader never sees numbers of two moments mixed.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

namespace damon_statfs {

enum class EngineState { kOff, kStarting, kOn };

struct EngineStatus {
  EngineState state = EngineState::kOff;
  int errno_value = 0;      // kOff: why the engine could not start or died; 0 when it was stopped
  pid_t tid = -1;           // kOn: id of the thread that samples, ours or the kernel's, else -1
  bool is_kdamond = false;  // whether that is the kernel's
  uint64_t max_call_ms = 1'500;  // how long a stop may take without hanging: OperationsSet's

  // A mirror is running: the state is its source's, and errno_value that of the last write handed
  // on, the `forwarded`th since the start.
  bool mirrors = false;
  uint64_t forwarded = 0;

  uint64_t changes = 0;  // settings taken over since the start

  bool operator==(const EngineStatus&) const = default;
};

// The values of /sys/module/damon_stat/parameters. All zero before the first refresh.
struct Statistics {
  uint64_t aggr_interval_us = 0;
  uint64_t estimated_memory_bandwidth_bytes_per_s = 0;
  // [p]: p percent of memory is idle for at most so long. Negative: accessed for so long.
  std::array<int64_t, 101> memory_idle_ms_percentiles{};

  bool operator==(const Statistics&) const = default;
};

// What only the estimator "regions" knows, of the last refresh.
struct RegionDetails {
  uint64_t nr_regions = 0;

  bool operator==(const RegionDetails&) const = default;
};

// What only the estimator "pages" knows, of the last refresh.
struct PageDetails {
  // Of the monitored ones: what no access check can see, and page cache that nothing maps. None
  // where the kernel does not tell what a page is.
  std::optional<uint64_t> untracked_bytes, unmapped_cache_bytes;
  uint64_t nr_pages = 0;         // size of the sample
  uint64_t check_period_ms = 0;  // nominal time between two rounds of access checks
  // Standard errors of MonitoringDetails::share_percent; NaN: not known.
  std::array<double, 3> share_error_percent{};

  bool operator==(const PageDetails&) const = default;
};

// How the statistics came about, for the status block. Brought up to date at each refresh. Empty
// while nothing has been monitored.
struct MonitoringDetails {
  // The shares of memory that are told: of memory idle for less than so long.
  static constexpr std::array<int64_t, 3> kShareLimitsMs = {1'000, 6'000, 60'000};

  std::string_view ops;          // name of the operations set; a literal or the registry's
  std::string_view estimator;    // "regions", "pages", or of a mirror "kernel"
  int64_t started_ns = 0;        // CLOCK_MONOTONIC; 0: not known, or monitoring could not start
  uint64_t monitored_bytes = 0;  // 0: not known

  // Whether there was a refresh since started_ns. Nothing below is known before the first, but a
  // mirror, which never has one, knows aggr_us.
  bool refreshed = false;
  int64_t cpu_ns = 0;          // CPU time that the engine thread has used since started_ns
  int64_t kdamond_cpu_ns = 0;  // the same of kernel threads that work for it; 0: none, or not known
  uint64_t sample_us = 0;      // in force; 0: not known, as of another program's kdamond
  uint64_t aggr_us = 0;        // in force; 0: not known
  uint64_t nr_checks = 0;   // access checks of the engine since the start; 0: a kdamond does them
  uint64_t nr_dropped = 0;  // checks, or records of a kdamond's, without a usable answer
  std::array<double, 3> share_percent{};  // of memory below each of kShareLimitsMs; NaN: not known

  // Empty before the first refresh, and of a mirror.
  std::variant<std::monostate, RegionDetails, PageDetails> by_estimator{};

  bool operator==(const MonitoringDetails&) const = default;
};

struct Snapshot {
  EngineStatus status;
  Statistics statistics;
  MonitoringDetails details{};

  // When `statistics` were taken, CLOCK_MONOTONIC: at the last refresh, or when a mirror last read
  // values that differed from those before. A stop or a new start leaves it. 0: not yet.
  int64_t taken_ns = 0;
  // How often `statistics` have been taken so since the daemon's start.
  uint64_t sequence = 0;

  // By when (CLOCK_MONOTONIC) the engine thread will have published again; later than that it is
  // stuck. 0: there is no thread.
  int64_t alive_until_ns = 0;

  bool operator==(const Snapshot&) const = default;
};

// Whether the engine thread has missed the moment by which it had promised to publish again.
inline bool is_stuck(const Snapshot& snapshot, int64_t now_ns) {
  return snapshot.alive_until_ns != 0 && now_ns > snapshot.alive_until_ns;
}

}  // namespace damon_statfs
