// SPDX-License-Identifier: GPL-2.0-or-later
//
// One perf event on one kernel thread, with a ring that nobody is woken up for: whoever wants the
// records comes and takes them.
#include "engine/damon/aggregated_events.h"

#include <fmt/format.h>
#include <linux/magic.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "damon_statfs/errno_failure.h"
#include "damon_statfs/fd.h"
#include "engine/damon/event_format.h"
#include "engine/damon/perf_ring.h"

namespace damon_statfs {
namespace {

constexpr const char* kTracefs = "/sys/kernel/tracing";
constexpr uint64_t kMinRingBytes = 64 << 10;
constexpr uint64_t kMaxRingBytes = 16 << 20;

// The mapped memory of a perf event: one page of control data, then the ring.
class RingMapping {
 public:
  RingMapping(int fd, size_t ring_bytes) : page_bytes_(static_cast<size_t>(sysconf(_SC_PAGESIZE))) {
    bytes_ = page_bytes_ + ring_bytes;
    base_ = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  }
  RingMapping(const RingMapping&) = delete;
  RingMapping& operator=(const RingMapping&) = delete;
  ~RingMapping() {
    if (*this) munmap(base_, bytes_);
  }
  explicit operator bool() const { return base_ != MAP_FAILED; }

  std::span<const std::byte> ring() const {
    return {static_cast<const std::byte*>(base_) + page_bytes_, bytes_ - page_bytes_};
  }
  // The kernel's end of the ring; what is before it has been written.
  uint64_t head() const {
    return std::atomic_ref(control().data_head).load(std::memory_order_acquire);
  }
  uint64_t tail() const { return control().data_tail; }
  // Gives everything before `tail` back to the kernel.
  void set_tail(uint64_t tail) {
    std::atomic_ref(control().data_tail).store(tail, std::memory_order_release);
  }

 private:
  perf_event_mmap_page& control() const { return *static_cast<perf_event_mmap_page*>(base_); }

  size_t page_bytes_;
  size_t bytes_ = 0;
  void* base_ = nullptr;
};

// Where there is no event at the usual place. A kernel in lockdown (kernel_lockdown(7)) has a
// tracefs with nothing in it; where none is mounted there is an empty directory as well.
std::string why_no_events(const KernelFiles& files) {
  const Result<std::vector<std::string>> names = list_if_there(files, kTracefs);
  if (names && !names.value().empty()) return "tracefs has no such event";
  const Result<uint64_t> kind = files.filesystem_kind(kTracefs);
  const bool mounted = kind && kind.value() == TRACEFS_MAGIC;
  return mounted ? "tracefs is mounted and empty, as the kernel is locked down"
                 : "tracefs is not mounted";
}

class PerfAggregatedEvents final : public AggregatedEvents {
 public:
  PerfAggregatedEvents(UniqueFd fd, std::unique_ptr<RingMapping> mapping,
                       const RegionEventFormat& format, LogSink log)
      : fd_(std::move(fd)), mapping_(std::move(mapping)), format_(format), log_(std::move(log)) {}

  Result<void> enable() override {
    mapping_->set_tail(mapping_->head());
    if (ioctl(fd_.get(), PERF_EVENT_IOC_ENABLE, 0) == 0) return outcome::success();
    return errno_failure("perf event");
  }

  void disable() noexcept override { ioctl(fd_.get(), PERF_EVENT_IOC_DISABLE, 0); }

  Drained drain() override {
    Drained drained;
    drained.ended = has_ended();  // asked first, so that its last records are among these
    const uint64_t head = mapping_->head();
    const auto lose = [&](uint64_t count) {
      drained.dropped += count;
      after_loss_ = true;
    };
    const auto take = [&](int64_t time_ns, std::span<const std::byte> raw) {
      std::optional<RegionRecord> record = format_.decode(raw);
      if (!record) return lose(1);
      record->time_ns = time_ns;
      record->after_loss = std::exchange(after_loss_, false);
      drained.records.push_back(*record);
    };
    walk_perf_ring(mapping_->ring(), mapping_->tail(), head, take, lose);
    mapping_->set_tail(head);
    log_dropped(drained.dropped);
    return drained;
  }

 private:
  bool has_ended() const {
    pollfd event{fd_.get(), POLLIN, 0};
    return poll(&event, 1, 0) > 0 && (event.revents & POLLHUP) != 0;
  }

