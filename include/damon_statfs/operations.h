// SPDX-License-Identifier: GPL-2.0-or-later
//
// The one interface for operations sets: where page checks, or whole regions, come from. A new
// source of access information implements Operations, and engine/registry.cc gets one row for it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "damon_statfs/attrs.h"
#include "damon_statfs/clock.h"
#include "damon_statfs/log.h"
#include "damon_statfs/region.h"
#include "damon_statfs/result.h"

namespace damon_statfs {

// Which physical memory is monitored (mount option ram=).
struct RamSelection {
  enum class Kind { kAll, kBiggest, kSpan, kRanges };
  Kind kind = Kind::kAll;
  std::vector<AddressRange> ranges;  // kRanges only: ascending, not overlapping, not empty

  bool operator==(const RamSelection&) const = default;
};

// One part of the simulated memory (mount option sim=).
struct SimPart {
  uint64_t size_bytes = 0;
  int64_t period_ns = 0;  // every page is touched at each multiple of this; 0: never

  bool operator==(const SimPart&) const = default;
};

// What an operations set may depend on. It outlives the set.
struct OperationsContext {
  std::string rootfs;  // put before every /proc, /sys and /run path; empty on a real machine
  MonitoringAttrs attrs;
  uint64_t refresh_ms = 5'000;  // publish at the first aggregation that ends later than this
  RamSelection ram;
  std::vector<SimPart> sim;
  std::optional<pid_t> kdamond_pid;  // observe only: whose events; none: the only kdamond's
  const Clock* clock = nullptr;
  LogSink log;
};

// What a look at a sampled page has found.
enum class PageAccess : uint8_t {
  kUntracked,  // free, kernel or hugetlb memory, or none at all: no access can be seen
  kNew,        // tracked from now on; nothing is known of the time before
  kIdle,       // not accessed since it was marked
  kAccessed,   // accessed since then
  kUnknown,    // tracked, but the source did not take the mark, so no look could tell
};

// A page that is looked at again and again (estimator=pages). The set keeps where to look for it.
struct SampledPage {
  uint64_t addr = 0;
  PageAccess access = PageAccess::kUntracked;
  uint64_t handle = 0;    // the set's; for a new page, the page frame number
  bool marked = false;    // the next look can tell whether it was accessed
  int64_t marked_ns = 0;  // Clock::now_ns() when it was last marked

  // Pages of one group cost little more than one of them if they are looked at in the same call.
  static constexpr uint64_t kGroupPages = 64;
  uint64_t group() const { return handle / kGroupPages; }

  bool tracked() const { return access != PageAccess::kUntracked; }
  bool worth_a_look() const { return marked || !tracked() || access == PageAccess::kUnknown; }
};

// The pages at the beginning of `pages` that are of one group. Precondition: there are any.
inline std::span<SampledPage* const> first_group(std::span<SampledPage* const> pages) {
  size_t size = 1;
  while (size < pages.size() && pages[size]->group() == pages[0]->group()) ++size;
  return pages.first(size);
}

// One aggregation of a source that splits, merges and ages regions by itself.
struct Aggregation {
  std::vector<Region> regions;  // since_ns set by the source
  uint64_t aggr_us = 0;         // how long their accesses were counted
  uint64_t sample_us = 0;       // the source's sampling interval; 0: the source does not tell
};

// A source of access information. The engine thread calls it, one call at a time: open(), then any
// number of the others, then close(). An Error from any of them stops the engine with that reason.
class Operations {
 public:
  virtual ~Operations() = default;

  // Takes hold of the source. Returns: the ranges to monitor, ascending and not overlapping.
  virtual Result<std::vector<AddressRange>> open() = 0;

  // Marks the page at each region's sampling_addr as not accessed. Regions are ascending.
  virtual Result<void> prepare_access_checks(std::span<Region> regions) = 0;

  // Calls add_access() of each region whose marked page was accessed since. Called with the same
  // regions, in the same portions, as prepare_access_checks() before it.
  virtual Result<void> check_accesses(std::span<Region> regions) = 0;

  // For estimator=pages, if the set's row in the registry says checks_pages. Looks at pages,
  // ascending by group(): what happened to each since it was marked. Only what is idle stays
  // marked; a page that is not marked counts as accessed, but one whose mark was not taken stays
  // kUnknown as long as it is tracked. A handle may change.
  virtual Result<void> check_pages(std::span<SampledPage* const> /*pages*/) {
    return outcome::success();
  }

  // The same for the other half: marks pages, ascending by group() and tracked, as not accessed. A
  // page whose mark is not taken is left unmarked and kUnknown.
  virtual Result<void> mark_pages(std::span<SampledPage* const> /*pages*/) {
    return outcome::success();
  }

  // Access checks, or records of delivered regions, that were of no use since open().
  virtual uint64_t dropped_samples() const { return 0; }

  // Called every update_us. Returns: the ranges to monitor from now on, or why the source is gone.
  virtual Result<std::vector<AddressRange>> update() = 0;

  // Lets go of the source. Called once after a successful open().
  virtual void close() noexcept = 0;

  // True for a source that delivers regions: the engine then calls collect() at collect_due_ns()
  // instead of preparing and checking pages.
  virtual bool delivers_regions() const { return false; }
  virtual int64_t collect_due_ns() const { return 0; }

  // Returns: the aggregation completed since the last call, if any.
  virtual Result<std::optional<Aggregation>> collect() { return std::optional<Aggregation>(); }

  // Id of the kernel thread that samples, -1 if the engine thread does it itself.
  virtual pid_t kdamond_pid() const { return -1; }
};

}  // namespace damon_statfs
