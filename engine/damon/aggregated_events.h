// SPDX-License-Identifier: GPL-2.0-or-later
//
// The tracepoint damon:damon_aggregated: one record per region at the end of each aggregation,
// after merging and after a rescale by the interval tuning, before the counts are reset. Reading it
// through perf_event_open(2) changes nothing about the kdamond.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "damon_statfs/log.h"
#include "damon_statfs/result.h"
#include "engine/base/kernel_files.h"
#include "engine/damon/region_record.h"

namespace damon_statfs {

// The records of one kdamond. Off until enable().
class AggregatedEvents {
 public:
  virtual ~AggregatedEvents() = default;

  // Begins to record; what was recorded before is forgotten.
  virtual Result<void> enable() = 0;
  virtual void disable() noexcept = 0;

  struct Drained {
    std::vector<RegionRecord> records;  // in the order in which they were written
    uint64_t dropped = 0;               // lost for want of space, or malformed
    bool ended = false;                 // the kdamond has ended
  };
  // Takes out what has arrived. Never waits.
  virtual Drained drain() = 0;
};

// Opens them for the thread `kdamond_pid`, with room for three aggregations of max_nr_regions.
// Malformed records are logged once. Returns: ENOENT naming the tracefs file that is missing,
// EACCES without CAP_PERFMON, ESRCH if there is no such thread.
Result<std::unique_ptr<AggregatedEvents>> open_aggregated_events(const KernelFiles& files,
                                                                 pid_t kdamond_pid,
                                                                 uint64_t max_nr_regions,
                                                                 const LogSink& log);

// The same as the operations sets are given it, so that a test can take the place of the kernel.
using OpenEvents = std::function<Result<std::unique_ptr<AggregatedEvents>>(
    pid_t kdamond_pid, uint64_t max_nr_regions)>;

// The kernel's own.
OpenEvents events_of(std::shared_ptr<const KernelFiles> files, LogSink log);

// Returns: the path of the tracepoint's directory in tracefs, or ENOENT with the file that is
// missing.
Result<std::string> find_aggregated_events(const KernelFiles& files);

}  // namespace damon_statfs
