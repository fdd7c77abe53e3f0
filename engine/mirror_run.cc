// SPDX-License-Identifier: GPL-2.0-or-later
//
// The mirror is read ten times a second, and after each write at once, so that a writer reads what
// came of its write.
#include "engine/mirror_run.h"

#include <fmt/format.h>

namespace damon_statfs {
namespace {

constexpr int64_t kIntervalNs = 100 * kNsPerMs;

class MirrorRun {
 public:
  MirrorRun(Mirror& mirror, const OperationsContext& context, Commands& commands,
            Publisher& publisher)
      : mirror_(mirror), context_(context), commands_(commands), publisher_(publisher) {}

  Result<void> run() {
    BOOST_OUTCOME_TRYV(show());
    while (!commands_.stopped()) {
      const int64_t next_ns = context_.clock->now_ns() + kIntervalNs;
      if (context_.clock->wait_until(next_ns, commands_.fd())) take_commands();
      BOOST_OUTCOME_TRYV(show());
    }
    context_.log(LogLevel::kInfo, "the mirror ends, what it showed goes on as it is");
    return outcome::success();
  }

 private:
  Result<void> show() {
    DAMON_STATFS_TRY(shown, mirror_.read());
    publisher_.mirrored(shown, context_.clock->now_ns() + kIntervalNs);
    return outcome::success();
  }

  void take_commands() {
    commands_.drain_fd();
    commands_.take([this](bool on) { hand_on(on); });
    if (commands_.take_settings()) publisher_.changed();
  }

  void hand_on(bool on) {
    const Result<void> written = mirror_.write_enabled(on);
    publisher_.forwarded(written ? 0 : written.error().code.value());
    const char* const text = on ? "Y" : "N";
    if (written) {
      context_.log(LogLevel::kInfo, fmt::format("enabled: handed {} on", text));
    } else {
      context_.log(LogLevel::kError, fmt::format("enabled: handed {} on, refused: {}", text,
                                                 written.error().context));
    }
  }

  Mirror& mirror_;
  const OperationsContext& context_;
  Commands& commands_;
  Publisher& publisher_;
};

}  // namespace

Result<void> run_mirror(Mirror& mirror, const OperationsContext& context, Commands& commands,
                        Publisher& publisher) {
  return MirrorRun(mirror, context, commands, publisher).run();
}

}  // namespace damon_statfs
