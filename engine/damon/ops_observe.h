// SPDX-License-Identifier: GPL-2.0-or-later
//
// ops=observe: watches a kdamond that belongs to another program, such as damo, DAMON_RECLAIM or
// the platform, through its trace events. Writes no file of DAMON's, ever.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "damon_statfs/operations_set.h"
#include "engine/damon/aggregated_events.h"
#include "engine/damon/kdamond_threads.h"
#include "engine/damon/region_recording.h"

namespace damon_statfs {

// Errors: ENODEV without a kdamond or tracing, EINVAL if it is not clear which kdamond, or if it
// monitors virtual addresses, ESRCH if the one asked for is gone, EACCES without CAP_PERFMON.
OperationsSet observe_operations();

class ObserveOperations final : public DeliveredRegions {
 public:
  // The context outlives the set.
  ObserveOperations(const OperationsContext& context, std::shared_ptr<const KernelFiles> files,
                    OpenEvents open_events);

  // Returns: no ranges, only its owner knows them.
  Result<std::vector<AddressRange>> open() override;
  Result<std::vector<AddressRange>> update() override { return std::vector<AddressRange>(); }
  void close() noexcept override { recording_.reset(); }
  int64_t collect_due_ns() const override { return due_ns_; }
  Result<std::optional<Aggregation>> collect() override;
  OperationsFacts facts() const override {
    return {kdamond_.pid, recording_ ? recording_->dropped() : 0};
  }

 private:
  Result<void> check_alive(int64_t now_ns);
  Result<std::optional<RegionSnapshot>> take(int64_t now_ns);
  bool is_steady(int64_t window_ns);
  Aggregation deliver(RegionSnapshot snapshot, int64_t now_ns);
  void note_silence(int64_t now_ns);

  const OperationsContext& context_;
  const std::shared_ptr<const KernelFiles> files_;
  const OpenEvents open_events_;

  KdamondThread kdamond_;
  std::unique_ptr<RegionRecording> recording_;
  int64_t wanted_ns_ = 0;      // when to begin to record
  int64_t begun_ns_ = 0;       // when that was done
  int64_t due_ns_ = 0;         // when to be called
  int64_t next_check_ns_ = 0;  // when to look whether the kdamond lives
  int64_t window_ns_ = 0;      // of the newest aggregation; 0: none yet
  int unsteady_ = 0;           // aggregations left out since the last one delivered
  bool silence_logged_ = false;
};

}  // namespace damon_statfs
