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

// What is left of these answers with the estimator and the regions that were asked for: of the sets
// that check no single pages, nothing for estimator=pages, and of those that deliver regions,
// nothing for regions=kernel.
std::vector<ProbedSet> fit_estimator(std::span<const ProbedSet> probed, const EngineConfig& asked);

// A table for people, and a last sentence that says what ops=auto would choose; no line is longer
// than 80 columns. Precondition: `probed` fits what was asked for.
std::string probe_table(std::span<const ProbedSet> probed, const EngineConfig& asked);

// The same for scripts: {"auto": NAME or null, "sets": [{"set": NAME, "usable": BOOL, "uses": TEXT,
// "reason": TEXT, "errno": NAME}, ...]}, with null for what does not apply.
std::string probe_json(std::span<const ProbedSet> probed, const EngineConfig& asked);

}  // namespace damon_statfs
