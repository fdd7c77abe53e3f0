// SPDX-License-Identifier: GPL-2.0-or-later
//
// Order matters here: signals are blocked before the engine can have a thread, the mountpoint is
// locked until it is mounted, the starting process is let go when all works, and at the end the
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
#include <ctime>
#include <filesystem>

#include "damon_statfs/mirror.h"
#include "mount/exit_status.h"
#include "mount/mountpoint.h"
#include "mount/privileges.h"
#include "mount/status.h"

namespace damon_statfs {
namespace {

constexpr int64_t kMaxMirrorStartMs = 1'500;  // after that the mount answers without it

// The signals that mean something, blocked in all threads and read from a descriptor instead.
UniqueFd take_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) sigaddset(&signals, number);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return UniqueFd(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
}

OperationsContext running_context(const Options& options, const Clock& clock) {
  OperationsContext context = options.context;
  context.clock = &clock;
  context.log = Logging::write;
  return context;
}

std::vector<std::string> mount_options(const Options& options) {
  std::string source = options.source;
  if (source.empty()) source = options.engine.ops == "sim" ? "simulated" : kSubtype;
  std::vector<std::string> words = {"fsname=" + source, fmt::format("subtype={}", kSubtype)};
  for (const char* always : {"default_permissions", "allow_other", "nosuid", "nodev", "noexec"}) {
    words.emplace_back(always);
  }
  words.insert(words.end(), options.mount_words.begin(), options.mount_words.end());
  return words;
}

int64_t process_cpu_ns() {
  timespec used{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return used.tv_sec * kNsPerSecond + used.tv_nsec;
}

}  // namespace

Daemon::Daemon(const Options& options, const OperationsRegistry& registry, Background& background,
               Logging& logging)
    : options_(options),
      background_(background),
      logging_(logging),
      registry_(registry),
      signals_(take_signals()),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      started_ns_(clock_.now_ns()),
      context_(running_context(options, clock_)),
      engine_(options.engine, context_, registry, wake_.get()),
      filesystem_(options.abi, engine_),
      supervision_(ServiceManager::of_environment()),
      status_(kExitOk) {
  filesystem_.status = [this] { return status(); };
}

int Daemon::run() {
  for (const std::string& word : options_.ignored_words) {
    spdlog::warn("{}: has no effect on this filesystem, ignored", word);
  }
  const bool unseen = is_in_own_namespace();
  Result<Session> session = mount();
  if (!session) {
    spdlog::error("{}", session.error().context);
    return kExitMountFailed;
  }
  if (unseen) {
    spdlog::warn("{}: mounted in a mount namespace of its own, others will not see it",
                 mountpoint_);
  }
  if (!start_mirror() && options_.enabled) return kExitMountFailed;
  serve(std::move(session.value()));
  if (!stop_engine()) {
    spdlog::error("the engine thread hangs, ending without it");
    spdlog::shutdown();
    _exit(status_);
  }
  if (status_ == kExitOk) spdlog::info("ended");
  return status_;
}

Result<Session> Daemon::mount() {
  BOOST_OUTCOME_TRYV(check_rights());
  if (options_.engine.ops != "sim") registry_.recover(context_);
  DAMON_STATFS_TRY(claimed, claim_mountpoint(options_.mountpoint));
  mountpoint_ = claimed.path;
  BOOST_OUTCOME_TRYV(check_not_mirrored());
  if (chdir("/") != 0) return failure(errno, fmt::format("/: {}", std::strerror(errno)));
  BOOST_OUTCOME_TRYV(give_up_rights());
  return Session::mount({mountpoint_, mount_options(options_), options_.debug}, filesystem_);
}

// Now, as all that follows, from mount(2) to the end, needs the same ones.
Result<void> Daemon::give_up_rights() {
  Needs needs;
  needs.ops = options_.engine.ops;
  needs.foreign_files = !context_.rootfs.empty();
  needs.hidden_mountpoint = is_hidden(mountpoint_);
  needs.hidden_processes = hides_processes();
  return keep_only(needed_capabilities(needs));
}

// Mounted on what it mirrors, it would see only itself.
Result<void> Daemon::check_not_mirrored() const {
  const std::string directory = context_.rootfs + kDamonStatDirectory;
  std::error_code missing;
  if (!std::filesystem::equivalent(mountpoint_, directory, missing) ||
      !registry_.means_mirror(options_.engine.ops, context_)) {
    return outcome::success();
  }
  return failure(EINVAL, fmt::format("{}: ops={} mirrors this directory; mount it somewhere else",
                                     mountpoint_, options_.engine.ops));
}

// A mirror shows its source's state from the first read on, so it starts before any is answered.
// Returns: false if it could not, which the engine has logged; the next write of Y tries again.
bool Daemon::start_mirror() {
  if (!registry_.means_mirror(options_.engine.ops, context_)) return true;
  const Result<void> started = engine_.start();
  if (!started) {
    spdlog::error("{}", started.error().context);
    return false;
  }
  const int64_t deadline_ns = clock_.now_ns() + kMaxMirrorStartMs * kNsPerMs;
  EngineStatus status;
  do {
    status = engine_.newest().status;
  } while (status.state == EngineState::kStarting && wait_for_engine(deadline_ns));
  return status.state == EngineState::kStarting || status.mirrors;
}

// Unmounts at its end.
void Daemon::serve(Session session) {
  const auto ready = [this](int errno_value) { on_ready(errno_value); };
  Session::Events events;
  events.sources = {{signals_.get(), [this] { on_signal(); }},
                    {wake_.get(), [this] { on_wake(); }}};
  if (const int watchdog_fd = supervision_.start_watchdog(); watchdog_fd >= 0) {
    events.sources.push_back(
        {watchdog_fd,
         [this] { supervision_.on_watchdog(is_stuck(engine_.newest(), clock_.now_ns())); }});
  }
  events.on_initialised = [&] {
    options_.enabled ? filesystem_.enabled.write(this, true, ready) : ready(0);
  };
  events.done = [this] { return done_; };
  if (session.run(events)) spdlog::info("unmounted");
  supervision_.tell_stopping();
  filesystem_.enabled.abandon(EINTR);
}

void Daemon::on_signal() {
  signalfd_siginfo signal{};
  while (read(signals_.get(), &signal, sizeof signal) == sizeof signal) {
    if (signal.ssi_signo != SIGUSR1) {
      done_ = true;
      continue;
    }
    for (const std::string& line : status_lines(status())) spdlog::info("{}", line);
  }
}

void Daemon::on_wake() {
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t bytes = read(wake_.get(), &count, sizeof count);
  filesystem_.enabled.engine_changed();
  supervision_.tell_state(state());
}

// The mount answers and, if it was to be on from the start, monitoring is on. Or it could not
// start, and the engine has logged why.
void Daemon::on_ready(int errno_value) {
  if (errno_value != 0) {
    status_ = kExitMountFailed;
    done_ = true;
    return;
  }
  spdlog::info("mounted on {}{}", mountpoint_,
               options_.engine.ops == "sim" ? ": simulated memory" : "");
  supervision_.tell_ready(state());
  if (!options_.foreground) logging_.move_to_syslog();
  background_.detach();
}

// Returns: whether the engine has ended in time; a thread that hangs in the kernel has not.
bool Daemon::stop_engine() {
  const int64_t asked_ns = clock_.now_ns();
  engine_.request_stop();
  for (;;) {
    const EngineStatus status = engine_.newest().status;
    if (!status.mirrors && status.state == EngineState::kOff) return true;
    // An engine that is still starting says only now how long it may take.
    const auto limit_ms = static_cast<int64_t>(status.max_close_ms);
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

std::string Daemon::status() {
  StatusFacts facts;
  facts.mountpoint = mountpoint_;
  facts.ops = options_.engine.ops;
  facts.snapshot = engine_.newest();
  facts.now_ns = clock_.now_ns();
  facts.started_ns = started_ns_;
  facts.cpu_ns = process_cpu_ns();
  if (const std::optional<Logging::LastError> error = logging_.last_error()) {
    facts.last_error = error->text;
    facts.last_error_ns = error->ns;
  }
  return status_json(facts);
}

}  // namespace damon_statfs
