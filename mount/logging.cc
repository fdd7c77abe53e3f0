// SPDX-License-Identifier: GPL-2.0-or-later
//
// One logger for the whole life of the program; only the sink behind it changes. Replacing spdlog's
// default logger is not safe while another thread logs.
#include "mount/logging.h"

#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/dist_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/sinks/syslog_sink.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "damon_statfs/clock.h"
#include "mount/printable.h"

namespace damon_statfs {

// Hands each line on as printable text, so that it stays one line.
class PrintableSink final : public spdlog::sinks::dist_sink<std::mutex> {
 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const std::string text = printable({message.payload.data(), message.payload.size()});
    spdlog::details::log_msg line = message;
    line.payload = text;
    dist_sink<std::mutex>::sink_it_(line);
  }
};

// Keeps what the status block says of errors.
class LastErrorSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  std::optional<Logging::LastError> last_error() {
    const std::lock_guard lock(mutex_);
    return last_error_;
  }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    if (message.level < spdlog::level::err) return;
    last_error_ = {{message.payload.data(), message.payload.size()}, SystemClock().now_ns()};
  }
  void flush_() override {}

  std::optional<Logging::LastError> last_error_;
};

namespace {

// The level as journald wants it before a line, sd-daemon(3): <3> for errors to <7> for debugging.
class JournalPriority final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& text) override {
    char digit = '3';
    if (message.level == spdlog::level::warn) digit = '4';
    if (message.level == spdlog::level::info) digit = '6';
    if (message.level < spdlog::level::info) digit = '7';
    for (const char character : {'<', digit, '>'}) text.push_back(character);
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<JournalPriority>();
  }
};

// systemd says in JOURNAL_STREAM what it has connected to the journal, systemd.exec(5). A
// redirection of standard error since then has not changed the variable.
bool is_stderr_the_journal() {
  const char* const stream = std::getenv("JOURNAL_STREAM");
  struct stat info {};
  if (stream == nullptr || fstat(STDERR_FILENO, &info) != 0) return false;
  return is_journal_stream(stream, info.st_dev, info.st_ino);
}

spdlog::sink_ptr make_stderr_sink(bool debug) {
  const auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  if (is_stderr_the_journal()) {  // which knows the program and the time
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    formatter->add_flag<JournalPriority>('*').set_pattern("%*%v");
    sink->set_formatter(std::move(formatter));
    sink->set_color_mode(spdlog::color_mode::never);
    return sink;
  }
  sink->set_color(spdlog::level::info, "");  // what is as it should be has none
  sink->set_pattern(debug ? "damon-statfs: %T.%e %l: %^%v%$" : "damon-statfs: %^%v%$");
  return sink;
}

}  // namespace

bool is_journal_stream(std::string_view text, dev_t device, ino_t inode) {
  return fmt::format("{}:{}", device, inode) == text;
}

Logging::Logging(bool debug)
    : last_error_(std::make_shared<LastErrorSink>()), output_(std::make_shared<PrintableSink>()) {
  output_->set_sinks({make_stderr_sink(debug)});
  const spdlog::sinks_init_list sinks = {output_, last_error_};
  const auto logger = std::make_shared<spdlog::logger>("damon-statfs", sinks);
  logger->set_level(debug ? spdlog::level::debug : spdlog::level::info);
  spdlog::set_default_logger(logger);
}

Logging::~Logging() = default;

void Logging::move_to_syslog() {
  const auto syslog =
      std::make_shared<spdlog::sinks::syslog_sink_mt>("damon-statfs", LOG_PID, LOG_DAEMON, false);
  output_->set_sinks({syslog});
}

std::optional<Logging::LastError> Logging::last_error() const { return last_error_->last_error(); }

// A thread may be out of memory, and say so.
void Logging::write(LogLevel level, std::string_view text) noexcept {
  constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::debug, spdlog::level::info,
                                                   spdlog::level::warn, spdlog::level::err};
  try {
    spdlog::log(kLevels[static_cast<int>(level)], "{}", text);
  } catch (...) {  // the line is lost
  }
}

}  // namespace damon_statfs
