// SPDX-License-Identifier: GPL-2.0-or-later
//
// One line: boot id, mark, whether it is set, pid, the daemon's pid. It is rewritten in place,
// because the lock is on the file, and always with the same length, so that one write(2) replaces
// it whole.
#include "engine/kdamond_record.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <filesystem>

#include "damon_statfs/errno_failure.h"
#include "engine/kernel_files.h"
#include "engine/lock_owner.h"

namespace damon_statfs {
namespace {

constexpr size_t kLineBytes = 128;
constexpr int kFlags = O_RDWR | O_CLOEXEC | O_NOFOLLOW;

constexpr int64_t kMaxProbeNs = 200 * kNsPerMs;
constexpr int64_t kMaxDyingNs = 12 * kNsPerSecond;  // DAMON's longest sampling interval is 10 s
constexpr int64_t kPauseNs = 10 * kNsPerMs;

Result<std::optional<KdamondOwnership>> read_line(const UniqueFd& file, const std::string& path) {
  char line[kLineBytes + 1] = {};
  if (pread(file.get(), line, kLineBytes, 0) < 0) return errno_failure("{}", path);
  char boot[64] = {};
  int marked = 0;
  KdamondOwnership ownership;
  if (sscanf(line, "%63s %" SCNu64 " %d %d %d", boot, &ownership.mark, &marked, &ownership.pid,
             &ownership.owner_pid) != 5) {
    return std::optional<KdamondOwnership>();
  }
  ownership.boot_id = boot;
  ownership.marked = marked != 0;
  return std::optional<KdamondOwnership>(std::move(ownership));
}

// Whether the process that has the lock was killed: its first thread is a zombie already.
bool is_owner_dying(const UniqueFd& file, const std::string& path) {
  const Result<std::optional<KdamondOwnership>> ownership = read_line(file, path);
  if (!ownership || !ownership.value()) return false;
  const Result<std::string> line =
      read_whole(fmt::format("/proc/{}/stat", ownership.value()->owner_pid));
  if (!line) return false;
  const size_t name_end = line.value().rfind(") ");
  return name_end != std::string::npos && line.value().compare(name_end + 2, 1, "Z") == 0;
}

std::string record_path(const std::string& rootfs) { return rootfs + "/run/damon-statfs/kdamond"; }

}  // namespace

Result<KdamondRecord> KdamondRecord::open(const std::string& rootfs, const Clock& clock) {
  const std::string path = record_path(rootfs);
  const std::filesystem::path directory = std::filesystem::path(path).parent_path();
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  if (failed) {
    return failure(failed.value(), fmt::format("{}: {}", directory.string(), failed.message()));
  }
  UniqueFd file(::open(path.c_str(), kFlags | O_CREAT, 0600));
  if (!file) return errno_failure("{}", path);
  return lock(std::move(file), path, clock);
}

Result<std::optional<KdamondRecord>> KdamondRecord::open_existing(const std::string& rootfs,
                                                                  const Clock& clock) {
  const std::string path = record_path(rootfs);
  UniqueFd file(::open(path.c_str(), kFlags));
  if (!file && (errno == ENOENT || errno == ENOTDIR)) return std::optional<KdamondRecord>();
  if (!file) return errno_failure("{}", path);
  DAMON_STATFS_TRY(record, lock(std::move(file), path, clock));
  return std::optional<KdamondRecord>(std::move(record));
}

// A probe holds the lock for an instant. A daemon that was killed keeps it until what it waits for
// in the kernel is over.
Result<KdamondRecord> KdamondRecord::lock(UniqueFd file, std::string path, const Clock& clock) {
  const int64_t begun_ns = clock.now_ns();
  while (flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return errno_failure("{}", path);
    const int64_t limit_ns = is_owner_dying(file, path) ? kMaxDyingNs : kMaxProbeNs;
    if (clock.now_ns() - begun_ns >= limit_ns) {
      return failure(EBUSY,
                     fmt::format("{}: another damon-statfs{} is driving a kdamond on this machine",
                                 path, lock_owner_text(file)));
    }
    clock.wait_until(clock.now_ns() + kPauseNs, -1);
  }
  return KdamondRecord(std::move(file), std::move(path));
}

Result<std::optional<KdamondOwnership>> KdamondRecord::read() const {
  return read_line(file_, path_);
}

Result<void> KdamondRecord::write(const KdamondOwnership& ownership) const {
  return replace(fmt::format("{} {} {:d} {} {}", ownership.boot_id, ownership.mark,
                             ownership.marked, ownership.pid, ownership.owner_pid));
}

Result<void> KdamondRecord::clear() const { return replace(""); }

Result<void> KdamondRecord::replace(const std::string& text) const {
  const std::string line = fmt::format("{:<{}}\n", text, kLineBytes - 1);
  const ssize_t bytes = pwrite(file_.get(), line.data(), line.size(), 0);
  if (bytes == static_cast<ssize_t>(line.size())) return outcome::success();
  return errno_failure("{}", path_);
}

}  // namespace damon_statfs
