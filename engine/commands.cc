// SPDX-License-Identifier: GPL-2.0-or-later
//
// The eventfd only says that there is something to look at; what it is stands in the queue.
#include "engine/commands.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <utility>

#include "damon_statfs/errno_failure.h"
#include "engine/base/eventfd.h"

namespace damon_statfs {

Result<void> Commands::open() {
  if (!fd_) fd_ = UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd_) return errno_failure("no eventfd for the engine");
  queue_.reset();
  stop_requested_ = false;
  settings_.reset();
  drain_fd();
  return outcome::success();
}

void Commands::stop() { push({Command::Kind::kStop}); }

void Commands::forward(bool on) {
  push({on ? Command::Kind::kForwardOn : Command::Kind::kForwardOff});
}

void Commands::change(const RunSettings& settings) { push({Command::Kind::kChange, settings}); }

void Commands::push(const Command& command) {
  queue_.push(command);
  signal_eventfd(fd_.get());
}

void Commands::drain_fd() {
  uint64_t signals = 0;
  [[maybe_unused]] const ssize_t drained = read(fd_.get(), &signals, sizeof signals);
}

void Commands::take(const std::function<void(bool on)>& forward) {
  queue_.consume_all([&](const Command& command) { note(command, forward); });
}

bool Commands::stop_requested() {
  take();
  return stop_requested_;
}

std::optional<RunSettings> Commands::take_settings() {
  return std::exchange(settings_, std::nullopt);
}

void Commands::note(const Command& command, const std::function<void(bool on)>& forward) {
  switch (command.kind) {
    case Command::Kind::kStop:
      stop_requested_ = true;
      break;
    case Command::Kind::kForwardOn:
    case Command::Kind::kForwardOff:
      forward(command.kind == Command::Kind::kForwardOn);
      break;
    case Command::Kind::kChange:
      settings_ = command.settings;
      break;
  }
}

}  // namespace damon_statfs
