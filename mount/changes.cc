// SPDX-License-Identifier: GPL-2.0-or-later
//
// Both sides of options_ioctl.h: the words that a daemon is asked to change, and the asking.
#include "mount/changes.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "damon_statfs/errno_failure.h"
#include "damon_statfs/fd.h"
#include "damon_statfs/options_ioctl.h"
#include "mount/ask_daemon.h"
#include "mount/option_table.h"
#include "mount/option_words.h"

namespace damon_statfs {
namespace {

// Longer than a kdamond may keep the switch that enabled= asks for waiting.
constexpr int64_t kMaxChangeMs = 75'000;

// Whether both are the same but for what may change while it is mounted.
bool same_mount(const Options& a, const Options& b) {
  MonitoringAttrs attrs_of_a = a.context.attrs;
  attrs_of_a.goal = b.context.attrs.goal;
  return a.abi == b.abi && a.engine.ops == b.engine.ops &&
         a.engine.estimator == b.engine.estimator &&
         a.engine.kernel_regions == b.engine.kernel_regions &&
         a.engine.excluded == b.engine.excluded &&
         a.engine.seed == b.engine.seed && a.context.rootfs == b.context.rootfs &&
         attrs_of_a == b.context.attrs && a.context.ram == b.context.ram &&
         a.context.sim == b.context.sim && a.context.kdamond_pid == b.context.kdamond_pid;
}

Result<void> take_change(Changes& changes, std::string_view word) {
  const size_t equals = word.find('=');
  const Option* const option = find_option(word.substr(0, equals));
  if (option == nullptr) return failure(EINVAL, fmt::format("{}: unknown option", word));
  Options changed = changes.options;
  if (equals == std::string_view::npos || !option->take(changed, word.substr(equals + 1))) {
    return failure(EINVAL,
                   fmt::format("{}: {}= takes {}", word, option->name, option->allowed_text()));
  }
  if (!option->changeable && !same_mount(changed, changes.options)) {
    return failure(
        EINVAL,
        fmt::format("{}: cannot change while it is mounted; unmount, and mount anew", word));
  }
  changes.options = changed;
  if (std::string_view(option->name) == "enabled") changes.enabled = changed.enabled;
  return outcome::success();
}

Result<std::string> request_change(const std::string& file, const std::string& words) {
  const UniqueFd fd(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return errno_failure("{}", file);
  const auto options = std::make_unique<damon_statfs_options>();
  words.copy(options->text, sizeof options->text - 1);
  if (ioctl(fd.get(), DAMON_STATFS_CHANGE_OPTIONS, options.get()) != 0) {
    return errno_failure("{}", file);
  }
  return std::string(options->text, strnlen(options->text, sizeof options->text));
}

}  // namespace

Result<Changes> parse_changes(const Options& in_force, std::string_view words) {
  Changes changes{in_force, std::nullopt};
  for (const std::string& word : split_option_words(words)) {
    BOOST_OUTCOME_TRYV(take_change(changes, word));
  }
  // The sampling interval in force is within the bounds of the goal, whatever it began with.
  MonitoringAttrs attrs = changes.options.context.attrs;
  const MonitoringAttrs tuned = within_goal(attrs);
  attrs.sample_us = tuned.sample_us;
  attrs.aggr_us = tuned.aggr_us;
  BOOST_OUTCOME_TRYV(validate(attrs));
  return changes;
}

RunSettings run_settings(const Options& options) {
  return {options.engine.max_cpu_percent, options.context.refresh_ms, options.context.attrs.goal};
}

Result<void> change_options(const std::string& path, const std::string& words) {
  if (words.size() >= sizeof(damon_statfs_options::text)) {
    return failure(E2BIG, fmt::format("{}: more options than can be changed at once", path));
  }
  const auto ask = [&](const std::string& file) { return request_change(file, words); };
  DAMON_STATFS_TRY(refusal, ask_daemon(path, {DAMON_STATFS_OPTIONS_FILE, kMaxChangeMs, ask,
                                              "changes no options; unmount, and mount anew"}));
  return refusal.empty() ? Result<void>(outcome::success()) : failure(EINVAL, refusal);
}

}  // namespace damon_statfs
