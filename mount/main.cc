// SPDX-License-Identifier: GPL-2.0-or-later
//
// damon-statfs: parse, build the parts, run the loop. The parts are in fs/ and engine/; how they go
// together is here.
#include <fmt/format.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "damon_statfs/version.h"
#include "fs/session.h"
#include "mount/background.h"
#include "mount/exit_status.h"
#include "mount/logging.h"
#include "mount/mountpoint.h"
#include "mount/options.h"

namespace damon_statfs {
namespace {

// The signals that end the program, blocked in all threads and read from a descriptor instead.
UniqueFd take_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, number);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return UniqueFd(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
}

std::vector<std::string> mount_options(const Options& options) {
  std::string source = options.source;
  if (source.empty()) source = options.engine.ops == "sim" ? "simulated" : kSubtype;
  std::vector<std::string> words = {"fsname=" + source,
                                    std::string("subtype=") + kSubtype,
                                    "default_permissions",
                                    "allow_other",
                                    "nosuid",
                                    "nodev",
                                    "noexec"};
  words.insert(words.end(), options.mount_words.begin(), options.mount_words.end());
  return words;
}

int mount_failed(const Error& error) {
  spdlog::error("{}", error.context);
  return kExitMountFailed;
}

Result<void> check_rights() {
  if (geteuid() != 0) return failure(EPERM, "must be run as root");
  if (access("/dev/fuse", R_OK | W_OK) == 0) return outcome::success();
  return failure(errno,
                 fmt::format("/dev/fuse: {} (is the fuse module loaded?)", std::strerror(errno)));
}

// Stops the engine. Returns: whether it has ended in time; a thread that hangs in the kernel has
// not.
bool stop_engine(Engine& engine, const Clock& clock, int wake_fd) {
  const int64_t deadline_ns = clock.now_ns() + 1'500 * kNsPerMs;
  engine.request_stop();
  while (engine.newest().status.state != EngineState::kOff) {
    if (!clock.wait_until(deadline_ns, wake_fd)) return false;
    uint64_t count = 0;
    [[maybe_unused]] const ssize_t bytes = read(wake_fd, &count, sizeof count);
  }
  return true;
}

// Mounts, and serves the mount until it is unmounted or a signal comes. Returns: the exit status.
int serve(const Options& options, const OperationsRegistry& registry, Background& background,
          Logging& logging) {
  const UniqueFd signals = take_signals();
  for (const std::string& word : options.ignored_words) {
    spdlog::warn("{}: has no effect on this filesystem, ignored", word);
  }
  if (const Result<void> allowed = check_rights(); !allowed) return mount_failed(allowed.error());
  Result<ClaimedMountpoint> mountpoint = claim_mountpoint(options.mountpoint);
  if (!mountpoint) return mount_failed(mountpoint.error());
  if (chdir("/") != 0) return mount_failed({{}, fmt::format("/: {}", std::strerror(errno))});

  const SystemClock clock;
  OperationsContext context = options.context;
  context.clock = &clock;
  context.log = Logging::write;
  const UniqueFd wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  Engine engine(options.engine, context, registry, wake.get());
  Filesystem filesystem(options.abi, engine);
  Result<Session> session =
      Session::mount({mountpoint.value().path, mount_options(options), options.debug}, filesystem);
  if (!session) return mount_failed(session.error());
  mountpoint.value().lock = UniqueFd();

  int status = kExitOk;
  bool done = false;
  const auto ready = [&](int errno_value) {
    if (errno_value != 0) {  // the engine has logged why
      status = kExitMountFailed;
      done = true;
      return;
    }
    spdlog::info("mounted on {}{}", mountpoint.value().path,
                 options.engine.ops == "sim" ? ": simulated memory" : "");
    if (!options.foreground) logging.move_to_syslog();
    background.detach();
  };
  Session::Events events;
  events.signal_fd = signals.get();
  events.wake_fd = wake.get();
  events.on_wake = [&] { filesystem.enabled.engine_changed(); };
  events.on_initialised = [&] {
    options.enabled ? filesystem.enabled.write(&ready, true, ready) : ready(0);
  };
  events.done = [&] { return done; };
  const bool unmounted = session.value().run(events);
  filesystem.enabled.abandon(EINTR);
  session = failure(ENOTCONN, "unmounted");
  if (!stop_engine(engine, clock, wake.get())) {
    spdlog::error("the engine thread does not end, left to the kernel");
    spdlog::shutdown();
    _exit(status);
  }
  if (status == kExitOk) spdlog::info("{}", unmounted ? "unmounted" : "ending");
  return status;
}

int mount_and_serve(const Options& options, const OperationsRegistry& registry) {
  Background background;
  if (!options.foreground) {
    if (const std::optional<int> status = background.fork()) return *status;
  }
  Logging logging(options.debug);
  return serve(options, registry, background, logging);
}

int print_probe(const Options& options, const OperationsRegistry& registry) {
  const SystemClock clock;
  OperationsContext context = options.context;
  context.clock = &clock;
  context.log = Logging::write;
  for (const OperationsSet& set : registry.sets()) {
    const Result<std::string> usable = set.probe(context);
    fmt::print("{}: {}: {}\n", set.name, usable ? "usable" : "not usable",
               usable ? usable.value() : usable.error().context);
  }
  return kExitOk;
}

int remount_and_report(const Options& options) {
  const Result<void> done = remount(options.mountpoint, options.mount_words);
  if (done) return kExitOk;
  fmt::print(stderr, "damon-statfs: {}\n", done.error().context);
  return kExitMountFailed;
}

int run(int argc, char** argv) {
  sanitize_descriptors();
  const OperationsRegistry registry = built_in_operations();
  const Result<Options> options = parse_options(argc, argv, registry);
  if (!options) {
    fmt::print(stderr, "damon-statfs: {}\n", options.error().context);
    return kExitUsage;
  }
  switch (options.value().action) {
    case Options::Action::kHelp:
      fmt::print("{}", usage());
      return kExitOk;
    case Options::Action::kVersion:
      fmt::print("damon-statfs {} (libfuse {})\n", kProgramVersion, fuse_pkgversion());
      return kExitOk;
    case Options::Action::kProbe:
      return print_probe(options.value(), registry);
    case Options::Action::kRemount:
      return remount_and_report(options.value());
    case Options::Action::kMount:
      break;
  }
  return mount_and_serve(options.value(), registry);
}

}  // namespace
}  // namespace damon_statfs

int main(int argc, char** argv) {
  try {
    return damon_statfs::run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "damon-statfs: {}\n", error.what());
    return damon_statfs::kExitMountFailed;
  }
}