  void log_dropped(uint64_t dropped) {
    if (dropped == 0 || logged_) return;
    logged_ = true;
    log_(LogLevel::kWarning,
         fmt::format("damon_aggregated: {} records were lost or malformed; aggregations that are "
                     "not complete are left out (said once)",
                     dropped));
  }

  const UniqueFd fd_;
  const std::unique_ptr<RingMapping> mapping_;
  const RegionEventFormat format_;
  const LogSink log_;
  bool after_loss_ = false;  // whether records before the next one are missing
  bool logged_ = false;
};

Result<UniqueFd> open_perf_event(uint64_t id, pid_t pid) {
  perf_event_attr attr{};
  attr.size = sizeof attr;
  attr.type = PERF_TYPE_TRACEPOINT;
  attr.config = id;
  attr.sample_period = 1;
  attr.sample_type = PERF_SAMPLE_TIME | PERF_SAMPLE_RAW;
  attr.disabled = 1;
  attr.use_clockid = 1;
  attr.clockid = CLOCK_MONOTONIC;
  UniqueFd fd(
      static_cast<int>(syscall(SYS_perf_event_open, &attr, pid, -1, -1, PERF_FLAG_FD_CLOEXEC)));
  if (fd) return fd;
  const int errno_value = errno == EPERM ? EACCES : errno;  // which of them depends on the kernel
  return failure(
      errno_value,
      fmt::format(
          "perf_event_open for pid {}: {}{}", pid, std::strerror(errno_value),
          errno_value == EACCES ? ", needs CAP_PERFMON and a kernel that is not locked down" : ""));
}

// Room for three aggregations: header, time, size of the data and the data itself, rounded up.
size_t ring_bytes(const RegionEventFormat& format, uint64_t max_nr_regions) {
  const uint64_t data_bytes = sizeof(uint32_t) + format.min_bytes();
  const uint64_t record_bytes =
      sizeof(perf_event_header) + sizeof(uint64_t) + (data_bytes + 7) / 8 * 8;
  const uint64_t wanted = 3 * std::min(max_nr_regions, kMaxRingBytes) * record_bytes;
  return std::bit_ceil(std::clamp(wanted, kMinRingBytes, kMaxRingBytes));
}

}  // namespace

Result<std::string> find_aggregated_events(const KernelFiles& files) {
  const std::string event = "/events/damon/damon_aggregated";
  for (const char* tracefs : {kTracefs, "/sys/kernel/debug/tracing"}) {
    DAMON_STATFS_TRY(id, read_if_there(files, tracefs + event + "/id"));
    if (id) return tracefs + event;
  }
  return failure(ENOENT,
                 fmt::format("{}{}/id: not there, {}", kTracefs, event, why_no_events(files)));
}

Result<std::unique_ptr<AggregatedEvents>> open_aggregated_events(const KernelFiles& files,
                                                                 pid_t kdamond_pid,
                                                                 uint64_t max_nr_regions,
                                                                 const LogSink& log) {
  DAMON_STATFS_TRY(directory, find_aggregated_events(files));
  DAMON_STATFS_TRY(id, read_number(files, directory + "/id"));
  DAMON_STATFS_TRY(format_file, files.read(directory + "/format"));
  const std::optional<RegionEventFormat> format = RegionEventFormat::parse(format_file);
  if (!format) return failure(EIO, fmt::format("{}/format: not as expected", directory));
  DAMON_STATFS_TRY(fd, open_perf_event(id, kdamond_pid));
  auto mapping = std::make_unique<RingMapping>(fd.get(), ring_bytes(*format, max_nr_regions));
  if (!*mapping) {
    const int errno_value = errno == EPERM ? EACCES : errno;
    return failure(errno_value,
                   fmt::format("perf event for pid {}: no ring: {} (RLIMIT_MEMLOCK and "
                               "kernel.perf_event_mlock_kb limit it)",
                               kdamond_pid, std::strerror(errno_value)));
  }
  return std::unique_ptr<AggregatedEvents>(
      std::make_unique<PerfAggregatedEvents>(std::move(fd), std::move(mapping), *format, log));
}

OpenEvents events_of(std::shared_ptr<const KernelFiles> files, LogSink log) {
  return
      [files = std::move(files), log = std::move(log)](pid_t kdamond_pid, uint64_t max_nr_regions) {
        return open_aggregated_events(*files, kdamond_pid, max_nr_regions, log);
      };
}

}  // namespace damon_statfs
