// SPDX-License-Identifier: GPL-2.0-or-later
//
// The engine thread. Snapshots leave it through a SnapshotCell, commands reach it through a
// lock-free queue; the two eventfds only say that there is something to look at.
#include "damon_statfs/engine.h"

#include <fmt/format.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <boost/lockfree/spsc_queue.hpp>
#include <cerrno>
#include <new>
#include <optional>
#include <thread>
#include <utility>

#include "damon_statfs/errno_failure.h"
#include "damon_statfs/fd.h"
#include "damon_statfs/snapshot_cell.h"
#include "engine/estimators.h"
#include "engine/unused_options.h"

namespace damon_statfs {
namespace {

struct Command {
  enum class Kind { kStop, kForwardOn, kForwardOff, kChange };
  Kind kind = Kind::kStop;
  RunSettings settings{};  // kChange only
};

constexpr int64_t kMirrorIntervalNs = 100 * kNsPerMs;

// What is promised of the thread's next sign of life, see promise_life().
constexpr int64_t kMinStepNs = 5 * kNsPerSecond;
constexpr int64_t kPromiseStepNs = kNsPerSecond;
constexpr int64_t kMaxChoiceNs = 60 * kNsPerSecond;

void signal_eventfd(int fd) {
  const uint64_t one = 1;
  // It can fail only if the counter is full, and then the other side is signalled anyway.
  [[maybe_unused]] const ssize_t written = write(fd, &one, sizeof one);
}

// What is known of it: how much memory, which kdamond.
std::string what_is_sampled(const Estimator& estimator) {
  const pid_t kdamond_pid = estimator.facts().kdamond_pid;
  std::string text;
  if (estimator.monitored_bytes() > 0)
    text += fmt::format(", {} MiB", estimator.monitored_bytes() >> 20);
  if (kdamond_pid != -1) text += fmt::format(", kdamond {}", kdamond_pid);
  return text;
}

}  // namespace

class Engine::Thread final : private MonitoringObserver {
 public:
  Thread(EngineConfig config, OperationsContext& context, const OperationsRegistry& registry,
         int wake_fd)
      : config_(std::move(config)), context_(context), registry_(registry), wake_fd_(wake_fd) {
    observers_.add(*this);
  }

  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;
  ~Thread() override {
    request_stop();
    if (thread_.joinable()) thread_.join();
  }

  Result<void> start() noexcept {
    if (thread_.joinable()) thread_.join();  // the last one, which has said that it ends
    Result<void> started = guarded([this] { return start_thread(); });
    if (!started) publish_end(started.error().code.value());
    return started;
  }

  void request_stop() {
    commands_.push({Command::Kind::kStop});  // a full queue already holds one
    signal_eventfd(command_fd_.get());
  }

  void forward(bool on) {
    commands_.push({on ? Command::Kind::kForwardOn : Command::Kind::kForwardOff});
    signal_eventfd(command_fd_.get());
  }

  bool change(const RunSettings& settings) {
    const EngineStatus& status = newest().status;
    if (status.state != EngineState::kOff || status.mirrors) {
      if (status.changes != nr_changes_) return false;
      ++nr_changes_;
      commands_.push({Command::Kind::kChange, settings});
      signal_eventfd(command_fd_.get());
    }
    next_settings_ = settings;
    return true;
  }

  const Snapshot& newest() { return cell_.newest(); }

  void add_observer(MonitoringObserver& observer) { observers_.add(observer); }

 private:
  // Without a descriptor for commands there would be no stop, so there is no thread either.
  Result<void> start_thread() {
    if (!command_fd_) command_fd_ = UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!command_fd_) return errno_failure("no eventfd for the engine");
    forget_commands();
    nr_changes_ = 0;
    if (next_settings_) take_over(*next_settings_);
    latest_.status = {};
    latest_.status.state = EngineState::kStarting;
    latest_.alive_until_ns = context_.clock->now_ns() + kMaxChoiceNs;
    publish();
    try {
      thread_ = std::thread(&Thread::run, this);
    } catch (const std::system_error& error) {
      return failure(error.code().value(),
                     fmt::format("no thread for the engine: {}", error.code().message()));
    }
    return outcome::success();
  }

