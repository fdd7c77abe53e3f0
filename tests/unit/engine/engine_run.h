// SPDX-License-Identifier: GPL-2.0-or-later
//
// A real engine thread in virtual time, with scripted memory. Its owner says how far it may go, and
// waits for its status as the FUSE thread does.
#pragma once

#include <sys/eventfd.h>

#include "damon_statfs/engine.h"
#include "damon_statfs/fd.h"
#include "engine/ops_sim.h"
#include "support/catch.h"
#include "support/fake_mirror.h"
#include "support/fake_operations.h"
#include "support/log_lines.h"

namespace damon_statfs::test {

class EngineRun {
 public:
  // max_call_ms: of the scripted sets.
  explicit EngineRun(const std::string& ops = "fake", uint64_t max_call_ms = 1'500) {
    config.ops = ops;
    context.attrs.goal.aggrs = 0;
    config.max_cpu_percent = 100;
    config.seed = 1;
    context.clock = &clock;
    context.log = log.sink();
    context.script = &script;
    context.mirror = &mirror;
    context.sim = {{uint64_t{1} << 30, 10 * kNsPerMs}};
    begun_ns = clock.now_ns();
    clock.stop_at(begun_ns);
    OperationsSet fake = fake_operations();
    fake.max_call_ms = max_call_ms;
    registry.add(fake).value();
    registry.add(fake_delivery()).value();
    registry.add(sim_operations()).value();
    OperationsSet mirror_set = fake_mirror();
    mirror_set.max_call_ms = max_call_ms;
    registry.add(mirror_set).value();
  }

  // Makes the engine with what `config` says now.
  Engine& make() { return engine.emplace(config, context, registry, wake_fd.get()); }

  const EngineStatus& status() { return engine->newest().status; }
  const Statistics& statistics() { return engine->newest().statistics; }

  bool becomes(EngineState state) {
    return eventually([&] { return status().state == state; });
  }

  // Lets the engine work until it waits for a time later than ms after the beginning.
  bool run_to_ms(int64_t ms) { return clock.run_to(begun_ns + ms * kNsPerMs); }

  // Returns: how often the engine has signalled since the last call.
  uint64_t signals() {
    uint64_t count = 0;
    return read(wake_fd.get(), &count, sizeof count) == sizeof count ? count : 0;
  }

  FakeClock clock;
  Script script;
  MirrorScript mirror;
  LogLines log;
  MirroredContext context;
  OperationsRegistry registry;
  EngineConfig config;
  UniqueFd wake_fd{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  std::optional<Engine> engine;
  int64_t begun_ns = 0;
};

}  // namespace damon_statfs::test
