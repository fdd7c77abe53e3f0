// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reads the kernel's parameter files whenever it is asked to. Files that came with later kernels
// may be missing, and a text that is no value leaves the one before.
#include "engine/damon/ops_damon_stat.h"

#include <fmt/format.h>

#include <cerrno>
#include <optional>
#include <string_view>

#include "engine/base/text.h"
#include "engine/damon/damon_stat_values.h"
#include "engine/damon/kdamond_threads.h"

namespace damon_statfs {
namespace {

// The kernel's store of `enabled` waits for its kdamond, whose sampling interval is at most 10 s.
constexpr uint64_t kMaxWriteMs = 12'000;

std::string path_of(const char* name) { return fmt::format("{}/{}", kDamonStatDirectory, name); }

template <class Integer>
std::optional<Integer> decimal(std::string_view text) {
  return parse_number<Integer>(text);
}

// The text of `enabled`, without which there is nothing to mirror.
Result<std::string> read_enabled(const KernelFiles& files) {
  Result<std::string> text = files.read(path_of("enabled"));
  if (failed_with(text, ENOENT) || failed_with(text, ENOTDIR)) {
    const std::string path = path_of("enabled");
    return failure(
        ENODEV,
        fmt::format("{}: missing; {}", path,
                    why_missing(files, path, "needs Linux 6.17 or later with CONFIG_DAMON_STAT")));
  }
  return text;
}

// A value that was never seen would be shown as 0.
Result<void> check_values_readable(const KernelFiles& files) {
  for (const char* const name : {"estimated_memory_bandwidth", "memory_idle_ms_percentiles",
                                 "aggr_interval_us", "kdamond_pid"}) {
    const Result<std::string> text = files.read(path_of(name));
    if (is_forbidden(text)) return text.as_failure();
  }
  return outcome::success();
}

auto not_a_state(const std::string& text) {
  return failure(EIO, fmt::format("{}: {}: neither Y nor N", path_of("enabled"), text));
}

std::string describe(bool on) {
  return fmt::format("the kernel's DAMON_STAT at {} ({})", kDamonStatDirectory, on ? "on" : "off");
}

class DamonStat final : public Mirror {
 public:
  DamonStat(const OperationsContext& context, std::shared_ptr<const KernelFiles> files)
      : context_(context), files_(std::move(files)) {}
  DamonStat(const DamonStat&) = delete;
  DamonStat& operator=(const DamonStat&) = delete;
  ~DamonStat() override {
    if (unusable_ == 0) return;
    log_quietly(context_.log, LogLevel::kInfo, [&] {
      return fmt::format("damon_stat: kept the value before in {} readings", unusable_);
    });
  }

  Result<Snapshot> read() override {
    DAMON_STATFS_TRY(text, read_enabled(*files_));
    if (latest_.status.state == EngineState::kStarting) {
      BOOST_OUTCOME_TRYV(check_values_readable(*files_));
    }
    const std::optional<bool> enabled = parse_enabled(text);
    if (!enabled && latest_.status.state == EngineState::kStarting) return not_a_state(text);
    if (!enabled) keep("enabled", text);
    const EngineState before = latest_.status.state;
    if (enabled) latest_.status.state = *enabled ? EngineState::kOn : EngineState::kOff;
    read_pid(before == EngineState::kOn);
    read_statistics();
    if (before == EngineState::kStarting) {
      context_.log(LogLevel::kInfo, fmt::format("mirroring {}", describe(is_on())));
    }
    return latest_;
  }

  Result<void> write_enabled(bool on) override {
    return files_->write(path_of("enabled"), on ? "Y" : "N");
  }

 private:
  bool is_on() const { return latest_.status.state == EngineState::kOn; }

  void read_statistics() {
    Statistics& values = latest_.statistics;
    const auto aggr_interval = files_->read(path_of("aggr_interval_us"));
    // Linux 6.17 does not say; 0 is what its successors say before the first refresh.
    if (failed_with(aggr_interval, ENOENT)) {
      values.aggr_interval_us = 0;
    } else {
      take("aggr_interval_us", aggr_interval, decimal<uint64_t>, values.aggr_interval_us);
    }
    take("estimated_memory_bandwidth", files_->read(path_of("estimated_memory_bandwidth")),
         decimal<uint64_t>, values.estimated_memory_bandwidth_bytes_per_s);
    take("memory_idle_ms_percentiles", files_->read(path_of("memory_idle_ms_percentiles")),
         parse_percentiles, values.memory_idle_ms_percentiles);
  }

