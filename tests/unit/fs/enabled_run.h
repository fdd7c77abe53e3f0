// SPDX-License-Identifier: GPL-2.0-or-later
//
// `enabled` over a real engine thread, and writers whose answers are kept. The test does what the
// FUSE thread does.
#pragma once

#include <atomic>
#include <string>

#include "fs/enabled_file.h"
#include "unit/engine/engine_run.h"
#include "unit/fs/answer.h"

namespace damon_statfs::test {

class EnabledRun : public EngineRun {
 public:
  explicit EnabledRun(const std::string& ops = "fake") : EngineRun(ops) {}

  // Does what the FUSE loop does, until `answer` has been given.
  bool answered(const Answer& answer) {
    return eventually([&] {
      if (signals() > 0) file.engine_changed();
      return answer.count > 0;
    });
  }

  // Holds the engine thread in its start, or lets it go on.
  void hold_start() {
    held = true;
    script.in_prepare = [this] { eventually([this] { return !held.load(); }); };
  }

  std::atomic<bool> held{false};
  EnabledFile file{make()};
};

}  // namespace damon_statfs::test
