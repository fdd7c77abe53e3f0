// SPDX-License-Identifier: GPL-2.0-or-later
//
// A machine whose kernel has DAMON and whose memory is 400 MiB, with a daemon of ours on it that
// can be killed and started again. Another program may do anything at any moment.
#pragma once

#include <algorithm>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "engine/damon/kdamond_orphan.h"
#include "engine/damon/ops_kdamond.h"
#include "engine/damon/yielded_damon_stat.h"
#include "support/catch.h"
#include "support/fake_clock.h"
#include "support/fake_damon.h"
#include "support/fake_events.h"
#include "support/log_lines.h"
#include "support/tree_fixture.h"

namespace damon_statfs::test {

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kRamStart = 256 * kMiB;
constexpr uint64_t kRamEnd = kRamStart + 400 * kMiB;

inline const Kernel kKernels[] = {Kernel::k6_2,  Kernel::k6_7,  Kernel::k6_12,
                                  Kernel::k6_15, Kernel::k6_17, Kernel::k7_2};

inline const std::string kNrKdamonds = FakeDamon::admin("nr_kdamonds");
inline const std::string kState = FakeDamon::admin("0/state");
inline const std::string kNrContexts = FakeDamon::admin("0/contexts/nr_contexts");
inline const std::string kContext = FakeDamon::admin("0/contexts/0/");
inline const std::string kIntervals = kContext + "monitoring_attrs/intervals/";

// `hot_bytes` with that count at the start of the memory, the rest never accessed.
inline std::vector<Region> hot_and_cold(uint64_t hot_bytes, uint32_t nr_accesses, uint32_t age) {
  std::vector<Region> regions(2);
  regions[0].start = kRamStart;
  regions[0].end = regions[1].start = kRamStart + hot_bytes;
  regions[1].end = kRamEnd;
  regions[0].nr_accesses = nr_accesses;
  regions[0].age = regions[1].age = age;
  std::erase_if(regions, [](const Region& region) { return region.size_bytes() == 0; });
  return regions;
}

class KdamondMachine {
 public:
  explicit KdamondMachine(Kernel kernel) : damon(std::make_shared<FakeDamon>(kernel)) {
    damon->set_clock(clock);
    damon->set_file("/proc/iomem", "10000000-28ffffff : System RAM");
    damon->set_regions(
        hot_and_cold(8 * kMiB, 20, 4));  // half of the goal: the kernel or the set tunes
    context.rootfs = tree.root();
    context.clock = &clock;
    context.log = log.sink();
    untouched = damon->staged();
  }

  // The records are there from now on.
  void mount_tracefs() {
    const std::string event = "/sys/kernel/tracing/events/damon/damon_aggregated";
    damon->set_file(event + "/id", "1234");
    damon->set_file(event + "/format", "name: damon_aggregated");
  }

  std::unique_ptr<KdamondOperations> make_set() {
    clock.advance(kNsPerMs);  // no two daemons start at the same time
    return std::make_unique<KdamondOperations>(
        context, damon, [this](pid_t pid, uint64_t) -> Result<std::unique_ptr<AggregatedEvents>> {
          events = std::make_shared<EventsScript>();
          events->enable_errno = enable_errno;
          events_pid = pid;
          if (open_events_errno != 0) return failure(open_events_errno, "scripted error");
          return std::make_unique<FakeEvents>(events);
        });
  }

