// SPDX-License-Identifier: GPL-2.0-or-later
//
// A page sampler over memory of known truth, driven through virtual time by the test that owns it.
#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "engine/pages/checked_pages.h"
#include "engine/pages/page_sampler.h"
#include "support/catch.h"
#include "support/log_lines.h"
#include "support/paged_memory.h"

namespace damon_statfs::test {

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kGiB = uint64_t{1} << 30;
constexpr int64_t kMs = kNsPerMs;
constexpr int64_t kSecond = kNsPerSecond;

// Whether a page that is a folio of its own is of the sentinel subsample.
inline bool is_sentinel(uint64_t addr) {
  CheckedPage page;
  page.head_pfn = addr / 4096;
  return PageRound::is_sentinel(page);
}

class PageSamplerRun : public MonitoringObserver {
 public:
  PageSamplerRun() { config.log = log.sink(); }

  // What is changed in `config` and `memory` before counts.
  void start() {
    REQUIRE(try_start());
    begun_ns = clock.now_ns();
  }
  Result<void> try_start() {
    observed.emplace(CheckedPagesConfig{config.attrs, refresh_ms, config.page_bytes, config.seed},
                     std::move(owned_memory), clock);
    sampler.emplace(config, *observed, clock, *this);
    return sampler->start();
  }

  // One step, which wakes up late by late_ns.
  Result<void> step() {
    clock.wait_until(sampler->deadline_ns(), -1);
    clock.advance(late_ns);
    return sampler->step();
  }
  void run_refreshes(size_t count) {
    const size_t until = refreshes + count;
    while (refreshes < until) require(step());
  }
  void run_for(int64_t ns) {
    const int64_t until_ns = clock.now_ns() + ns;
    while (sampler->deadline_ns() <= until_ns) require(step());
  }
  // Runs until a step fails, for at most an hour. Returns: why.
  std::string run_to_error() {
    const int64_t until_ns = clock.now_ns() + 3'600 * kSecond;
    while (clock.now_ns() < until_ns) {
      const auto stepped = step();
      if (!stepped) return stepped.error().context;
    }
    return "";
  }

  void refreshed(const Statistics& new_statistics, const MonitoringDetails& new_details) override {
    ++refreshes;
    statistics = new_statistics;
    details = new_details;
    pages = std::get<PageDetails>(details.by_estimator);
    refreshed_ns = clock.now_ns();
    on_refresh();
  }

  // Milliseconds that percent p of memory has been idle for.
  int64_t idle_ms(size_t p) const { return statistics.memory_idle_ms_percentiles[p]; }
  // How long memory that was never accessed has been idle at the last refresh, for all that is
  // known.
  int64_t monitored_ms() const { return (refreshed_ns - begun_ns) / kMs; }
  double bandwidth() const {
    return static_cast<double>(statistics.estimated_memory_bandwidth_bytes_per_s);
  }

  // As REQUIRE, which takes longer than a step.
  static void require(const Result<void>& done) {
    if (!done) FAIL(done.error().context);
  }

  FakeClock clock;
  LogLines log;
  std::unique_ptr<PagedMemory> owned_memory =
      std::make_unique<PagedMemory>(clock);  // until start()
  PagedMemory& memory = *owned_memory;
  PageSamplerConfig config;
  uint64_t refresh_ms = 5'000;
  std::optional<CheckedPages> observed;
  std::optional<PageSampler> sampler;
  int64_t late_ns = 0;
  int64_t begun_ns = 0;

  size_t refreshes = 0;
  Statistics statistics;
  MonitoringDetails details;
  PageDetails pages;  // of the details
  int64_t refreshed_ns = 0;
  std::function<void()> on_refresh = [] {};
};

}  // namespace damon_statfs::test
