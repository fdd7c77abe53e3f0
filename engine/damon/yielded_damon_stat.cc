// SPDX-License-Identifier: GPL-2.0-or-later
//
// The record is written before DAMON_STAT is switched off and cleared after it is on again, so a
// crash at any point leaves either DAMON_STAT on or a record that says so.
#include "engine/damon/yielded_damon_stat.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "damon_statfs/mirror.h"
#include "engine/base/text.h"

namespace damon_statfs {
namespace {

// How long DAMON_STAT may say EAGAIN, since a worker of its own has not ended yet.
constexpr int64_t kMaxStopNs = 3 * kNsPerSecond;
constexpr int64_t kMaxRestoreNs = 12 * kNsPerSecond;  // its longest sampling interval is 10 s
constexpr int64_t kMaxThreadNs = kNsPerSecond;        // how long /proc may show an ended kdamond

std::string switch_path() { return fmt::format("{}/enabled", kDamonStatDirectory); }

// "BOOT_ID OWNER_PID OWNER_PID_NAMESPACE": in this boot, that daemon has switched DAMON_STAT off.
struct OffSince {
  std::string boot_id;
  RecordOwner owner;
};

std::optional<OffSince> parse_off_since(std::string_view line) {
  line = line.substr(0, line.find('\0'));
  OffSince off;
  off.boot_id = take_word(line);
  const auto pid = parse_number<pid_t>(take_word(line));
  const auto pid_namespace = parse_number<uint64_t>(take_word(line));
  if (!pid || !pid_namespace) return std::nullopt;
  off.owner = {*pid, *pid_namespace};
  return off;
}

std::optional<RecordOwner> owner_of_yield(std::string_view line) {
  const std::optional<OffSince> off = parse_off_since(line);
  return off ? std::optional(off->owner) : std::nullopt;
}

constexpr RecordKind kYieldRecord{"damon_stat", "keeps the kernel's DAMON_STAT off",
                                  owner_of_yield};

// Whether DAMON_STAT was on before a daemon of ours, of whatever life, has switched it off.
Result<bool> says_off(const LockedRecord& record, const KernelFiles& files) {
  DAMON_STATFS_TRY(line, record.read());
  const std::optional<OffSince> off = parse_off_since(line);
  if (!off) return false;
  DAMON_STATFS_TRY(boot, boot_id(files));
  return off->boot_id == boot;
}

Result<void> record_off(const LockedRecord& record, const KernelFiles& files) {
  DAMON_STATFS_TRY(boot, boot_id(files));
  return record.write(fmt::format("{} {} {}", boot, getpid(), record.pid_namespace()));
}

// No for a kernel without it, and where a mount of ours shows another one in its place.
Result<bool> is_damon_stat_on(const KernelFiles& files) {
  DAMON_STATFS_TRY(enabled, read_if_there(files, switch_path()));
  return enabled == "Y" && !is_on_fuse(files, switch_path());
}

// Precondition: no kdamond of ours is on. Returns: whether it was off until now.
Result<bool> switch_on(const OperationsContext& context, const KernelFiles& files,
                       int64_t limit_ns) {
  DAMON_STATFS_TRY(on, is_damon_stat_on(files));
  if (on) return false;
  if (is_on_fuse(files, switch_path())) {
    return failure(EBUSY, fmt::format("{}: a mount is in its place", switch_path()));
  }
  BOOST_OUTCOME_TRYV(retry_failing(EAGAIN, *context.clock, limit_ns,
                                   [&] { return files.write(switch_path(), "Y"); }));
  return true;
}

// Puts right what the record says, and clears it. Returns: whether DAMON_STAT was switched on.
Result<bool> put_back(const OperationsContext& context, const KernelFiles& files,
                      const LockedRecord& record, int64_t limit_ns) {
  DAMON_STATFS_TRY(off, says_off(record, files));
  DAMON_STATFS_TRY(switched, off ? switch_on(context, files, limit_ns) : Result<bool>(false));
  BOOST_OUTCOME_TRYV(record.clear());
  return switched;
}

void log_put_back(const OperationsContext& context, const Result<bool>& done, LogLevel level,
                  std::string_view text) {
  if (done && done.value()) context.log(level, text);
  if (done) return;
  context.log(LogLevel::kWarning,
              fmt::format("the kernel's DAMON_STAT, which was on before, cannot be switched on "
                          "again; the next start of damon-statfs will try again: {}",
                          done.error().context));
}

void restore_within(const OperationsContext& context, const KernelFiles& files, int64_t limit_ns) {
  const Result<std::optional<LockedRecord>> record =
      LockedRecord::open_existing(kYieldRecord, context.rootfs, files, *context.clock);
  if (failed_with(record, EBUSY)) return;
  if (!record) {
    context.log(
        LogLevel::kWarning,
        fmt::format("whether a damon-statfs before this one has left the kernel's DAMON_STAT "
                    "off cannot be found out: {}",
                    record.error().context));
  } else if (record.value()) {
    log_put_back(context, put_back(context, files, *record.value(), limit_ns), LogLevel::kWarning,
                 "switched the kernel's DAMON_STAT on again, which a damon-statfs before this one "
                 "had left off");
  }
}

}  // namespace

Result<void> refuse_unyielding_users(const OperationsContext& context, const RefuseUsers& refuse) {
  if (context.yield_damon_stat) return refuse(DamonStatUse::kYields);
  Result<void> refused = refuse(DamonStatUse::kRefused);
  if (refused || !refuse(DamonStatUse::kYields)) return refused;
  refused.error().context +=
      "; that is the kernel's own DAMON_STAT alone, which damon_stat=yield switches off while "
      "monitoring is on";
  return refused;
}

Result<std::string> yield_text(const OperationsContext& context, const KernelFiles& files) {
  if (!context.yield_damon_stat) return std::string();
  DAMON_STATFS_TRY(on, is_damon_stat_on(files));
  if (!on) return std::string();
  BOOST_OUTCOME_TRYV(files.check_writable(switch_path()));
  return ", with the kernel's DAMON_STAT off meanwhile";
}

// The first look is before DAMON_STAT is touched at all, the last one at what has come meanwhile;
// /proc may show the kdamond that has just ended for an instant longer.
Result<void> YieldedDamonStat::take(const RefuseUsers& refuse) {
  BOOST_OUTCOME_TRYV(refuse_unyielding_users(context_, refuse));
  if (!context_.yield_damon_stat) return outcome::success();
  taken_ = true;
  Result<void> alone = yield();
  if (alone) {
    alone = retry_busy(*context_.clock, record_ ? kMaxThreadNs : 0,
                       [&] { return refuse(DamonStatUse::kRefused); });
  }
  if (!alone) give_back();
  return alone;
}

Result<void> YieldedDamonStat::yield() {
  DAMON_STATFS_TRY(on, is_damon_stat_on(files_));
  return on ? switch_off() : take_over();
}

Result<void> YieldedDamonStat::switch_off() {
  DAMON_STATFS_TRY(record,
                   LockedRecord::open(kYieldRecord, context_.rootfs, files_, *context_.clock));
  BOOST_OUTCOME_TRYV(record_off(record, files_));
  record_ = std::move(record);
  BOOST_OUTCOME_TRYV(files_.write(switch_path(), "N"));
  context_.log(LogLevel::kInfo,
               "switched the kernel's DAMON_STAT off until monitoring ends (damon_stat=yield)");
  return outcome::success();
}

// It is off. If a daemon that is gone has left it so, this one switches it on again in the end; a
// daemon that lives and has switched it off will do that itself.
Result<void> YieldedDamonStat::take_over() {
  Result<std::optional<LockedRecord>> record =
      LockedRecord::open_existing(kYieldRecord, context_.rootfs, files_, *context_.clock);
  if (failed_with(record, EBUSY)) return outcome::success();
  if (!record) return record.as_failure();
  if (!record.value()) return outcome::success();
  DAMON_STATFS_TRY(off, says_off(*record.value(), files_));
  if (!off) return outcome::success();
  BOOST_OUTCOME_TRYV(record_off(*record.value(), files_));
  record_ = std::move(record.value());
  return outcome::success();
}

void YieldedDamonStat::give_back() noexcept {
  if (!std::exchange(taken_, false)) return;
  try {
    if (record_) {
      log_put_back(context_, put_back(context_, files_, *record_, kMaxStopNs), LogLevel::kInfo,
                   "the kernel's DAMON_STAT is on again");
    } else {
      restore_within(context_, files_, kMaxStopNs);
    }
  } catch (const std::exception& error) {
    log_quietly(context_.log, LogLevel::kError,
                [&] { return fmt::format("{}: {}", switch_path(), error.what()); });
  }
  record_.reset();
}

void restore_damon_stat(const OperationsContext& context, const KernelFiles& files) {
  restore_within(context, files, kMaxRestoreNs);
}

}  // namespace damon_statfs
