// SPDX-License-Identifier: GPL-2.0-or-later
//
// The engine thread. Snapshots leave it through the Publisher, and what its owner asks for reaches
// it through Commands.
#include "damon_statfs/engine.h"

#include <fmt/format.h>
#include <pthread.h>

#include <cerrno>
#include <new>
#include <optional>
#include <thread>
#include <utility>

#include "engine/base/eventfd.h"
#include "engine/base/kernel_files.h"
#include "engine/commands.h"
#include "engine/estimators.h"
#include "engine/mirror_run.h"
#include "engine/publisher.h"
#include "engine/unused_options.h"

namespace damon_statfs {
namespace {

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

class Engine::Thread {
 public:
  Thread(EngineConfig config, OperationsContext& context, const OperationsRegistry& registry,
         int wake_fd)
      : config_(std::move(config)),
        context_(context),
        registry_(registry),
        wake_fd_(wake_fd),
        publisher_(context, wake_fd) {
    observers_.add(publisher_);
  }

  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;
  ~Thread() {
    request_stop();
    if (thread_.joinable()) thread_.join();
  }

  Result<void> start() noexcept {
    if (thread_.joinable()) thread_.join();  // the last one, which has said that it ends
    Result<void> started = guarded([this] { return start_thread(); });
    if (!started) publisher_.end(started.error().code.value());
    return started;
  }

  void request_stop() { commands_.stop(); }

  void forward(bool on) { commands_.forward(on); }

  bool change(const RunSettings& settings) {
    const EngineStatus& status = newest().status;
    if (status.state != EngineState::kOff || status.mirrors) {
      if (status.changes != nr_changes_) return false;
      ++nr_changes_;
      commands_.change(settings);
    }
    next_settings_ = settings;
    return true;
  }

  const Snapshot& newest() { return publisher_.newest(); }

  void add_observer(MonitoringObserver& observer) { observers_.add(observer); }

 private:
  // Without a descriptor for commands there would be no stop, so there is no thread either.
  Result<void> start_thread() {
    BOOST_OUTCOME_TRYV(commands_.open());
    nr_changes_ = 0;
    if (next_settings_) take_over(*next_settings_);
    publisher_.starting();
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
    publisher_.end(ended ? 0 : ended.error().code.value());
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
    DAMON_STATFS_TRY(selected, registry_.select(config_.ops, context_, config_.estimator));
    const OperationsSet& set = *selected.set;
    if (config_.ops == "auto") log_choice(fmt::format("{} ({})", set.name, selected.uses));
    if (set.makes<Mirror>()) {
      log_unused_options(set, false);
      publisher_.begin(set, default_estimator(set));
      return run_mirror(*set.make<Mirror>(context_), context_, commands_, publisher_);
    }
    publisher_.opening(set);
    if (commands_.stop_requested()) return outcome::success();
    return monitor(set);
  }

  // With a sample of pages or with regions, as asked for; where nothing was asked for and there can
  // be no sample, with regions.
  Result<void> monitor(const OperationsSet& set) {
    const Result<void> pages = choose_pages(set, config_.estimator, context_);
    if (!pages && config_.estimator == EstimatorChoice::kPages) {
      return failure(pages.error().code.value(),
                     fmt::format("estimator=pages: {}", pages.error().context));
    }
    if (!pages && set.makes_pages() && config_.estimator == EstimatorChoice::kAuto) {
      return monitor(set, false, pages.error().context);
    }
    Result<void> ended = monitor(set, pages.has_value());
    if (!pages || config_.estimator == EstimatorChoice::kPages || !failed_with(ended, ENOTSUP) ||
        !set.makes_regions()) {
      return ended;
    }
    return monitor(set, false, ended.error().context);
  }

  // why_no_pages: said once it has begun; empty if nothing else is to be expected.
  Result<void> monitor(const OperationsSet& set, bool pages, std::string_view why_no_pages = {}) {
    log_unused_options(set, pages);
    publisher_.begin(set, pages ? "pages" : "regions");
    if (config_.excluded != ExcludedPages::kNone && !pages) {
      context_.log(LogLevel::kWarning, fmt::format("{}: {} delivers regions, it has no effect",
                                                   to_option(config_.excluded), set.name));
    }
    const std::unique_ptr<Estimator> estimator = make_estimator(
        set, pages, config_, context_, [this] { return commands_.stop_requested(); }, observers_);
    const int64_t began_ns = context_.clock->now_ns();
    const int64_t cpu_ns = context_.clock->thread_cpu_ns();
    const Result<void> started = estimator->start();
    if (!started) return commands_.stop_requested() ? outcome::success() : started;
    publisher_.opened(*estimator, began_ns, cpu_ns);
    context_.log(LogLevel::kInfo,
                 fmt::format("monitoring is on: {}{}, estimator {}", set.name,
                             what_is_sampled(*estimator), publisher_.details().estimator));
    if (!why_no_pages.empty()) {
      context_.log(LogLevel::kWarning,
                   fmt::format("regions are used, and no sample of pages: {}", why_no_pages));
    }
    change_settings(*estimator);  // what has come while it opened
    publisher_.on(*estimator);
    Result<void> ended = run_estimator(*estimator);
    publisher_.promise_life(context_.clock->now_ns());
    estimator->stop();
    if (!commands_.stop_requested()) return ended;
    context_.log(LogLevel::kInfo, "monitoring is off: stopped");
    return outcome::success();
  }

  // Returns: why it cannot go on, or nothing when it was told to stop.
  Result<void> run_estimator(Estimator& estimator) {
    Result<void> ended = outcome::success();
    while (ended && !commands_.stop_requested()) {
      publisher_.promise_life(estimator.deadline_ns());
      if (context_.clock->wait_until(estimator.deadline_ns(), commands_.fd())) {
        // Or a command that is not for monitoring would end each wait at once.
        commands_.drain_fd();
        if (!commands_.stop_requested()) change_settings(estimator);
        continue;
      }
      ended = estimator.step();
    }
    return ended;
  }

  // Says what ops=auto has chosen, but not at every start if it stays the same.
  void log_choice(const std::string& choice) {
    if (choice == logged_choice_) return;
    context_.log(LogLevel::kInfo, "ops=auto: " + choice);
    logged_choice_ = choice;
  }

  void log_unused_options(const OperationsSet& set, bool pages) {
    std::string text = unused_options_text(set, config_, pages);
    if (!text.empty() && text != logged_unused_) context_.log(LogLevel::kWarning, text);
    logged_unused_ = std::move(text);
  }

  // Goes on with the settings that have come, if any have.
  void change_settings(Estimator& estimator) {
    const std::optional<RunSettings> settings = commands_.take_settings();
    if (!settings) return;
    take_over(*settings);
    estimator.change(*settings);
    publisher_.changed();
  }

  void take_over(const RunSettings& settings) {
    config_.max_cpu_percent = settings.max_cpu_percent;
    context_.refresh_ms = settings.refresh_ms;
    context_.attrs.goal = settings.goal;
    context_.attrs = within_goal(context_.attrs);
  }

  // The first two are the thread's while it runs, else the owner's.
  EngineConfig config_;
  OperationsContext& context_;
  const OperationsRegistry& registry_;
  const int wake_fd_;

  Commands commands_;    // owner -> thread
  Publisher publisher_;  // thread -> owner
  Observers observers_;  // the publisher first

  // The owner's.
  uint64_t nr_changes_ = 0;                   // handed to the thread since the start
  std::optional<RunSettings> next_settings_;  // of the next start; none: as configured

  // The thread's.
  std::string logged_choice_;
  std::string logged_unused_;

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
