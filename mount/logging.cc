// SPDX-License-Identifier: GPL-2.0-or-later
//
// One logger for the whole life of the program; only the sink behind it changes. Replacing spdlog's
// default logger is not safe while another thread logs.
#include "mount/logging.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/sinks/syslog_sink.h>
#include <spdlog/spdlog.h>

namespace damon_statfs {

Logging::Logging(bool debug) : sinks_(std::make_shared<spdlog::sinks::dist_sink_mt>()) {
  const auto terminal = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  terminal->set_pattern(debug ? "damon-statfs: %T.%e %l: %v" : "damon-statfs: %v");
  sinks_->add_sink(terminal);
  const auto logger = std::make_shared<spdlog::logger>("damon-statfs", sinks_);
  logger->set_level(debug ? spdlog::level::debug : spdlog::level::info);
  spdlog::set_default_logger(logger);
}

void Logging::move_to_syslog() {
  const auto syslog =
      std::make_shared<spdlog::sinks::syslog_sink_mt>("damon-statfs", LOG_PID, LOG_DAEMON, false);
  sinks_->set_sinks({syslog});
}

void Logging::write(LogLevel level, std::string_view text) {
  constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::debug, spdlog::level::info,
                                                   spdlog::level::warn, spdlog::level::err};
  spdlog::log(kLevels[static_cast<int>(level)], "{}", text);
}

}  // namespace damon_statfs
