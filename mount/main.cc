// SPDX-License-Identifier: GPL-2.0-or-later
//
// damon-statfs: parse the command line and do what it asks for. What a mount consists of is in
// daemon.cc.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fuse_lowlevel.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>

#include "damon_statfs/version.h"
#include "mount/background.h"
#include "mount/changes.h"
#include "mount/command_line.h"
#include "mount/daemon.h"
#include "mount/exit_status.h"
#include "mount/logging.h"
#include "mount/mount_helper.h"
#include "mount/mountpoint.h"
#include "mount/option_words.h"
#include "mount/options.h"
#include "mount/printable.h"
#include "mount/privileges.h"
#include "mount/probe.h"
#include "mount/status.h"
#include "mount/status_command.h"
#include "mount/usage.h"

namespace damon_statfs {
namespace {

int fail(const std::string& text, int status) {
  const Logging logging(false);
  spdlog::error("{}", text);
  return status;
}

// The reader of the answer has to know if it is not all there, as on a full disk.
int print(const std::string& text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (written && std::fflush(stdout) == 0) return kExitOk;
  return fail(fmt::format("standard output: {}", std::strerror(errno)), kExitUsage);
}

int mount_and_serve(const Options& options, const OperationsRegistry& registry) {
  harden_process();
  Background background;
  if (!options.foreground) {
    if (const std::optional<int> status = background.fork()) return *status;
  }
  Logging logging(options.debug);
  return Daemon(options, registry, background, logging).run();
}

int print_probe(const Options& options, const OperationsRegistry& registry) {
  const Logging logging(options.debug);  // what a probe logs is no part of the answer
  const SystemClock clock;
  OperationsContext context = options.context;
  context.clock = &clock;
  context.log = Logging::write;
  const EstimatorChoice estimator = options.engine.estimator;
  std::vector<ProbedSet> probed = registry.probe(context);
  for (ProbedSet& row : probed) row = fit_estimator(std::move(row), estimator);
  return print(options.json ? probe_json(probed, estimator) : probe_table(probed, estimator));
}

int print_status(const Options& options) {
  const Result<std::string> json = ask_status(options.mountpoint);
  if (!json) {
    const bool no_answer =
        json.error().code == std::errc::not_connected || json.error().code == std::errc::timed_out;
    return fail(json.error().context, no_answer ? kExitMountFailed : kExitUsage);
  }
  const std::vector<std::string> lines = status_lines(json.value());
  if (lines.empty()) return fail(options.mountpoint + ": the answer is no status", kExitUsage);
  return print(
      (options.json ? ascii_json(json.value()) : fmt::format("{}", fmt::join(lines, "\n"))) + "\n");
}

// The options first, since they may be refused.
Result<void> change_mount(const Options& options) {
  if (!options.own_words.empty()) {
    BOOST_OUTCOME_TRYV(change_options(options.mountpoint, join_option_words(options.own_words)));
  }
  return remount(options.mountpoint, options.mount_words);
}

int report(const Result<void>& done) {
  return done ? kExitOk : fail(done.error().context, kExitMountFailed);
}

int execute(const Options& options, const OperationsRegistry& registry) {
  switch (options.action) {
    case Options::Action::kHelp:
      return print(usage());
    case Options::Action::kVersion:
      return print(
          fmt::format("damon-statfs {} (libfuse {})\n", kProgramVersion, fuse_pkgversion()));
    case Options::Action::kProbe:
      return print_probe(options, registry);
    case Options::Action::kStatus:
      return print_status(options);
    case Options::Action::kRemount:
      return report(change_mount(options));
    case Options::Action::kMount:
      break;
  }
  return mount_and_serve(options, registry);
}

// As /sbin/mount.damon-statfs.
int help_mount(int argc, char** argv, const OperationsRegistry& registry) {
  prctl(PR_SET_NAME, "damon-statfs", 0, 0, 0);  // for tools that look for the daemon by name
  Result<HelperCall> call = parse_helper_call(argc, argv);
  if (!call) return fail(call.error().context, kExitUsage);
  std::vector<char*> words;
  for (std::string& word : call.value().arguments) words.push_back(word.data());
  const auto nr_words = static_cast<int>(words.size());
  words.push_back(nullptr);
  const Result<Options> options =
      parse_options(nr_words, words.data(), registry, call.value().sloppy);
  if (!options) return fail(options.error().context, kExitUsage);
  const bool mounts = options.value().action == Options::Action::kMount;
  if (call.value().fake && mounts) return report(check_mountpoint(options.value().mountpoint));
  return call.value().fake ? kExitOk : execute(options.value(), registry);
}

int run(int argc, char** argv) {
  sanitize_descriptors();
  const OperationsRegistry registry = built_in_operations();
  if (is_mount_helper(argv[0])) return help_mount(argc, argv, registry);
  const Result<Options> options = parse_options(argc, argv, registry);
  if (!options) return fail(options.error().context, kExitUsage);
  return execute(options.value(), registry);
}

}  // namespace
}  // namespace damon_statfs

int main(int argc, char** argv) {
  try {
    return damon_statfs::run(argc, argv);
  } catch (const std::bad_alloc&) {
    std::fputs("damon-statfs: out of memory\n", stderr);
    return damon_statfs::kExitMountFailed;
  } catch (const std::exception& error) {
    fmt::print(stderr, "damon-statfs: {}\n", damon_statfs::printable(error.what()));
    return damon_statfs::kExitMountFailed;
  }
}
