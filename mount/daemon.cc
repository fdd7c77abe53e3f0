// SPDX-License-Identifier: GPL-2.0-or-later
//
// Order matters here: signals are taken before there is an engine thread or a mount, the mountpoint
// is locked until it is mounted, the starting process is let go when all works, and at the end the
// mount goes first.
#include "mount/daemon.h"

#include <fmt/format.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>

#include "damon_statfs/errno_failure.h"
#include "mount/exit_status.h"
#include "mount/fstab_source.h"
#include "mount/mountpoint.h"
#include "mount/privileges.h"
#include "mount/signals.h"
#include "mount/status.h"

namespace damon_statfs {
namespace {

constexpr int64_t kMaxMirrorStartMs = 1'500;  // after that the mount answers without it
constexpr int64_t kSignalPauseNs = 20 * kNsPerMs;

OperationsContext running_context(const Options& options, const Clock& clock) {
  OperationsContext context = options.context;
  context.clock = &clock;
  context.log = Logging::write;
  return context;
}

std::string source_of(const Options& options, const std::string& mountpoint) {
  std::string source = source_in_fstab(options.source, mountpoint);
  if (!source.empty()) return source;
  return options.engine.ops == "sim" ? "simulated" : kSubtype;
}

// Calls a handler, and logs what it throws: what it cannot do for want of memory is left undone, as
// the requests are more important.
template <class Handler>
void guard(const Handler& handler) noexcept {
  try {
    handler();
  } catch (const std::exception& error) {
    Logging::write(LogLevel::kError, error.what());
  }
}

}  // namespace

Daemon::Daemon(const Options& options, const OperationsRegistry& registry, Background& background,
               Logging& logging)
    : options_(options),
      background_(background),
      logging_(logging),
      registry_(registry),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      context_(running_context(options, clock_)),
      engine_(options.engine, context_, registry, wake_.get()),
      filesystem_(options.abi, engine_),
      answers_(options, {engine_, engine_, filesystem_.enabled}, clock_, logging),
      supervision_(ServiceManager::of_environment()),
      status_(kExitOk) {
  filesystem_.status = [this] { return answers_.status(); };
  filesystem_.change_options = [this](const void* request, std::string_view words,
                                      const Filesystem::Answer& answer) {
    answers_.change_options(request, words, answer);
  };
}

int Daemon::run() {
  for (const std::string& word : options_.ignored_words) {
    spdlog::warn("{}: has no effect on this filesystem, ignored", word);
  }
  if (const Result<void> served = mount_and_serve(); !served) {
    if (!served.error().context.empty()) spdlog::error("{}", served.error().context);
    status_ = kExitMountFailed;
  }
  if (!stop_engine()) {
    spdlog::error("the engine thread hangs, ending without it");
    _exit(status_);
  }
  if (status_ == kExitOk) spdlog::info("ended");
  return status_;
}

// Returns: why it was not mounted; without a text if the engine has logged that.
Result<void> Daemon::mount_and_serve() {
  const bool unseen = is_in_own_namespace();
  DAMON_STATFS_TRY(lock, prepare());
  if (mirrors_ && !start_mirror() && options_.enabled) return failure(ENODEV, {});
  DAMON_STATFS_TRY(session, mount());
  lock = UniqueFd();
  if (unseen) {
    spdlog::warn("{}: mounted in a mount namespace of its own, others will not see it",
                 mountpoint_);
  }
  serve(std::move(session));
  return outcome::success();
}

// What needs the kernel's files, or the path of the mountpoint, comes before mount(2): afterwards
// either may lead to requests that only this thread can answer. A signal ends all this at once.
// Returns: the lock on the mountpoint.
Result<UniqueFd> Daemon::prepare() {
  if (!wake_) return failure(EMFILE, fmt::format("eventfd: {}", std::strerror(EMFILE)));
  BOOST_OUTCOME_TRYV(supervision_.start_watchdog());
  BOOST_OUTCOME_TRYV(check_rights());
  if (options_.engine.ops != "sim") registry_.recover(context_);
  mirrors_ = registry_.means_mirror(options_.engine.ops, context_, options_.engine.estimator);
  DAMON_STATFS_TRY(claimed, claim_mountpoint(options_.mountpoint, context_.rootfs));
  mountpoint_ = claimed.path;
  answers_.set_mountpoint(mountpoint_);
  if (!claimed.lock) {
    spdlog::debug("{}: another start on {} at the same time would not be noticed",
                  claimed.unlocked_why, mountpoint_);
  }
  BOOST_OUTCOME_TRYV(
      check_hides_nothing(mountpoint_, context_.rootfs, mirrors_ ? options_.engine.ops : ""));
  if (chdir("/") != 0) return errno_failure("/");
  BOOST_OUTCOME_TRYV(give_up_rights());
  signals_ = take_signals();
  if (!signals_) return failure(EMFILE, fmt::format("signalfd: {}", std::strerror(EMFILE)));
  return std::move(claimed.lock);
}

// A signal that has come until now must not be answered with a mount.
Result<Session> Daemon::mount() {
  on_signal();
  if (done_) return failure(EINTR, fmt::format("{}: ended before it was mounted", mountpoint_));
  return Session::mount({mountpoint_, source_of(options_, mountpoint_), options_.mount_words},
                        options_.debug, filesystem_);
}

// Now, as all that follows, from mount(2) to the end, needs the same ones.
Result<void> Daemon::give_up_rights() {
  Needs needs;
  needs.ops = options_.engine.ops;
  needs.rootfs = !context_.rootfs.empty();
  needs.foreign_files = !needs.rootfs && needs.ops != "sim" && has_foreign_files();
  needs.hidden_mountpoint = is_hidden(mountpoint_);
  needs.hidden_processes = hides_processes();
  return keep_only(needed_capabilities(needs));
}

// A mirror shows its source's state from the first read on, so its first look comes before the
// mount. A look that takes too long goes on behind it, and a signal ends the waiting. Returns:
// false if there is no mirror, which the engine has logged; the next write of Y tries again.
bool Daemon::start_mirror() {
  if (!engine_.start()) return false;
  const int64_t deadline_ns = clock_.now_ns() + kMaxMirrorStartMs * kNsPerMs;
  EngineStatus status = engine_.newest().status;
  while (status.state == EngineState::kStarting && !done_ && clock_.now_ns() < deadline_ns) {
    wait_for_engine(clock_.now_ns() + kSignalPauseNs);
    on_signal();
    status = engine_.newest().status;
  }
  return status.state == EngineState::kStarting || status.mirrors;
}

// Unmounts at its end.
void Daemon::serve(Session session) {
  const auto ready = [this](int errno_value) {
    guard([&] { on_ready(errno_value); });
    if (!ready_) done_ = true;
  };
  Session::Events events;
  events.sources = {{signals_.get(), [this] { guard([&] { on_signal(); }); }},
                    {wake_.get(), [this] { guard([&] { on_wake(); }); }}};
  if (supervision_.watchdog_fd() >= 0) {
    events.sources.push_back(
        {supervision_.watchdog_fd(), [this] {
           guard([&] { supervision_.on_watchdog(is_stuck(engine_.newest(), clock_.now_ns())); });
         }});
  }
  events.on_initialised = [&] {
    options_.enabled ? filesystem_.enabled.write(this, true, ready) : ready(0);
  };
  events.done = [this] { return done_; };
  end_session(session, session.run(events));
}

void Daemon::end_session(Session& session, const Result<Session::End>& ended) {
  if (!ended) {
    spdlog::error("{}: {}", mountpoint_, ended.error().context);
    if (ready_) status_ = kExitConnectionLost;
  } else if (ended.value() == Session::End::kUnmounted) {
    spdlog::info("unmounted");
  }
  if (!ready_) status_ = kExitMountFailed;
  supervision_.tell_stopping();
  filesystem_.enabled.abandon(EINTR);
  for (const std::string& line : session.unmount()) spdlog::warn("{}", line);
}

void Daemon::on_signal() {
  signalfd_siginfo signal{};
  while (read(signals_.get(), &signal, sizeof signal) == sizeof signal) {
    if (signal.ssi_signo != SIGUSR1) {
      done_ = true;
      continue;
    }
    for (const std::string& line : status_lines(answers_.status())) spdlog::info("{}", line);
  }
}

void Daemon::on_wake() {
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t bytes = read(wake_.get(), &count, sizeof count);
  filesystem_.enabled.engine_changed();
  supervision_.tell_state(state());
}

// The mount answers and, if it was to be on from the start, monitoring is on. Or it could not
// start, and the engine has logged why. Whatever comes short of the end here ends the daemon.
void Daemon::on_ready(int errno_value) {
  if (errno_value != 0) return;
  spdlog::info("mounted on {}{}", mountpoint_,
               options_.engine.ops == "sim" ? ": simulated memory" : "");
  supervision_.tell_ready(state());
  if (!options_.foreground) logging_.move_to_syslog();
  ready_ = background_.detach();
}

// Returns: whether the engine has ended in time; a thread that hangs in the kernel has not.
bool Daemon::stop_engine() {
  const int64_t asked_ns = clock_.now_ns();
  engine_.request_stop();
  for (;;) {
    const EngineStatus status = engine_.newest().status;
    if (!status.mirrors && status.state == EngineState::kOff) return true;
    // An engine that is still starting says only now how long it may take.
    const auto limit_ms = static_cast<int64_t>(status.max_call_ms);
    if (!wait_for_engine(asked_ns + limit_ms * kNsPerMs)) return false;
  }
}

// Returns: whether the engine's status has changed before the deadline.
bool Daemon::wait_for_engine(int64_t deadline_ns) {
  if (!clock_.wait_until(deadline_ns, wake_.get())) return false;
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t bytes = read(wake_.get(), &count, sizeof count);
  return true;
}

// In one line, for systemctl status.
std::string Daemon::state() {
  const Snapshot& newest = engine_.newest();
  const bool on = newest.status.state == EngineState::kOn;
  return fmt::format("mounted on {}, monitoring is {}", mountpoint_, on ? "on" : "off");
}

}  // namespace damon_statfs
