// SPDX-License-Identifier: GPL-2.0-or-later
//
// ops=kdamond: the kernel's own DAMON, set up through /sys/kernel/mm/damon/admin (since Linux 5.18)
// and read through its tracepoint, or through tried_regions (since 6.2) where tracefs is missing.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "damon_statfs/operations_set.h"
#include "engine/damon/aggregated_events.h"
#include "engine/damon/nominal_time.h"
#include "engine/damon/own_kdamond.h"
#include "engine/damon/region_recording.h"

namespace damon_statfs {

// Errors: ENODEV without the kernel files, EACCES without the rights, EBUSY while another program
// uses DAMON: then nothing was written.
OperationsSet kdamond_operations();

class KdamondOperations final : public DeliveredRegions {
 public:
  // The context outlives the set.
  KdamondOperations(const OperationsContext& context, std::shared_ptr<const KernelFiles> files,
                    OpenEvents open_events);
  KdamondOperations(const KdamondOperations&) = delete;
  KdamondOperations& operator=(const KdamondOperations&) = delete;
  ~KdamondOperations() override { close(); }

  Result<std::vector<AddressRange>> open() override;
  Result<std::vector<AddressRange>> update() override;
  void close() noexcept final;
  int64_t collect_due_ns() const override { return due_ns_; }
  Result<std::optional<Aggregation>> collect() override;
  OperationsFacts facts() const override { return {own_.pid(), nr_dropped()}; }

 private:
  uint64_t nr_dropped() const;
  Kdamond& kdamond() { return own_.kdamond(); }
  Result<void> start();
  void stop();
  Result<void> choose_source();
  Result<void> open_source();
  void log_tried_regions(const Error& why_no_events) const;
  Result<void> read_through_scheme();
  void forget_recording();
  Result<void> check_ownership();
  Result<std::optional<RegionSnapshot>> take_recorded();
  Result<std::optional<RegionSnapshot>> take_tried_regions();
  Result<bool> commit(const KdamondSetup& wanted);
  Result<void> choose_tuner();
  Result<void> follow_goal();
  Result<void> refresh_intervals();
  Result<Aggregation> deliver(RegionSnapshot snapshot);
  void want_next(int64_t now_ns, bool settled);
  IntervalsGoal our_goal() const;
  Result<bool> tune(const std::vector<Region>& regions);
  void measure_real_per_nominal(int64_t window_ns);
  void note_incomplete();
  bool is_complete(const std::vector<Region>& regions) const;
  int64_t window_ns() const;

  const OperationsContext& context_;
  MonitoringAttrs attrs_;  // as configured, with the goal in force
  const std::shared_ptr<const KernelFiles> files_;
  const OpenEvents open_events_;

  OwnKdamond own_{context_, *files_};
  KdamondSetup setup_;  // staged and in force; its intervals are the tuned ones
  std::unique_ptr<RegionRecording> recording_;  // none: through tried_regions
  uint64_t dropped_before_ = 0;  // nr_dropped() of the snapshots before, and sets of regions

  bool kernel_tunes_ = false;
  bool we_tune_ = false;
  bool steady_ = false;  // kernel_tunes_: whether it changed them little since the last refresh
  double real_per_nominal_ = 1;  // real time that a nominal aggregation takes
  std::optional<NominalTime> nominal_time_;
  int64_t wanted_ns_ = 0;  // when the next aggregation shall be delivered
  int64_t due_ns_ = 0;
  int64_t next_check_ns_ = 0;
  int64_t complete_ns_ = 0;  // when the last complete one was delivered
  bool incomplete_logged_ = false;
  bool changed_by_others_ = false;  // what is staged is not only ours any more
};

}  // namespace damon_statfs
