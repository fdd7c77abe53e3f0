// SPDX-License-Identifier: GPL-2.0-or-later
//
// Operations sets that do what a test's script says: memory whose every access is known, errors at
// a chosen moment, checks of a chosen cost.
#pragma once

#include <unistd.h>

#include <atomic>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "damon_statfs/operations_set.h"
#include "support/fake_clock.h"

namespace damon_statfs::test {

// What a fake set does and what was done with it. With an engine thread, a test changes only what
// is atomic while the engine is on.
struct Script {
  std::vector<AddressRange> ranges{{0, uint64_t{1} << 30}};
  std::function<bool(uint64_t address)> accessed = [](uint64_t) { return false; };
  FakeClock* clock = nullptr;
  std::atomic<int64_t> cpu_ns_per_check{0};

  std::atomic<int> open_errno{0};  // each not 0: what that call fails with
  std::atomic<int> prepare_errno{0};
  std::atomic<int> check_errno{0};
  std::atomic<int> update_errno{0};
  std::function<void()> in_prepare = [] {};

  std::function<std::optional<Aggregation>()> collect;  // FakeDelivery only
  std::atomic<int64_t> collect_due_ns{0};
  std::atomic<pid_t> kdamond_pid{-1};

  std::vector<std::string> calls;  // one per call, portions of one tick count as one
  std::atomic<int> closed{0};
  std::atomic<pid_t> tid{-1};
};

// What all fake sources have in common.
template <class Kind>
class FakeSource : public Kind {
 public:
  explicit FakeSource(Script& script) : script_(script) {}

  Result<std::vector<AddressRange>> open() override {
    note("open");
    script_.tid = gettid();
    BOOST_OUTCOME_TRYV(fail_if(script_.open_errno, "open"));
    return script_.ranges;
  }
  Result<std::vector<AddressRange>> update() override {
    note("update");
    BOOST_OUTCOME_TRYV(fail_if(script_.update_errno, "update"));
    return script_.ranges;
  }
  void close() noexcept override {
    note("close");
    ++script_.closed;
  }
  OperationsFacts facts() const override { return {script_.kdamond_pid, 0}; }

 protected:
  void note(const char* call) {
    if (script_.calls.empty() || script_.calls.back() != call) script_.calls.emplace_back(call);
  }
  static Result<void> fail_if(int errno_value, const char* call) {
    if (errno_value == 0) return outcome::success();
    return failure(errno_value, std::string("scripted error in ") + call);
  }

  Script& script_;
};

class FakeOperations final : public FakeSource<RegionChecks> {
 public:
  using FakeSource::FakeSource;

  Result<void> prepare_access_checks(std::span<Region>) override {
    note("prepare");
    script_.in_prepare();
    return fail_if(script_.prepare_errno, "prepare");
  }
  Result<void> check_accesses(std::span<Region> regions) override {
    note("check");
    BOOST_OUTCOME_TRYV(fail_if(script_.check_errno, "check"));
    for (Region& region : regions) {
      if (script_.clock != nullptr) script_.clock->use_cpu(script_.cpu_ns_per_check);
      const int64_t now_ns = script_.clock == nullptr ? 0 : script_.clock->now_ns();
      if (script_.accessed(region.sampling_addr)) region.add_access(now_ns);
    }
    return outcome::success();
  }
};

class FakeDelivery final : public FakeSource<DeliveredRegions> {
 public:
  using FakeSource::FakeSource;

  int64_t collect_due_ns() const override { return script_.collect_due_ns; }
  Result<std::optional<Aggregation>> collect() override {
    note("collect");
    return script_.collect();
  }
};

// The registry hands a set nothing but its context, so the script travels with that.
struct ScriptedContext : OperationsContext {
  Script* script = nullptr;
};

inline OperationsSet fake_operations(std::string name = "fake", bool automatic = true) {
  OperationsSet set;
  set.name = std::move(name);
  set.automatic = automatic;
  set.probe = [](const OperationsContext&) -> Result<std::string> {
    return std::string("scripted");
  };
  set.add_factory<RegionChecks>([](const OperationsContext& context) -> std::unique_ptr<RegionChecks> {
    return std::make_unique<FakeOperations>(*static_cast<const ScriptedContext&>(context).script);
  });
  return set;
}

// A set that delivers what Script::collect returns.
inline OperationsSet fake_delivery() {
  OperationsSet set = fake_operations("delivery", false);
  set.add_factory<DeliveredRegions>([](const OperationsContext& context) -> std::unique_ptr<DeliveredRegions> {
    return std::make_unique<FakeDelivery>(*static_cast<const ScriptedContext&>(context).script);
  });
  return set;
}

}  // namespace damon_statfs::test