  // The thread's body.
  void run() noexcept {
    pthread_setname_np(pthread_self(), "damon_engine");
    const Result<void> ended = guarded([this] { return run_selected(); });
    publish_end(ended ? 0 : ended.error().code.value());
    signal_eventfd(wake_fd_);
  }

  // Calls body(), past which nothing is thrown. Returns: why monitoring is off if the body says so,
  // or has thrown; then it is logged too.
  template <class Body>
  Result<void> guarded(const Body& body) noexcept {
    const auto log_end = [this](std::string_view why) {
      log_quietly(context_.log, LogLevel::kError,
                  [&] { return fmt::format("monitoring is off: {}", why); });
    };
    try {
      Result<void> ended = body();
      if (!ended) log_end(ended.error().context);
      return ended;
    } catch (const std::bad_alloc&) {
      log_quietly(context_.log, LogLevel::kError,
                  [] { return "monitoring is off: out of memory"; });
      return failure(ENOMEM, "");
    } catch (const std::exception& error) {
      log_end(error.what());
    } catch (...) {
      log_end("an exception of an unknown type");
    }
    return failure(EIO, "");
  }

  // Works until told to stop. Returns: why it could not start, or could not go on.
  Result<void> run_selected() {
    DAMON_STATFS_TRY(selected, registry_.select(config_.ops, context_));
    const OperationsSet* const set = selected.set;
    latest_.status.max_call_ms = set->max_call_ms;
    if (config_.ops == "auto") log_choice(fmt::format("{} ({})", set->name, selected.uses));
    log_unused_options(*set);
    if (set->makes<Mirror>()) return show(*set, *set->make<Mirror>(context_));
    promise_life(context_.clock->now_ns());
    publish();  // a stop may come while the source is opened
    signal_eventfd(wake_fd_);
    if (stop_requested()) return outcome::success();
    return monitor(*set);
  }

  // Shows what the mirror says and hands writes on to it.
  Result<void> show(const OperationsSet& set, Mirror& mirror) {
    latest_.details = {};
    latest_.details.ops = set.name;
    latest_.details.estimator = default_estimator(set);
    BOOST_OUTCOME_TRYV(publish_mirrored(mirror));
    while (!stop_requested_) {
      const int64_t next_ns = context_.clock->now_ns() + kMirrorIntervalNs;
      if (context_.clock->wait_until(next_ns, command_fd_.get())) take_commands(mirror);
      // After the commands, so that whoever wrote reads what came of it.
      BOOST_OUTCOME_TRYV(publish_mirrored(mirror));
    }
    context_.log(LogLevel::kInfo, "the mirror ends, what it showed goes on as it is");
    return outcome::success();
  }

  Result<void> publish_mirrored(Mirror& mirror) {
    DAMON_STATFS_TRY(mirrored, mirror.read());
    latest_.status.mirrors = true;
    latest_.status.state = mirrored.status.state;
    latest_.status.tid = mirrored.status.tid;
    latest_.status.is_kdamond = mirrored.status.tid != -1;
    if (latest_.statistics != mirrored.statistics) take(mirrored.statistics);
    latest_.details.aggr_us = mirrored.statistics.aggr_interval_us;
    promise_life(context_.clock->now_ns() + kMirrorIntervalNs);
    if (latest_ == published_) return outcome::success();
    const bool status_changed = latest_.status != published_.status;
    publish();
    if (status_changed) signal_eventfd(wake_fd_);
    return outcome::success();
  }

  void take_commands(Mirror& mirror) {
    drain_command_fd();
    commands_.consume_all([&](const Command& command) {
      const bool forwards =
          command.kind == Command::Kind::kForwardOn || command.kind == Command::Kind::kForwardOff;
      if (forwards) hand_on(mirror, command.kind == Command::Kind::kForwardOn);
      note(command);
    });
    if (std::exchange(changed_settings_, std::nullopt)) ++latest_.status.changes;
  }

  void hand_on(Mirror& mirror, bool on) {
    const Result<void> written = mirror.write_enabled(on);
    ++latest_.status.forwarded;
    latest_.status.errno_value = written ? 0 : written.error().code.value();
    const char* const text = on ? "Y" : "N";
    if (written) {
      context_.log(LogLevel::kInfo, fmt::format("enabled: handed {} on", text));
    } else {
      context_.log(LogLevel::kError, fmt::format("enabled: handed {} on, refused: {}", text,
                                                 written.error().context));
    }
  }

