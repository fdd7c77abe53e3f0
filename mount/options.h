// SPDX-License-Identifier: GPL-2.0-or-later
//
// The command line: damon-statfs [-f] [-d] [-o OPT[,OPT...]] [SOURCE] MOUNTPOINT, as people type it
// and as mount(8) and systemd pass it on from fstab.
#pragma once

#include <string>
#include <vector>

#include "damon_statfs/engine_config.h"
#include "damon_statfs/registry.h"
#include "fs/params.h"

namespace damon_statfs {

struct Options {
  enum class Action { kMount, kRemount, kHelp, kVersion, kProbe, kStatus };

  Action action = Action::kMount;
  bool json = false;  // --probe=json, --status=json
  std::string source;
  std::string mountpoint;
  bool foreground = false;  // -f
  bool debug = false;       // -d, which means -f too

  bool enabled = false;
  Abi abi = Abi::k6_17;
  EngineConfig engine;
  OperationsContext context;  // its clock and log are left to main()

  std::vector<std::string> own_words;      // the words NAME=VALUE of these options, as given
  std::vector<std::string> mount_words;    // for the mount itself: ro, nosuid, ...
  std::vector<std::string> ignored_words;  // accepted, but without effect here; worth a warning
};

// sloppy: words of -o that are not known are left out with a warning (mount -s).
// Returns: the options, or EINVAL with one line that names the wrong word and what is allowed.
Result<Options> parse_options(int argc, char** argv, const OperationsRegistry& registry,
                              bool sloppy = false);

// For estimator=pages only one of auto's sets will do: makes ops=auto mean that one.
void narrow_auto(Options& options, const OperationsRegistry& registry);

// The text for --help.
std::string usage();

}  // namespace damon_statfs
