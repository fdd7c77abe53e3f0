// SPDX-License-Identifier: GPL-2.0-or-later
//
// Options that were asked for and change nothing, because the source of accesses or the estimator
// that is in force has no use for them. ops=auto knows only at the start which that is.
#pragma once

#include <string>

#include "damon_statfs/engine_config.h"
#include "damon_statfs/operations_set.h"

namespace damon_statfs {

// Returns: one line for the log that names them, empty if there are none.
// pages: whether a sample of pages is used.
std::string unused_options_text(const OperationsSet& set, const EngineConfig& config, bool pages);

}  // namespace damon_statfs
