// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a command line asks for: which action, where, and with which options.
#pragma once

#include <string>
#include <vector>

#include "damon_statfs/engine_config.h"
#include "damon_statfs/operations_context.h"
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

}  // namespace damon_statfs
