// SPDX-License-Identifier: GPL-2.0-or-later
//
// damon_stat=yield: the kernel's DAMON_STAT keeps every other user of DAMON out, so it is switched
// off while a daemon of ours monitors, and on again afterwards. That it was on is recorded in
// /run/damon-statfs/damon_stat, which outlives a daemon that is killed.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "damon_statfs/operations_context.h"
#include "damon_statfs/result.h"
#include "engine/base/kernel_files.h"
#include "engine/base/locked_record.h"
#include "engine/damon/damon_users.h"

namespace damon_statfs {

// Returns: EBUSY if a user of DAMON is in the way, see DamonStatUse.
using RefuseUsers = std::function<Result<void>(DamonStatUse damon_stat)>;

// Runs refuse() as the option says: with damon_stat=yield DAMON_STAT is not in the way. Without, a
// refusal for DAMON_STAT's sake alone names the option. Changes nothing.
Result<void> refuse_unyielding_users(const OperationsContext& context, const RefuseUsers& refuse);

// Returns: the end of a probe's answer, which says that DAMON_STAT would be switched off; empty if
// it would not. An error if the kernel's switch is out of reach, as on a read-only /sys.
Result<std::string> yield_text(const OperationsContext& context, const KernelFiles& files);

class YieldedDamonStat {
 public:
  // Both outlive the object.
  YieldedDamonStat(const OperationsContext& context, const KernelFiles& files)
      : context_(context), files_(files) {}
  YieldedDamonStat(const YieldedDamonStat&) = delete;
  YieldedDamonStat& operator=(const YieldedDamonStat&) = delete;
  ~YieldedDamonStat() { give_back(); }

  // Makes sure that no user of DAMON is in the way. With damon_stat=yield it switches DAMON_STAT
  // off for that, if it is on and nothing else is in the way, which takes up to DAMON_STAT's
  // sampling interval, 10 s. Precondition: what a killed daemon of ours has left in DAMON's sysfs
  // interface was stopped. Returns: what refuse() says in the end, and then DAMON_STAT is as it
  // was; or why it cannot be switched off.
  Result<void> take(const RefuseUsers& refuse);

  // Switches DAMON_STAT on again if take(), or a daemon before this one, has switched it off.
  // Precondition: no kdamond of ours is on. What cannot be done is logged, and left to the next
  // start of any daemon, or the next stop with damon_stat=yield. Takes 3 s at most.
  void give_back() noexcept;

 private:
  Result<void> yield();
  Result<void> switch_off();
  Result<void> take_over();

  const OperationsContext& context_;
  const KernelFiles& files_;
  bool taken_ = false;                  // from take() to give_back()
  std::optional<LockedRecord> record_;  // while it says that DAMON_STAT was on before
};

// Switches DAMON_STAT on again if a daemon that is gone has left it off, and logs that or why it
// cannot. For the time before a mount, after the kdamonds that killed daemons have left behind were
// stopped: the kernel switches DAMON_STAT on only while no kdamond runs. Does nothing while the
// daemon lives that has switched it off. Takes 12 s at most.
void restore_damon_stat(const OperationsContext& context, const KernelFiles& files);

}  // namespace damon_statfs
