// SPDX-License-Identifier: GPL-2.0-or-later
//
// The life of the kdamonds of ours: no other program may use DAMON, each step is recorded before it is
// taken, and in the end the interface is as it was. A crash at any point leaves nothing unknown.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>

#include "damon_statfs/operations_context.h"
#include "damon_statfs/result.h"
#include "engine/base/kernel_files.h"
#include "engine/damon/damon_admin.h"
#include "engine/damon/kdamond_record.h"

namespace damon_statfs {

class OwnKdamond {
 public:
  // Both outlive the object.
  OwnKdamond(const OperationsContext& context, const KernelFiles& files)
      : context_(context), files_(files) {}

  // Takes DAMON for this daemon, after stopping what one that was killed has left. Returns: EBUSY
  // if another program, or another daemon of ours, uses DAMON: then nothing was written.
  Result<void> claim();

  // Makes the kdamonds, off. Precondition: claimed. update_us: from which the mark is made.
  Result<void> make(uint64_t update_us, size_t nr_kdamonds = 1);

  // Switches one on. Precondition: staged.
  Result<void> turn_on(size_t index = 0);

  // Switches one off that is on, for as long as it is not turned on again. Its thread is not
  // recorded any more.
  Result<void> turn_off(size_t index);

  // Precondition: made.
  Kdamond& kdamond(size_t index = 0) { return admin_->kdamond(index); }

  // The thread of one; -1 while it is not on.
  pid_t pid(size_t index = 0) const { return ownership_.pid_of(index); }

  // Stops those that are still ours, removes their directories, and ends the claim. What cannot be
  // done is logged, and left to the next start. changed_by_others: another program has staged
  // something, too, so the directories stay.
  void stop(bool changed_by_others);

 private:
  void set_pid(size_t index, pid_t pid);
  Result<void> switch_off(size_t index);
  Result<void> unstage(bool changed_by_others);

  const OperationsContext& context_;
  const KernelFiles& files_;
  std::optional<KdamondRecord> record_;  // from claim() to stop()
  KdamondOwnership ownership_;           // as recorded last
  std::optional<DamonAdmin> admin_;      // from make() to stop()
};

}  // namespace damon_statfs
