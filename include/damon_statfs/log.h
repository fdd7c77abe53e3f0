// SPDX-License-Identifier: GPL-2.0-or-later
//
// How the engine and the filesystem say something: through a function they are given. main() hands
// in one that writes to spdlog, a test one that collects the lines.
#pragma once

#include <functional>
#include <string_view>

namespace damon_statfs {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// Called from the FUSE thread and from the engine thread, so it must be thread-safe.
using LogSink = std::function<void(LogLevel, std::string_view)>;

// Logs what text() returns, from where nothing may be thrown: a line that there is no memory for is
// left out.
template <class Text>
void log_quietly(const LogSink& log, LogLevel level, const Text& text) noexcept {
  try {
    log(level, text());
  } catch (...) {
  }
}

}  // namespace damon_statfs
