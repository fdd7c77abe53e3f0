// SPDX-License-Identifier: GPL-2.0-or-later
//
// The kernel lets the second writer wait for the first; so do we, in a queue of our own.
#include "fs/enabled_file.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace damon_statfs {

void EnabledFile::write(const void* writer, bool on, Reply reply) {
  writes_.push_back({writer, on, std::move(reply)});
  if (writes_.size() == 1) proceed();
}

void EnabledFile::interrupt(const void* writer) {
  const auto found = std::find_if(writes_.begin(), writes_.end(),
                                  [&](const Write& write) { return write.writer == writer; });
  if (found == writes_.end()) return;
  answer(*found, EINTR);
  found->writer = nullptr;
  if (!found->begun) writes_.erase(found);
}

void EnabledFile::engine_changed() { proceed(); }

void EnabledFile::abandon(int errno_value) {
  for (Write& write : writes_) answer(write, errno_value);
  writes_.clear();
}

// Works on the first write until it has to wait for the engine.
void EnabledFile::proceed() noexcept {
  while (!writes_.empty()) {
    Write& write = writes_.front();
    if (write.begun ? !complete(write) : !begin(write)) return;
    writes_.pop_front();
  }
}

// Returns: whether the write is done already.
bool EnabledFile::begin(Write& write) noexcept {
  const EngineStatus& status = engine_.newest().status;
  if (status.state == EngineState::kStarting) return false;  // the mount has just begun
  write.begun = true;
  if (status.mirrors) return forward(write, status);
  if (write.on == (status.state == EngineState::kOn)) {
    answer(write, 0);
    return true;
  }
  if (!write.on) {
    engine_.request_stop();
    return false;
  }
  const Result<void> started = engine_.start();
  if (!started) {
    answer(write, started.error().code.value());
    return true;
  }
  return false;
}

// Returns: whether the engine has done, or failed to do, what the write asked for.
bool EnabledFile::complete(Write& write) noexcept {
  const EngineStatus& status = engine_.newest().status;
  if (status.mirrors || write.awaited > 0) return forward(write, status);
  if (write.on) {
    if (status.state == EngineState::kStarting) return false;
    answer(write, status.state == EngineState::kOn ? 0 : status.errno_value);
    return true;
  }
  if (status.state != EngineState::kOff) return false;
  answer(write, 0);
  return true;
}

// A mirror's source judges every write, also one of the value that it has. Returns: whether it has
// done so, or will not any more.
bool EnabledFile::forward(Write& write, const EngineStatus& status) noexcept {
  if (write.awaited == 0) {
    write.awaited = status.forwarded + 1;
    engine_.forward(write.on);
    return false;
  }
  const bool counted = status.forwarded >= write.awaited;
  if (!counted && status.mirrors) return false;
  answer(write, counted || status.errno_value != 0 ? status.errno_value : EIO);
  return true;
}

void EnabledFile::answer(Write& write, int errno_value) noexcept {
  if (!write.reply) return;
  std::exchange(write.reply, nullptr)(errno_value);
}

}  // namespace damon_statfs
