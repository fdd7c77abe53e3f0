// SPDX-License-Identifier: GPL-2.0-or-later
//
// What is recorded is what the next daemon would have to look for: first that there may be a
// kdamond without a mark, then one with the mark, then its thread.
#include "engine/damon/own_kdamond.h"

#include <fmt/format.h>
#include <unistd.h>

#include "engine/damon/damon_users.h"
#include "engine/damon/kdamond_orphan.h"
#include "engine/damon/kdamond_threads.h"

namespace damon_statfs {
namespace {

constexpr int64_t kMaxOffNs = 55 * kNsPerSecond;

// An update interval of a few microseconds more than asked for, which is different at each start.
uint64_t make_mark(const Clock& clock, uint64_t update_us) {
  constexpr uint64_t kMaxMark = 999'999;
  const auto now_us = static_cast<uint64_t>(clock.now_ns() / kNsPerUs);
  const auto pid = static_cast<uint64_t>(getpid());
  return update_us + 1 + (now_us ^ pid << 10) % kMaxMark;
}

}  // namespace

Result<void> OwnKdamond::claim() {
  DAMON_STATFS_TRY(record, KdamondRecord::open(context_.rootfs, files_, *context_.clock));
  BOOST_OUTCOME_TRYV(stop_orphan(context_, files_, record));
  BOOST_OUTCOME_TRYV(damon_stat_.take(
      [&](DamonStatUse damon_stat) { return refuse_damon_users(files_, damon_stat); }));
  record_ = std::move(record);
  return outcome::success();
}

Result<void> OwnKdamond::make(uint64_t update_us, size_t nr_kdamonds) {
  DAMON_STATFS_TRY(boot, boot_id(files_));
  ownership_ = {boot, make_mark(*context_.clock, update_us), false, -1, getpid()};
  ownership_.more_pids.assign(nr_kdamonds - 1, -1);
  BOOST_OUTCOME_TRYV(record_->write(ownership_));
  admin_.emplace(files_, *context_.clock, ownership_.mark, nr_kdamonds);
  BOOST_OUTCOME_TRYV(admin_->make());
  ownership_.marked = true;
  return record_->write(ownership_);
}

// One whose thread is not recorded is known by its mark.
Result<void> OwnKdamond::turn_on(size_t index) {
  DAMON_STATFS_TRY(pid, kdamond(index).turn_on());
  set_pid(index, pid);
  return record_->write(ownership_);
}

Result<void> OwnKdamond::turn_off(size_t index) {
  BOOST_OUTCOME_TRYV(kdamond(index).turn_off(pid(index), kMaxOffNs));
  set_pid(index, -1);
  return record_->write(ownership_);
}

void OwnKdamond::set_pid(size_t index, pid_t pid) {
  (index == 0 ? ownership_.pid : ownership_.more_pids.at(index - 1)) = pid;
}

Result<void> OwnKdamond::switch_off(size_t index) {
  if (pid(index) <= 0) {
    if (!kdamond(index).may_be_on()) return outcome::success();
    DAMON_STATFS_TRY(marked, kdamond(index).is_marked());
    if (!marked) return outcome::success();
  }
  Result<void> off = kdamond(index).turn_off(pid(index), kMaxOffNs);
  if (!failed_with(off, ENOENT)) return off;
  // Files that are out of sight do not mean that it has ended.
  DAMON_STATFS_TRY(runs, is_kdamond_thread(files_, pid(index)));
  if (runs) return off;
  return outcome::success();
}

Result<void> OwnKdamond::unstage(bool changed_by_others) {
  Result<void> off = outcome::success();
  for (size_t i = 0; i < admin_->size(); ++i) {
    Result<void> one_off = switch_off(i);
    if (off) off = std::move(one_off);
  }
  if (!off) return off;
  DAMON_STATFS_TRY(marked, admin_->is_marked());
  if ((marked || admin_->made()) && !changed_by_others) {
    BOOST_OUTCOME_TRYV(admin_->release());
  }
  return record_->clear();
}

// Who wants to start meanwhile waits for the end of it.
void OwnKdamond::stop(bool changed_by_others) {
  if (admin_) {
    ownership_.ending = true;
    static_cast<void>(record_->write(ownership_).has_value());
  }
  const Result<void> done = admin_ ? unstage(changed_by_others) : outcome::success();
  if (!done) {
    context_.log(
        LogLevel::kError,
        fmt::format("DAMON's interface could not be given back as it was, the next start of "
                    "damon-statfs will try again: {}",
                    done.error().context));
  }
  admin_.reset();
  record_.reset();
  ownership_ = {};
  damon_stat_.give_back();
}

}  // namespace damon_statfs
