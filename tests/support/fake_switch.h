// SPDX-License-Identifier: GPL-2.0-or-later
//
// An engine that only keeps what it is asked for. The test itself says when that is done, so that
// each moment of a switch can be met without a thread.
#pragma once

#include <string>
#include <utility>

#include "damon_statfs/monitoring_switch.h"

namespace damon_statfs::test {

class FakeSwitch final : public MonitoringSwitch {
 public:
  Result<void> start() noexcept override {
    calls += "start ";
    if (start_errno != 0) return failure(start_errno, "");
    snapshot.status = {};
    snapshot.status.state = EngineState::kStarting;
    return outcome::success();
  }
  void request_stop() override { calls += "stop "; }
  void forward(bool on) override { calls += on ? "Y " : "N "; }
  const Snapshot& newest() override { return snapshot; }

  // The engine's state from now on; errno_value: of kOff, why it could not start or died.
  void become(EngineState state, int errno_value = 0) {
    snapshot.status.state = state;
    snapshot.status.errno_value = errno_value;
    snapshot.status.mirrors = false;
  }
  // A mirror runs and its source is on or off.
  void mirror(bool on) {
    snapshot.status.state = on ? EngineState::kOn : EngineState::kOff;
    snapshot.status.mirrors = true;
  }
  // The mirror's source has answered a write; errno_value: 0 or its refusal.
  void count_forwarded(int errno_value = 0) {
    ++snapshot.status.forwarded;
    snapshot.status.errno_value = errno_value;
  }

  // Returns: the calls since the last time, each followed by a blank: start, stop, Y or N.
  std::string take_calls() { return std::exchange(calls, ""); }

  int start_errno = 0;  // not 0: what start() fails with
  Snapshot snapshot;
  std::string calls;
};

}  // namespace damon_statfs::test
