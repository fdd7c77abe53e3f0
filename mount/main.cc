// SPDX-License-Identifier: GPL-2.0-or-later
//
// damon-statfs: parse the command line and do what it asks for. What a mount consists of is in
// daemon.cc.
#include <fmt/format.h>
#include <fuse_lowlevel.h>

#include <cstdio>

#include "damon_statfs/version.h"
#include "mount/background.h"
#include "mount/daemon.h"
#include "mount/exit_status.h"
#include "mount/logging.h"
#include "mount/mountpoint.h"
#include "mount/options.h"
#include "mount/probe.h"

namespace damon_statfs {
namespace {

int mount_and_serve(const Options& options, const OperationsRegistry& registry) {
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
  const std::vector<ProbedSet> probed = registry.probe(context);
  fmt::print("{}", options.probe_json ? probe_json(probed) : probe_table(probed));
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