  void read_pid(bool was_on) {
    pid_t& pid = latest_.status.tid;
    if (!is_on()) {
      pid = -1;
      return;
    }
    const auto text = files_->read(path_of("kdamond_pid"));
    if (!failed_with(text, ENOENT)) {
      take("kdamond_pid", text, decimal<pid_t>, pid);
    } else if (!was_on || (pid != -1 && has_ended(pid))) {
      pid = only_kdamond();
    }
  }

  bool has_ended(pid_t pid) const {
    const Result<bool> runs = is_kdamond_thread(*files_, pid);
    return runs && !runs.value();
  }

  // Before Linux 7.2 no file says which kdamond is DAMON_STAT's. It runs alone, if not started with
  // the help of a race, so it is the only one or unknown.
  pid_t only_kdamond() const {
    const Result<std::vector<KdamondThread>> threads = find_kdamond_threads(*files_);
    return threads && threads.value().size() == 1 ? threads.value().front().pid : -1;
  }

  // Sets `value` from the text of a file, or keeps it as it is.
  template <class Value, class Parse>
  void take(const char* name, const Result<std::string>& text, const Parse& parse, Value& value) {
    if (!text) return keep_unread(text.error());
    const std::optional<Value> parsed = parse(text.value());
    if (!parsed) return keep(name, text.value());
    value = *parsed;
  }

  void keep_unread(const Error& error) {
    if (unusable_++ > 0) return;
    context_.log(LogLevel::kError, fmt::format("{}: the value before is kept, and further ones "
                                               "without a message",
                                               error.context));
  }

  void keep(const char* name, std::string_view what) {
    if (unusable_++ > 0) return;
    constexpr size_t kEnough = 40;
    context_.log(LogLevel::kWarning,
                 fmt::format("{}: {}: not a value of DAMON_STAT; the one before is kept, and "
                             "further ones without a message",
                             path_of(name), what.substr(0, kEnough)));
  }

  const OperationsContext& context_;
  const std::shared_ptr<const KernelFiles> files_;
  Snapshot latest_{.status = {.state = EngineState::kStarting}, .statistics = {}, .details = {}};
  uint64_t unusable_ = 0;  // readings of a file that gave no value
};

}  // namespace

Result<std::string> probe_damon_stat(const KernelFiles& files) {
  DAMON_STATFS_TRY(text, read_enabled(files));
  if (is_on_fuse(files, path_of("enabled"))) {
    return failure(ENODEV,
                   fmt::format("{}: a mount shows it, not the kernel", kDamonStatDirectory));
  }
  const std::optional<bool> enabled = parse_enabled(text);
  if (!enabled) return not_a_state(text);
  BOOST_OUTCOME_TRYV(check_values_readable(files));
  const Result<void> writable = files.check_writable(path_of("enabled"));
  if (failed_with(writable, EROFS)) {
    return failure(EROFS, fmt::format("{}; ops=damon_stat shows it all the same ({})",
                                      writable.error().context, *enabled ? "on" : "off"));
  }
  if (!writable) return writable.as_failure();
  return describe(*enabled);
}

std::unique_ptr<Mirror> mirror_damon_stat(const OperationsContext& context,
                                          std::shared_ptr<const KernelFiles> files) {
  return std::make_unique<DamonStat>(context, std::move(files));
}

OperationsSet damon_stat_operations() {
  OperationsSet set;
  set.name = "damon_stat";
  set.probe = [](const OperationsContext& context) {
    return probe_damon_stat(RootedKernelFiles(context.rootfs));
  };
  set.max_call_ms = kMaxWriteMs;
  set.unused_options = {
      "access_bp",      "aggr_us",       "aggrs",          "estimator",     "max_cpu",
      "max_nr_regions", "max_sample_us", "min_nr_regions", "min_sample_us", "ram",
      "refresh_ms",     "regions",       "sample_us",      "seed",          "untracked",
      "update_us"};
  set.add_factory<Mirror>([](const OperationsContext& context) -> std::unique_ptr<Mirror> {
    return mirror_damon_stat(context, std::make_shared<RootedKernelFiles>(context.rootfs));
  });
  return set;
}

}  // namespace damon_statfs
