// SPDX-License-Identifier: GPL-2.0-or-later
//
// What all operations sets have in common. What accesses they can tell is the business of one
// interface for each kind: PageChecks, RegionChecks, DeliveredRegions.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "damon_statfs/region.h"
#include "damon_statfs/result.h"

namespace damon_statfs {

// What an operations set says of itself at any time.
struct OperationsFacts {
  pid_t kdamond_pid = -1;   // the kernel thread that samples; -1: the engine thread does
  uint64_t nr_dropped = 0;  // checks, or records, without a usable answer since open()
  int64_t kdamond_cpu_ns = 0;  // CPU time of kernel threads that work for the set, since open()
};

// The engine thread calls an operations set, one call at a time: open(), then any number of the
// others, then close(). An Error from any of them ends monitoring with that reason.
class Operations {
 public:
  virtual ~Operations() = default;

  // Acquires the source. Returns: the ranges to monitor, ascending and not overlapping; none if
  // only the source knows them.
  virtual Result<std::vector<AddressRange>> open() = 0;

  // Called every update_us. Returns: the ranges to monitor from now on, or why the source is gone.
  virtual Result<std::vector<AddressRange>> update() = 0;

  // Releases the source. Called once after a successful open().
  virtual void close() noexcept = 0;

  virtual OperationsFacts facts() const = 0;
};

}  // namespace damon_statfs