  // Collects until there is an aggregation, an error, or limit_ns have passed.
  Result<std::optional<Aggregation>> collect(KdamondOperations& set,
                                             int64_t limit_ns = 60 * kNsPerSecond) {
    const int64_t end_ns = clock.now_ns() + limit_ns;
    for (int calls = 0; clock.now_ns() < end_ns; ++calls) {
      if (calls > 100'000) throw std::runtime_error("collect() is called without end");
      pass_to(std::max(set.collect_due_ns(), clock.now_ns() + kNsPerMs));
      Result<std::optional<Aggregation>> collected = set.collect();
      if (!collected || collected.value()) return collected;
    }
    return std::optional<Aggregation>();
  }

  // One life of a daemon; after the first aggregation there is more memory. Returns: what became of
  // it.
  struct Life {
    int open_errno = 0;
    int collect_errno = 0;
    std::string reason;  // of either
    int delivered = 0;
    int64_t open_ns = 0;
    int64_t close_ns = 0;
  };
  Life live(int aggregations = 2) {
    const auto set = make_set();
    Life life;
    const int64_t start_ns = clock.now_ns();
    const Result<std::vector<AddressRange>> opened = set->open();
    life.open_ns = clock.now_ns() - start_ns;
    if (!opened) {
      life.open_errno = opened.error().code.value();
      life.reason = opened.error().context;
      return life;
    }
    while (aggregations-- > 0) {
      const auto collected = collect(*set);
      if (!collected) {
        life.collect_errno = collected.error().code.value();
        life.reason = collected.error().context;
        break;
      }
      if (collected.value()) ++life.delivered;
      if (life.delivered != 1) continue;
      grow();
      const auto updated = set->update();
      if (updated) continue;
      life.collect_errno = updated.error().code.value();
      life.reason = updated.error().context;
      break;
    }
    const int64_t close_start_ns = clock.now_ns();
    set->close();
    life.close_ns = clock.now_ns() - close_start_ns;
    return life;
  }

  // 64 MiB more memory, of which nothing is accessed.
  void grow() {
    damon->set_file("/proc/iomem",
                    "10000000-28ffffff : System RAM\n40000000-43ffffff : System RAM");
    std::vector<Region> regions = *damon->kernel().regions;
    if (regions.back().end == 0x44000000) return;
    regions.push_back({});
    regions.back().start = 0x40000000;
    regions.back().end = 0x44000000;
    damon->set_regions(regions);
  }

  // How many kdamonds are on that a daemon of ours has switched on.
  size_t nr_ours() const {
    size_t ours = 0;
    for (int index = 0; index < 4; ++index) {
      const RunningKdamond* const kdamond = damon->kernel().running(index);
      if (kdamond != nullptr && !kdamond->foreign) ++ours;
    }
    return ours;
  }

  bool is_untouched() const { return damon->staged() == untouched; }

  // What is recorded of our kdamond, or of DAMON_STAT, which survives a daemon.
  std::optional<std::string> record(const std::string& name = "kdamond") const {
    std::ifstream file(tree.root() + "/run/damon-statfs/" + name);
    if (!file) return std::nullopt;
    return std::string(std::istreambuf_iterator<char>(file), {});
  }
  void set_record(const std::optional<std::string>& text, const std::string& name = "kdamond") {
    const std::string path = "/run/damon-statfs/" + name;
    text ? tree.write(path, *text) : tree.remove(path);
  }

  // DAMON_STAT is on since the boot, and our daemons switch it off meanwhile.
  void boot_with_damon_stat(uint64_t sample_us = 5'000) {
    damon->kernel().boot_with_damon_stat(sample_us);
    context.yield_damon_stat = true;
  }
  bool damon_stat_is_on() const { return damon->content(kDamonStatSwitch) == "Y"; }

  // What is done before a mount.
  void recover() {
    stop_orphaned_kdamond(context, *damon);
    restore_damon_stat(context, *damon);
  }

  // Calls hook() before the write of that number, counted from now and from 0.
  void before_write(size_t number, std::function<void(FakeDamon&)> hook) {
    damon->before_write = [first = damon->nr_writes(), number, hook = std::move(hook),
                           done = false](FakeDamon& kernel, const std::string&,
                                         const std::string&) mutable {
      if (done || kernel.nr_writes() < first + number) return;
      done = true;
      hook(kernel);
    };
  }

  // The same for any read or write.
  void before_access(size_t number, std::function<void(FakeDamon&)> hook) {
    const auto count = [left = std::make_shared<size_t>(number + 1),
                        hook = std::move(hook)](FakeDamon& kernel) {
      if (*left > 0 && --*left == 0) hook(kernel);
    };
    damon->before_read = [count](FakeDamon& kernel, const std::string&) { count(kernel); };
    damon->before_write = [count](FakeDamon& kernel, const std::string&, const std::string&) {
      count(kernel);
    };
  }

  // Lives a life that ends, as by SIGKILL, before the write of that number. Returns: whether there
  // were so many.
  bool live_until(size_t number, int aggregations = 2) {
    return ends_before(number, [&] { live(aggregations); });
  }

  // The same for what run() does.
  bool ends_before(size_t number, const std::function<void()>& run) {
    std::optional<std::string> of_kdamond, of_damon_stat;
    bool killed = false;
    before_write(number, [&](FakeDamon& kernel) {
      of_kdamond = record();
      of_damon_stat = record("damon_stat");
      killed = true;
      context.log = [](LogLevel, std::string_view) {};
      kernel.cut_off();
    });
    run();
    damon->before_write = nullptr;
    damon->reconnect();
    context.log = log.sink();
    if (!killed) return false;
    set_record(of_kdamond);
    set_record(of_damon_stat, "damon_stat");
    return true;
  }

  // An aggregation that ends now, at which the kernel's tuning takes these intervals.
  void tune(uint64_t sample_us, uint64_t aggr_us) {
    damon->kernel().tune(0, sample_us, aggr_us);
    if (events == nullptr) return;
    clock.advance(kNsPerMs);
    events->push_aggregation(clock.now_ns(), *damon->kernel().regions);
  }

  FakeClock clock;
  std::shared_ptr<FakeDamon> damon;
  TreeFixture tree;  // for what the daemon keeps in /run
  LogLines log;
  OperationsContext context;
  Files untouched;

  std::shared_ptr<EventsScript> events;  // of the kdamond opened last
  pid_t events_pid = -1;
  int open_events_errno = 0;
  int enable_errno = 0;
  int64_t slowness = 1;  // real time per nominal time of aggregations

 private:
  // Lets time pass, in which the kdamond finishes aggregations and writes its records.
  void pass_to(int64_t ns) {
    for (;;) {
      const RunningKdamond* const kdamond = damon->kernel().running(0);
      const int64_t now_ns = clock.now_ns();
      if (kdamond == nullptr || events == nullptr || !events->enabled) break;
      const auto aggr_ns =
          static_cast<int64_t>(kdamond->context.attrs.aggr_us) * kNsPerUs * slowness;
      const int64_t boundary_ns = (now_ns / aggr_ns + 1) * aggr_ns;
      if (boundary_ns > ns) break;
      clock.advance(boundary_ns - now_ns);
      events->push_aggregation(boundary_ns, *damon->kernel().regions);
    }
    if (events != nullptr && damon->kernel().running(0) == nullptr) events->ended = true;
    if (clock.now_ns() < ns) clock.advance(ns - clock.now_ns());
  }
};

}  // namespace damon_statfs::test
