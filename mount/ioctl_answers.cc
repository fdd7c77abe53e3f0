// SPDX-License-Identifier: GPL-2.0-or-later
//
// The settings are handed to the engine before a switch is asked for, so that monitoring starts
// with them.
#include "mount/ioctl_answers.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cstring>
#include <ctime>

#include "mount/changes.h"
#include "mount/status.h"

namespace damon_statfs {
namespace {

int64_t process_cpu_ns() {
  timespec used{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return used.tv_sec * kNsPerSecond + used.tv_nsec;
}

}  // namespace

IoctlAnswers::IoctlAnswers(const Options& options,
                           Monitoring monitoring, const Clock& clock, const Logging& logging)
    : options_(options),
      monitoring_(monitoring),
      clock_(clock),
      logging_(logging),
      started_ns_(clock.now_ns()) {}

std::string IoctlAnswers::status() const {
  StatusFacts facts;
  facts.mountpoint = mountpoint_;
  facts.ops = options_.engine.ops;
  facts.snapshot = monitoring_.snapshots.newest();
  facts.now_ns = clock_.now_ns();
  facts.started_ns = started_ns_;
  facts.cpu_ns = process_cpu_ns();
  if (const std::optional<Logging::LastError> error = logging_.last_error()) {
    facts.last_error = error->text;
    facts.last_error_ns = error->ns;
  }
  return status_json(facts);
}

void IoctlAnswers::change_options(const void* request, std::string_view words,
                                  const Filesystem::Answer& answer) {
  const Result<Changes> changes = parse_changes(options_, words);
  if (!changes) return answer(changes.error().context);
  if (!change_settings(run_settings(changes.value().options))) {
    return answer("the engine is still busy with the change before; try again");
  }
  options_ = changes.value().options;
  const std::optional<bool> enabled = changes.value().enabled;
  if (!enabled) return answer("");
  monitoring_.enabled.write(request, *enabled, [on = *enabled, answer](int errno_value) {
    answer(errno_value == 0 ? ""
                            : fmt::format("enabled={}: {}; the log says more", on ? "Y" : "N",
                                          std::strerror(errno_value)));
  });
}

// Returns: false if the engine does not take them.
bool IoctlAnswers::change_settings(const RunSettings& settings) {
  if (settings == run_settings(options_)) return true;
  if (!monitoring_.settings.change(settings)) return false;
  spdlog::info(
      "options changed: max_cpu={:g}, refresh_ms={}, access_bp={}, aggrs={}, min_sample_us={}, "
      "max_sample_us={}",
      settings.max_cpu_percent, settings.refresh_ms, settings.goal.access_bp, settings.goal.aggrs,
      settings.goal.min_sample_us, settings.goal.max_sample_us);
  return true;
}

}  // namespace damon_statfs
