// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the daemon says of itself: as JSON through an ioctl (status_ioctl.h), and the same as lines
// for people, in the log after SIGUSR1 and from damon-statfs --status.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "damon_statfs/snapshot.h"

namespace damon_statfs {

struct StatusFacts {
  std::string_view mountpoint;
  std::string_view ops;  // as asked for: a set's name, or auto
  Snapshot snapshot;
  int64_t now_ns = 0;      // CLOCK_MONOTONIC
  int64_t started_ns = 0;  // of the daemon
  int64_t cpu_ns = 0;      // of all of its threads since then
  std::optional<std::string> last_error;
  int64_t last_error_ns = 0;
};

// Whether the engine thread has missed the moment by which it had promised to publish again.
bool is_stuck(const Snapshot& snapshot, int64_t now_ns);

// One line of ASCII, at most as long as struct damon_statfs_status holds. The manual says what each
// member means; null: it does not apply, or is not known. Always there: version, pid, mountpoint,
// uptime_s, state (off, starting, on, stuck), operations_set, kdamond_pid, engine_tid, estimator,
// monitored_bytes, untracked_bytes, sample_us, aggr_us, nr_regions, nr_pages, check_period_ms,
// nr_checks, nr_dropped, idle_below_N_ms_percent and idle_below_N_ms_error_percent for N = 1000,
// 6000 and 60000, monitoring_s, engine_cpu_s, cpu_s, cpu_percent, last_error, last_error_age_s.
std::string status_json(const StatusFacts& facts);

// The members of such an object that are not null, as lines "name: value" of printable text.
// Returns: none if it is not one. The text may be anybody's: what answers need not be a daemon of
// ours.
std::vector<std::string> status_lines(std::string_view json);

// Such an object in one line of ASCII. Returns: nothing if it is not one.
std::string ascii_json(std::string_view json);

}  // namespace damon_statfs
