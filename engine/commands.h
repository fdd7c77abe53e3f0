// SPDX-License-Identifier: GPL-2.0-or-later
//
// The way into the engine: what its owner asks of the engine thread, through a lock-free queue. A
// descriptor that is readable while there may be something in the queue ends the thread's waiting.
#pragma once

#include <boost/lockfree/spsc_queue.hpp>
#include <functional>
#include <optional>

#include "damon_statfs/fd.h"
#include "damon_statfs/result.h"
#include "damon_statfs/run_settings.h"

namespace damon_statfs {

class Commands {
 public:
  // For the owner, before the thread is started: empties the queue and makes the descriptor, if
  // there is none yet. Precondition: no thread takes commands. Returns: EMFILE, ENFILE or ENOMEM.
  Result<void> open();

  // For the owner. The queue has room: a stop that finds it full is one of those in it, at most one
  // write is under way, and a change waits for the one before.
  void stop();
  void forward(bool on);
  void change(const RunSettings& settings);

  // The rest is for the engine thread.
  int fd() const { return fd_.get(); }

  // Makes the descriptor unreadable until the next command.
  void drain_fd();

  // Takes all commands out, and calls forward(on) for each write of `enabled`, in their order.
  void take(const std::function<void(bool on)>& forward = [](bool) {});

  // Whether take() has taken a stop out since open().
  bool stopped() const { return stop_requested_; }

  // Takes all commands out, without any writes of `enabled`, which are for mirrors. Returns:
  // stopped().
  bool stop_requested();

  // Returns: the newest settings that take() has taken out since the last call, if any.
  std::optional<RunSettings> take_settings();

 private:
  struct Command {
    enum class Kind { kStop, kForwardOn, kForwardOff, kChange };
    Kind kind = Kind::kStop;
    RunSettings settings{};  // kChange only
  };

  void push(const Command& command);
  void note(const Command& command, const std::function<void(bool on)>& forward);

  boost::lockfree::spsc_queue<Command, boost::lockfree::capacity<4>> queue_;  // owner -> engine
  UniqueFd fd_;                                                               // an eventfd
  bool stop_requested_ = false;
  std::optional<RunSettings> settings_;  // taken out and not yet taken over
};

}  // namespace damon_statfs
