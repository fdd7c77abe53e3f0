// SPDX-License-Identifier: GPL-2.0-or-later
//
// What mount -o remount and systemctl reload may change of a mount that is there. They name all
// options of the mount, so a word that says what is so already is no change.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "damon_statfs/result.h"
#include "damon_statfs/run_settings.h"
#include "mount/options.h"

namespace damon_statfs {

struct Changes {
  Options options;              // in force from now on
  std::optional<bool> enabled;  // whether monitoring shall be on; none: it stays as it is
};

// words: NAME=VALUE between commas. Returns: EINVAL with one line that names the word that is
// wrong, or that cannot change while it is mounted.
Result<Changes> parse_changes(const Options& in_force, std::string_view words);

RunSettings run_settings(const Options& options);

// Asks the daemon of the mount at `path` to change these options. Returns: its refusal; ENOTCONN or
// ETIMEDOUT if it does not answer.
Result<void> change_options(const std::string& path, const std::string& words);

}  // namespace damon_statfs
