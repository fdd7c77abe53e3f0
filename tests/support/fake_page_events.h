// SPDX-License-Identifier: GPL-2.0-or-later
//
// Trace records of kdamonds over single pages, as the kernel would write them: each page is
// checked once per sampling interval, and tells of it at the end of each aggregation.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "engine/damon/aggregated_events.h"
#include "support/fake_clock.h"
#include "support/fake_damon.h"

namespace damon_statfs::test {

// Memory whose accesses are known.
using IsAccessed = std::function<bool(uint64_t addr, int64_t from_ns, int64_t to_ns)>;

class FakePageKernel {
 public:
  FakePageKernel(FakeDamon& damon, FakeClock& clock) : damon_(damon), clock_(clock) {}

  IsAccessed is_accessed = [](uint64_t, int64_t, int64_t) { return false; };
  double real_per_nominal = 1;   // how long a sampling interval takes
  uint64_t region_bytes = 4096;  // of the kernel's smallest region
  int open_errno = 0;            // not 0: what opening events fails with
  bool keeps_ages = true;        // over a commit, as since Linux 6.10
  bool ended = false;            // what has_ended() says of every thread

  OpenEvents opener() {
    return [this](pid_t pid, uint64_t) -> Result<std::unique_ptr<AggregatedEvents>> {
      if (open_errno != 0) return failure(open_errno, "scripted error");
      threads_[pid].began_ns = clock_.now_ns();
      return std::make_unique<Events>(*this, pid);
    };
  }

 private:
  struct Page {
    uint32_t nr_accesses = 0, last_nr_accesses = 0, age = 0;
  };
  struct Thread {
    int64_t began_ns = 0;  // the aggregation that is under way
    std::map<uint64_t, Page> pages;
    bool recorded = false;
    std::vector<RegionRecord> records;
  };

  class Events final : public AggregatedEvents {
   public:
    Events(FakePageKernel& kernel, pid_t pid) : kernel_(kernel), pid_(pid) {}
    ~Events() override { kernel_.threads_.erase(pid_); }
    Result<void> enable() override {
      kernel_.run(pid_);
      kernel_.threads_[pid_].records.clear();
      kernel_.threads_[pid_].recorded = true;
      return outcome::success();
    }
    void disable() noexcept override { kernel_.threads_[pid_].recorded = false; }
    Drained drain() override {
      kernel_.run(pid_);
      return {std::exchange(kernel_.threads_[pid_].records, {}), 0, kernel_.ended};
    }

   private:
    FakePageKernel& kernel_;
    const pid_t pid_;
  };

  // Ends the aggregations that are over by now.
  void run(pid_t pid) {
    Thread& thread = threads_[pid];
    const RunningKdamond* kdamond = nullptr;
    for (int i = 0; i < 3; ++i) {
      const RunningKdamond* const running = damon_.kernel().running(i);
      if (running != nullptr && running->pid == pid) kdamond = running;
    }
    if (kdamond == nullptr) return;
    const MonitoringAttrs& attrs = kdamond->context.attrs;
    const auto sample_ns = static_cast<int64_t>(static_cast<double>(attrs.sample_us) * kNsPerUs *
                                                real_per_nominal);
    const int64_t aggr_ns = sample_ns * static_cast<int64_t>(attrs.aggr_us / attrs.sample_us);
    for (; thread.began_ns + aggr_ns <= clock_.now_ns(); thread.began_ns += aggr_ns) {
      aggregate(thread, kdamond->context.ranges, sample_ns, aggr_ns);
    }
  }

  void aggregate(Thread& thread, const std::vector<AddressRange>& ranges, int64_t sample_ns,
                 int64_t aggr_ns) {
    std::map<uint64_t, Page> pages;
    bool other_pages = false;
    for (const AddressRange& range : ranges) {
      const auto known = thread.pages.find(range.start);
      other_pages = other_pages || known == thread.pages.end();
      pages[range.start] = known == thread.pages.end() ? Page() : known->second;
    }
    if (other_pages && !keeps_ages) {
      for (auto& [addr, page] : pages) page = {};
    }
    for (auto& [addr, page] : pages) {
      page.nr_accesses = 0;
      for (int64_t at = 0; at < aggr_ns; at += sample_ns) {
        const int64_t from_ns = thread.began_ns + at;
        page.nr_accesses += is_accessed(addr, from_ns, from_ns + sample_ns) ? 1 : 0;
      }
      const bool changed = (page.nr_accesses == 0) != (page.last_nr_accesses == 0);
      page.age = changed ? 0 : page.age + 1;
      page.last_nr_accesses = page.nr_accesses;
      if (!thread.recorded) continue;
      thread.records.push_back({thread.began_ns + aggr_ns, 0, static_cast<uint32_t>(ranges.size()),
                                addr, addr + region_bytes, page.nr_accesses, page.age});
    }
    thread.pages = std::move(pages);
  }

  FakeDamon& damon_;
  FakeClock& clock_;
  std::map<pid_t, Thread> threads_;
};

}  // namespace damon_statfs::test
