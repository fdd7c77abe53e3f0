// SPDX-License-Identifier: GPL-2.0-or-later
//
// A daemon that monitors the memory of a machine with ops=kdamond and estimator=pages, on a kernel
// whose memory is accessed as a test says.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>

#include "engine/damon/ops_kdamond_pages.h"
#include "engine/pages/page_sampler.h"
#include "support/fake_page_events.h"
#include "unit/engine/damon/kdamond_machine.h"

namespace damon_statfs::test {

constexpr uint64_t kPage = 4096;

class PagesRun final : public MonitoringObserver {
 public:
  explicit PagesRun(Kernel of = Kernel::k7_2) : machine(of), kernel(*machine.damon, machine.clock) {
    machine.mount_tracefs();
    config.attrs = machine.context.attrs;
    make();
  }

  void make() {
    pages = std::make_unique<KdamondPages>(machine.context, machine.damon, kernel.opener(), kPage);
    sampler.emplace(config, *pages, machine.clock, *this);
  }

  // Steps until seconds have passed, or there is an error.
  Result<void> run(double seconds) {
    const int64_t end_ns =
        machine.clock.now_ns() + static_cast<int64_t>(seconds * static_cast<double>(kNsPerSecond));
    for (int steps = 0; machine.clock.now_ns() < end_ns; ++steps) {
      if (steps > 1'000'000) throw std::runtime_error("step() is called without end");
      machine.clock.wait_until(sampler->deadline_ns(), -1);
      Result<void> stepped = sampler->step();
      if (!stepped) return stepped;
    }
    return outcome::success();
  }

  void refreshed(const Statistics& new_statistics, const MonitoringDetails& new_details) override {
    ++refreshes;
    statistics = new_statistics;
    details = new_details;
  }

  uint64_t staged_pages(int index) const {
    const std::string path = "/contexts/0/targets/0/regions/nr_regions";
    return std::stoull(machine.damon->content(FakeDamon::admin(std::to_string(index) + path)));
  }

  KdamondMachine machine;
  FakePageKernel kernel;
  PageSamplerConfig config;
  std::unique_ptr<KdamondPages> pages;
  std::optional<PageSampler> sampler;
  int refreshes = 0;
  Statistics statistics;
  MonitoringDetails details;
};

// The first `bytes` of memory are touched at each multiple of the period.
inline IsAccessed touched(uint64_t bytes, int64_t period_ns) {
  return [=](uint64_t addr, int64_t from_ns, int64_t to_ns) {
    return addr < kRamStart + bytes && to_ns / period_ns > from_ns / period_ns;
  };
}

}  // namespace damon_statfs::test
