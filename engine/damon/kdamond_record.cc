// SPDX-License-Identifier: GPL-2.0-or-later
//
// One line, see kdamond_ownership.h.
#include "engine/damon/kdamond_record.h"

namespace damon_statfs {
namespace {

std::optional<RecordOwner> owner_of_kdamond(std::string_view line) {
  const std::optional<KdamondOwnership> ownership = parse_ownership(line);
  if (!ownership) return std::nullopt;
  return RecordOwner{ownership->owner_pid, ownership->owner_pid_namespace, ownership->ending};
}

constexpr RecordKind kKdamondRecord{"kdamond", "is driving a kdamond", owner_of_kdamond};

}  // namespace

Result<KdamondRecord> KdamondRecord::open(const std::string& rootfs, const KernelFiles& files,
                                          const Clock& clock) {
  DAMON_STATFS_TRY(line, LockedRecord::open(kKdamondRecord, rootfs, files, clock));
  return KdamondRecord(std::move(line));
}

Result<std::optional<KdamondRecord>> KdamondRecord::open_existing(const std::string& rootfs,
                                                                  const KernelFiles& files,
                                                                  const Clock& clock) {
  DAMON_STATFS_TRY(line, LockedRecord::open_existing(kKdamondRecord, rootfs, files, clock));
  if (!line) return std::optional<KdamondRecord>();
  return std::optional<KdamondRecord>(KdamondRecord(std::move(*line)));
}

Result<std::optional<KdamondOwnership>> KdamondRecord::read() const {
  DAMON_STATFS_TRY(line, line_.read());
  return parse_ownership(line);
}

// There is room for the pids of six kdamonds.
Result<void> KdamondRecord::write(const KdamondOwnership& ownership) const {
  KdamondOwnership ours = ownership;
  ours.owner_pid_namespace = line_.pid_namespace();
  return line_.write(format_ownership(ours));
}

}  // namespace damon_statfs
