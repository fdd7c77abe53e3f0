// SPDX-License-Identifier: GPL-2.0-or-later
//
// One tracepoint of one kernel thread through perf_event_open(2), with its ring mapped. Nobody is
// woken up for it: whoever wants the records comes and takes them.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "damon_statfs/fd.h"
#include "damon_statfs/result.h"

namespace damon_statfs {

class PerfEvent {
 public:
  // Opens the tracepoint `id` for the thread `pid`, off. Its samples have the time of
  // CLOCK_MONOTONIC in ns and the raw data. ring_bytes: a power of two, at least a page.
  // Returns: EACCES without CAP_PERFMON or with too little locked memory allowed, ESRCH if there is
  // no such thread.
  static Result<std::unique_ptr<PerfEvent>> open(uint64_t id, pid_t pid, size_t ring_bytes);
  PerfEvent(const PerfEvent&) = delete;
  PerfEvent& operator=(const PerfEvent&) = delete;
  ~PerfEvent();

  // Begins to record.
  Result<void> enable();
  void disable() noexcept;

  // Whether the thread has ended.
  bool has_ended() const;

  // The ring's data, and two positions in it that count bytes since it was opened: what is before
  // the head has been written, what is before the tail may be overwritten.
  std::span<const std::byte> ring() const;
  uint64_t head() const;
  uint64_t tail() const;

  // Lets the kernel overwrite everything before `tail`.
  void set_tail(uint64_t tail);

 private:
  PerfEvent(UniqueFd fd, size_t ring_bytes);
  bool is_mapped() const;

  const UniqueFd fd_;
  const size_t page_bytes_;
  const size_t bytes_;  // of the mapping: one page of control data, then the ring
  void* base_ = nullptr;
};

}  // namespace damon_statfs