  Result<void> monitor(const OperationsSet& set) {
    latest_.details = {};
    latest_.details.ops = set.name;
    latest_.details.estimator = uses_pages(set, config_) ? "pages" : "regions";
    if (config_.exclude_untracked && !uses_pages(set, config_)) {
      context_.log(
          LogLevel::kWarning,
          fmt::format("untracked=exclude: {} delivers regions, it has no effect", set.name));
    }
    const std::unique_ptr<Estimator> estimator = make_estimator(
        set, config_, context_, [this] { return stop_requested(); }, observers_);
    estimator_ = estimator.get();
    const int64_t began_ns = context_.clock->now_ns();
    started_cpu_ns_ = context_.clock->thread_cpu_ns();
    const Result<void> started = estimator->start();
    if (!started) return stop_requested() ? outcome::success() : started;
    latest_.details.started_ns = began_ns;
    latest_.details.monitored_bytes = estimator->monitored_bytes();
    context_.log(LogLevel::kInfo,
                 fmt::format("monitoring is on: {}{}, estimator {}", set.name,
                             what_is_sampled(*estimator), latest_.details.estimator));
    change_settings(*estimator);  // what has come while it opened
    publish_on(*estimator);

    Result<void> ended = outcome::success();
    while (ended && !stop_requested()) {
      if (promise_life(estimator->deadline_ns())) publish();
      if (context_.clock->wait_until(estimator->deadline_ns(), command_fd_.get())) {
        drain_command_fd();  // or a command that is not for monitoring would end each wait at once
        if (!stop_requested()) change_settings(*estimator);
        continue;
      }
      ended = estimator->step();
    }
    if (promise_life(context_.clock->now_ns())) publish();
    estimator->stop();
    if (stop_requested()) {
      context_.log(LogLevel::kInfo, "monitoring is off: stopped");
      return outcome::success();
    }
    return ended;
  }

  // Says what ops=auto has chosen, but not at every start if it stays the same.
  void log_choice(const std::string& choice) {
    if (choice == logged_choice_) return;
    context_.log(LogLevel::kInfo, "ops=auto: " + choice);
    logged_choice_ = choice;
  }

  void log_unused_options(const OperationsSet& set) {
    std::string text = unused_options_text(set, config_);
    if (!text.empty() && text != logged_unused_) context_.log(LogLevel::kWarning, text);
    logged_unused_ = std::move(text);
  }

  bool stop_requested() {
    commands_.consume_all([this](const Command& command) { note(command); });
    return stop_requested_;
  }

  void note(const Command& command) {
    if (command.kind == Command::Kind::kStop) stop_requested_ = true;
    if (command.kind == Command::Kind::kChange) changed_settings_ = command.settings;
  }

  // Goes on with the settings that have come, if any have.
  void change_settings(Estimator& estimator) {
    if (!changed_settings_) return;
    take_over(*changed_settings_);
    estimator.change(*changed_settings_);
    changed_settings_.reset();
    ++latest_.status.changes;
    publish();
  }

  void take_over(const RunSettings& settings) {
    config_.max_cpu_percent = settings.max_cpu_percent;
    context_.refresh_ms = settings.refresh_ms;
    context_.attrs.goal = settings.goal;
    context_.attrs = within_goal(context_.attrs);
  }

  // Precondition: no thread runs, so that its end of the queue is free.
  void forget_commands() {
    commands_.reset();
    stop_requested_ = false;
    changed_settings_.reset();
    drain_command_fd();
  }

  void drain_command_fd() {
    uint64_t signals = 0;
    [[maybe_unused]] const ssize_t drained = read(command_fd_.get(), &signals, sizeof signals);
  }

  // Says in the next snapshot that the thread goes on working at due_ns, and then takes no longer
  // than closing may. It is told about once a second and not for each sampling interval. Returns:
  // whether there is anything new to tell.
  bool promise_life(int64_t due_ns) {
    const auto max_call_ns = static_cast<int64_t>(latest_.status.max_call_ms) * kNsPerMs;
    const int64_t needed_ns = due_ns + std::max(kMinStepNs, max_call_ns);
    const int64_t spare_ns = latest_.alive_until_ns - needed_ns;
    if (spare_ns >= 0 && spare_ns <= kPromiseStepNs) return false;
    latest_.alive_until_ns = needed_ns + kPromiseStepNs;
    return true;
  }

