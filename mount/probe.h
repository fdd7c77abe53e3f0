// SPDX-License-Identifier: GPL-2.0-or-later
//
// What --probe answers: which operations sets are usable here, why the others are not, and what
// ops=auto makes of it. The probing itself is the registry's.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "damon_statfs/engine_config.h"
#include "damon_statfs/registry.h"

namespace damon_statfs {

// A table for people, and a last sentence that says what ops=auto would choose; no line is longer
// than 80 columns. estimator: as asked for. Precondition: `probed` fits it.
std::string probe_table(std::span<const ProbedSet> probed, EstimatorChoice estimator);

// The same for scripts: {"auto": NAME or null, "sets": [{"set": NAME, "usable": BOOL, "uses": TEXT,
// "reason": TEXT, "errno": NAME}, ...]}, with null for what does not apply.
std::string probe_json(std::span<const ProbedSet> probed, EstimatorChoice estimator);

}  // namespace damon_statfs
