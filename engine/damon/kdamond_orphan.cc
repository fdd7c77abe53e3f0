// SPDX-License-Identifier: GPL-2.0-or-later
//
// Each step of a start is recorded before it is taken; here it is found out how far the last one
// has come.
#include "engine/damon/kdamond_orphan.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/damon/damon_admin.h"
#include "engine/damon/kdamond_threads.h"

namespace damon_statfs {
namespace {

constexpr int64_t kMaxRecoverNs = 5 * kNsPerSecond;  // a mount waits for it
constexpr int64_t kSetUpNs = 2 * kNsPerSecond;       // what damo takes of it is less than a tenth
constexpr int64_t kLookNs = 50 * kNsPerMs;

// Whether the kdamond that is on now is the recorded one. Its pid may have come to be another
// one's since, so the mark has to be there, too.
Result<bool> is_recorded(const Kdamond& kdamond, pid_t pid, const Clock& clock, int64_t limit_ns) {
  DAMON_STATFS_TRY(marked, kdamond.is_marked());
  if (!marked || pid <= 0) return marked;
  return retry_busy(clock, limit_ns, [&] { return kdamond.is_pid(pid); });
}

// Whether what is set up has no mark because its daemon was killed before it could set it. Another
// program that has just made a kdamond goes on to set it up; what no program touches for as long as
// that may take was left behind.
Result<bool> is_abandoned(const DamonAdmin& admin, const Clock& clock, int64_t limit_ns) {
  const int64_t end_ns = clock.now_ns() + kSetUpNs;
  for (;;) {
    DAMON_STATFS_TRY(untouched, retry_busy(clock, limit_ns, [&] { return admin.is_untouched(); }));
    if (!untouched || clock.now_ns() >= end_ns) return untouched;
    clock.wait_until(std::min(clock.now_ns() + kLookNs, end_ns), -1);
  }
}

// Stops one of the recorded kdamonds if it is on. left_ns(): for how long the interface may be
// tried yet. Returns: whether nothing of another program's is in its place.
template <class LeftNs>
Result<bool> stop_one(const OperationsContext& context, const KernelFiles& files, Kdamond& kdamond,
                      const KdamondOwnership& ownership, pid_t pid, const LeftNs& left_ns) {
  const Result<bool> on = retry_busy(*context.clock, left_ns(), [&] { return kdamond.is_on(); });
  if (failed_with(on, ENOENT)) {
    DAMON_STATFS_TRY(runs, is_kdamond_thread(files, pid));
    if (!runs) return false;
  }
  if (!on) return on.as_failure();
  if (!on.value()) return true;
  if (!ownership.marked) return false;
  DAMON_STATFS_TRY(recorded, is_recorded(kdamond, pid, *context.clock, left_ns()));
  if (!recorded) return false;
  BOOST_OUTCOME_TRYV(kdamond.turn_off(pid, left_ns()));
  context.log(LogLevel::kWarning,
              fmt::format("stopped kdamond{}, which a damon-statfs that was killed had left behind",
                          pid > 0 ? fmt::format(" {}", pid) : ""));
  return true;
}

// Stops the recorded kdamonds that are on, and unstages them. Returns: EBUSY if another program
// holds the interface all the time.
Result<void> stop_recorded(const OperationsContext& context, const KernelFiles& files,
                           const KdamondOwnership& ownership) {
  DamonAdmin admin(files, *context.clock, ownership.mark, ownership.nr_kdamonds());
  const int64_t end_ns = context.clock->now_ns() + kMaxRecoverNs;
  const auto left_ns = [&] { return end_ns - context.clock->now_ns(); };
  bool alone = true;
  for (size_t i = 0; i < admin.size(); ++i) {
    DAMON_STATFS_TRY(stopped, stop_one(context, files, admin.kdamond(i), ownership,
                                       ownership.pid_of(i), left_ns));
    alone = alone && stopped;
  }
  if (!alone) return outcome::success();
  DAMON_STATFS_TRY(marked,
                   retry_busy(*context.clock, left_ns(), [&] { return admin.is_marked(); }));
  DAMON_STATFS_TRY(ours, marked || ownership.marked
                             ? Result<bool>(marked)
                             : is_abandoned(admin, *context.clock, left_ns()));
  return ours ? admin.release() : outcome::success();
}

}  // namespace

bool is_orphan(const OperationsContext& context, const KernelFiles& files,
               const KdamondRecord& record) {
  const Result<std::optional<KdamondOwnership>> read = record.read();
  const Result<std::string> boot = boot_id(files);
  if (!read || !read.value() || !boot) return false;
  const KdamondOwnership& ownership = *read.value();
  if (boot.value() != ownership.boot_id) return false;
  const auto holds = [](const Result<bool>& answer) { return answer && answer.value(); };
  const DamonAdmin admin(files, *context.clock, ownership.mark, ownership.nr_kdamonds());
  return holds(admin.is_marked()) || (!ownership.marked && holds(admin.is_untouched()));
}

Result<void> stop_orphan(const OperationsContext& context, const KernelFiles& files,
                         const KdamondRecord& record) {
  DAMON_STATFS_TRY(ownership, record.read());
  if (!ownership) return outcome::success();
  DAMON_STATFS_TRY(boot, boot_id(files));
  if (boot == ownership->boot_id) {
    BOOST_OUTCOME_TRYV(stop_recorded(context, files, *ownership));
  }
  return record.clear();
}

void stop_orphaned_kdamond(const OperationsContext& context, const KernelFiles& files) {
  const Result<std::optional<KdamondRecord>> record =
      KdamondRecord::open_existing(context.rootfs, files, *context.clock);
  if (failed_with(record, EBUSY)) return;
  Result<void> done = outcome::success();
  if (!record) {
    done = record.as_failure();
  } else if (record.value()) {
    done = stop_orphan(context, files, *record.value());
  }
  if (done) return;
  context.log(LogLevel::kWarning,
              fmt::format("cannot stop the kdamond left behind by the last damon-statfs: {}",
                          done.error().context));
}

}  // namespace damon_statfs