  void publish() {
    cell_.publish(latest_);
    published_ = latest_;
  }

  void publish_on(const Estimator& estimator) {
    const pid_t kdamond_pid = estimator.facts().kdamond_pid;
    latest_.status.state = EngineState::kOn;
    latest_.status.is_kdamond = kdamond_pid != -1;
    latest_.status.tid = latest_.status.is_kdamond ? kdamond_pid : gettid();
    publish();
    signal_eventfd(wake_fd_);
  }

  void publish_end(int errno_value) {
    latest_.status.state = EngineState::kOff;
    latest_.status.errno_value = errno_value;
    latest_.status.tid = -1;
    latest_.status.is_kdamond = false;
    latest_.status.mirrors = false;
    latest_.alive_until_ns = 0;
    publish();
  }

  void take(const Statistics& statistics) {
    latest_.statistics = statistics;
    latest_.taken_ns = context_.clock->now_ns();
    ++latest_.sequence;
  }

  void log_refresh(const MonitoringDetails& details) {
    const auto* const regions = std::get_if<RegionDetails>(&details.by_estimator);
    const auto* const pages = std::get_if<PageDetails>(&details.by_estimator);
    context_.log(
        LogLevel::kDebug,
        fmt::format("refreshed: {} regions, {} pages, sample_us={} aggr_us={}",
                    regions != nullptr ? regions->nr_regions : 0,
                    pages != nullptr ? pages->nr_pages : 0, details.sample_us, details.aggr_us));
  }

  // Publishes. What does not change from refresh to refresh is kept.
  void refreshed(const Statistics& statistics, const MonitoringDetails& details) override {
    const MonitoringDetails before = latest_.details;
    take(statistics);
    latest_.details = details;
    latest_.details.refreshed = true;
    latest_.details.ops = before.ops;
    latest_.details.estimator = before.estimator;
    latest_.details.started_ns = before.started_ns;
    latest_.details.cpu_ns = context_.clock->thread_cpu_ns() - started_cpu_ns_;
    latest_.details.nr_dropped = estimator_->facts().nr_dropped;
    publish();
    log_refresh(details);
  }

  EngineConfig config_;         // these two are the thread's while it runs,
  OperationsContext& context_;  // else the owner's
  const OperationsRegistry& registry_;
  const int wake_fd_;
  Observers observers_;  // this object first

  SnapshotCell cell_;                                                            // engine -> owner
  boost::lockfree::spsc_queue<Command, boost::lockfree::capacity<4>> commands_;  // owner -> engine
  UniqueFd command_fd_;  // made by the first start; readable while there may be commands

  // The owner's.
  uint64_t nr_changes_ = 0;                   // handed to the thread since the start
  std::optional<RunSettings> next_settings_;  // of the next start; none: as configured

  // The thread's while it runs, else the owner's.
  Snapshot latest_;
  Snapshot published_;
  const Estimator* estimator_ = nullptr;  // of the monitoring that is on
  int64_t started_cpu_ns_ = 0;            // the thread's CPU time when it began
  std::string logged_choice_;
  std::string logged_unused_;
  bool stop_requested_ = false;
  std::optional<RunSettings> changed_settings_;  // not taken over yet

  std::thread thread_;
};

Engine::Engine(EngineConfig config, OperationsContext& context, const OperationsRegistry& registry,
               int wake_fd)
    : thread_(std::make_unique<Thread>(std::move(config), context, registry, wake_fd)) {}

Engine::~Engine() = default;

Result<void> Engine::start() noexcept { return thread_->start(); }

void Engine::request_stop() { thread_->request_stop(); }

void Engine::forward(bool on) { thread_->forward(on); }

bool Engine::change(const RunSettings& settings) { return thread_->change(settings); }

const Snapshot& Engine::newest() { return thread_->newest(); }

void Engine::add_observer(MonitoringObserver& observer) { thread_->add_observer(observer); }

}  // namespace damon_statfs
