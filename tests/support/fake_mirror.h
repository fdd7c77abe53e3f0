// SPDX-License-Identifier: GPL-2.0-or-later
//
// A mirror of what a test's script says, which may change while the engine thread looks at it, and
// of what the engine writes to it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "damon_statfs/mirror.h"
#include "damon_statfs/operations_set.h"
#include "support/fake_operations.h"

namespace damon_statfs::test {

class MirrorScript {
 public:
  // Changes what the source says.
  void show(bool on, uint64_t bandwidth = 0) {
    const std::lock_guard lock(mutex_);
    shown_.status.state = on ? EngineState::kOn : EngineState::kOff;
    shown_.status.tid = on ? 4711 : -1;
    shown_.statistics.estimated_memory_bandwidth_bytes_per_s = bandwidth;
  }
  Snapshot shown() const {
    const std::lock_guard lock(mutex_);
    return shown_;
  }

  // What was handed on, one letter per write.
  std::string written() const {
    const std::lock_guard lock(mutex_);
    return written_;
  }
  void note_write(bool on) {
    const std::lock_guard lock(mutex_);
    written_ += on ? 'Y' : 'N';
  }

  std::atomic<int> read_errno{0};  // each not 0: what that call fails with
  std::atomic<int> write_errno{0};
  std::atomic<int> reads{0};
  std::atomic<bool> ended{false};
  std::function<void()> in_write = [] {};  // set before the engine starts

 private:
  mutable std::mutex mutex_;
  Snapshot shown_;
  std::string written_;
};

class FakeMirror final : public Mirror {
 public:
  explicit FakeMirror(MirrorScript& script) : script_(script) { script_.ended = false; }
  ~FakeMirror() override { script_.ended = true; }

  Result<Snapshot> read() override {
    ++script_.reads;
    const int errno_value = script_.read_errno;
    if (errno_value != 0) return failure(errno_value, "scripted error in read");
    return script_.shown();
  }
  Result<void> write_enabled(bool on) override {
    script_.in_write();
    script_.note_write(on);
    const int errno_value = script_.write_errno;
    if (errno_value != 0) return failure(errno_value, "scripted error in write");
    script_.show(on);
    return outcome::success();
  }

 private:
  MirrorScript& script_;
};

struct MirroredContext : ScriptedContext {
  MirrorScript* mirror = nullptr;
};

inline OperationsSet fake_mirror(std::string name = "mirror") {
  OperationsSet set;
  set.name = std::move(name);
  set.probe = [](const OperationsContext&) -> Result<std::string> { return std::string("fake"); };
  set.add_factory<Mirror>([](const OperationsContext& context) -> std::unique_ptr<Mirror> {
    return std::make_unique<FakeMirror>(*static_cast<const MirroredContext&>(context).mirror);
  });
  return set;
}

}  // namespace damon_statfs::test
