// SPDX-License-Identifier: GPL-2.0-or-later
//
// Writes to `enabled`: one switch of the engine, or of the source it mirrors, at a time, each
// answered when it is done or has failed. Nothing here waits; the FUSE thread goes on answering.
#pragma once

#include <deque>
#include <functional>

#include "damon_statfs/monitoring_switch.h"

namespace damon_statfs {

class EnabledFile {
 public:
  // Gets 0, or the positive errno that the writer shall see. Called exactly once per write, and
  // throws nothing.
  using Reply = std::function<void(int)>;

  // engine: outlives the file.
  explicit EnabledFile(MonitoringSwitch& engine) : engine_(engine) {}

  // Asks for monitoring to be on or off. writer: anything that tells this write from others. If it
  // throws, for want of memory, it has not taken the write and will not answer it.
  void write(const void* writer, bool on, Reply reply);

  // Answers a waiting write with EINTR. It is forgotten if its turn has not come; else the switch
  // completes all the same.
  void interrupt(const void* writer);

  // Goes on after the engine's status has changed.
  void engine_changed();

  // Answers all waiting writes with the given errno.
  void abandon(int errno_value);

 private:
  struct Write {
    const void* writer;
    bool on;
    Reply reply;  // empty once it was called
    bool begun = false;
    uint64_t awaited = 0;  // the number that the engine will count it as; 0: it was not forwarded
  };

  // Nothing is thrown once a write is in the queue: its answer would be given twice.
  void proceed() noexcept;
  bool begin(Write& write) noexcept;
  bool complete(Write& write) noexcept;
  bool forward(Write& write, const EngineStatus& status) noexcept;
  static void answer(Write& write, int errno_value) noexcept;

  MonitoringSwitch& engine_;
  std::deque<Write> writes_;  // the first one is in progress
};

}  // namespace damon_statfs
