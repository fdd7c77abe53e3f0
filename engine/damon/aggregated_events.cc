// SPDX-License-Identifier: GPL-2.0-or-later
//
// Where the tracepoint is, how large a ring it needs, and the way from the ring through the
// decoder.
#include "engine/damon/aggregated_events.h"

#include <fmt/format.h>
#include <linux/magic.h>
#include <linux/perf_event.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <utility>

#include "engine/damon/event_format.h"
#include "engine/damon/perf_event.h"
#include "engine/damon/record_decoder.h"

namespace damon_statfs {
namespace {

constexpr const char* kTracefs = "/sys/kernel/tracing";
constexpr uint64_t kMinRingBytes = 64 << 10;
constexpr uint64_t kMaxRingBytes = 16 << 20;

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
  PerfAggregatedEvents(std::unique_ptr<PerfEvent> event, const RegionEventFormat& format,
                       LogSink log)
      : event_(std::move(event)), decoder_(format), log_(std::move(log)) {}

  Result<void> enable() override {
    event_->set_tail(event_->head());
    return event_->enable();
  }

  void disable() noexcept override { event_->disable(); }

  Drained drain() override {
    Drained drained;
    drained.ended = event_->has_ended();  // asked first, so that its last records are among these
    const uint64_t head = event_->head();
    auto [records, dropped] = decoder_.decode(event_->ring(), event_->tail(), head);
    event_->set_tail(head);
    drained.records = std::move(records);
    drained.dropped = dropped;
    log_dropped(dropped);
    return drained;
  }

 private:
  void log_dropped(uint64_t dropped) {
    if (dropped == 0 || logged_) return;
    logged_ = true;
    log_(LogLevel::kWarning,
         fmt::format("damon_aggregated: {} records were lost or malformed; aggregations that are "
                     "not complete are left out (said once)",
                     dropped));
  }

  const std::unique_ptr<PerfEvent> event_;
  RecordDecoder decoder_;
  const LogSink log_;
  bool logged_ = false;
};

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
  DAMON_STATFS_TRY(event, PerfEvent::open(id, kdamond_pid, ring_bytes(*format, max_nr_regions)));
  return std::unique_ptr<AggregatedEvents>(
      std::make_unique<PerfAggregatedEvents>(std::move(event), *format, log));
}

OpenEvents events_of(std::shared_ptr<const KernelFiles> files, LogSink log) {
  return
      [files = std::move(files), log = std::move(log)](pid_t kdamond_pid, uint64_t max_nr_regions) {
        return open_aggregated_events(*files, kdamond_pid, max_nr_regions, log);
      };
}

}  // namespace damon_statfs
