// SPDX-License-Identifier: GPL-2.0-or-later
//
// The system calls, and the two positions that are shared with the kernel: it writes the head after
// the data, and reads the tail before it overwrites any.
#include "engine/damon/perf_event.h"

#include <fmt/format.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

#include "damon_statfs/errno_failure.h"

namespace damon_statfs {
namespace {

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

perf_event_mmap_page& control(void* base) { return *static_cast<perf_event_mmap_page*>(base); }

}  // namespace

PerfEvent::PerfEvent(UniqueFd fd, size_t ring_bytes)
    : fd_(std::move(fd)),
      page_bytes_(static_cast<size_t>(sysconf(_SC_PAGESIZE))),
      bytes_(page_bytes_ + ring_bytes),
      base_(mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0)) {}

PerfEvent::~PerfEvent() {
  if (is_mapped()) munmap(base_, bytes_);
}

bool PerfEvent::is_mapped() const { return base_ != MAP_FAILED; }

Result<std::unique_ptr<PerfEvent>> PerfEvent::open(uint64_t id, pid_t pid, size_t ring_bytes) {
  DAMON_STATFS_TRY(fd, open_perf_event(id, pid));
  std::unique_ptr<PerfEvent> event(new PerfEvent(std::move(fd), ring_bytes));
  if (event->is_mapped()) return event;
  const int errno_value = errno == EPERM ? EACCES : errno;
  return failure(errno_value, fmt::format("perf event for pid {}: no ring: {} (RLIMIT_MEMLOCK and "
                                          "kernel.perf_event_mlock_kb limit it)",
                                          pid, std::strerror(errno_value)));
}

Result<void> PerfEvent::enable() {
  if (ioctl(fd_.get(), PERF_EVENT_IOC_ENABLE, 0) == 0) return outcome::success();
  return errno_failure("perf event");
}

void PerfEvent::disable() noexcept { ioctl(fd_.get(), PERF_EVENT_IOC_DISABLE, 0); }

bool PerfEvent::has_ended() const {
  pollfd event{fd_.get(), POLLIN, 0};
  return poll(&event, 1, 0) > 0 && (event.revents & POLLHUP) != 0;
}

std::span<const std::byte> PerfEvent::ring() const {
  return {static_cast<const std::byte*>(base_) + page_bytes_, bytes_ - page_bytes_};
}

uint64_t PerfEvent::head() const {
  return std::atomic_ref(control(base_).data_head).load(std::memory_order_acquire);
}

uint64_t PerfEvent::tail() const { return control(base_).data_tail; }

void PerfEvent::set_tail(uint64_t tail) {
  std::atomic_ref(control(base_).data_tail).store(tail, std::memory_order_release);
}

}  // namespace damon_statfs
