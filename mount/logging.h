// SPDX-License-Identifier: GPL-2.0-or-later
//
// Where the log goes: standard error as long as the program that started the daemon may read there,
// then the system log. Both threads log, so the change must not be seen by half.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "damon_statfs/log.h"

namespace damon_statfs {

// Whether the text of JOURNAL_STREAM, systemd.exec(5), names the file with these numbers, which is
// then a stream to the journal.
bool is_journal_stream(std::string_view text, dev_t device, ino_t inode);

class LastErrorSink;
class PrintableSink;

class Logging {
 public:
  // To standard error: for the journal with a priority before each line, on a terminal in colours.
  // debug: with times and levels, down to LogLevel::kDebug.
  explicit Logging(bool debug);
  ~Logging();
  Logging(const Logging&) = delete;
  Logging& operator=(const Logging&) = delete;

  // From now on to the system log, for a daemon in the background.
  void move_to_syslog();

  struct LastError {
    std::string text;
    int64_t ns = 0;  // CLOCK_MONOTONIC
  };

  // The last line of level kError, with all its bytes as they are.
  std::optional<LastError> last_error() const;

  // Writes to spdlog's default logger, which is this one.
  static void write(LogLevel level, std::string_view text) noexcept;

 private:
  const std::shared_ptr<LastErrorSink> last_error_;
  const std::shared_ptr<PrintableSink> output_;  // has a lock of its own
};

}  // namespace damon_statfs
