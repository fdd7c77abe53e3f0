// SPDX-License-Identifier: GPL-2.0-or-later
//
// Every figure that the daemon tells of itself, as one table: name, unit, meaning, when it applies
// and its value. An output, such as the JSON of --status, is a sink of this table's rows.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "damon_statfs/snapshot.h"

namespace damon_statfs {

// What the figures are made of.
struct StatusFacts {
  std::string_view mountpoint;
  std::string_view ops;  // as asked for: a set's name, or auto
  Snapshot snapshot;
  int64_t now_ns = 0;      // CLOCK_MONOTONIC
  int64_t started_ns = 0;  // of the daemon, CLOCK_MONOTONIC
  int64_t cpu_ns = 0;      // CPU time of all of the daemon's threads since then
  std::optional<std::string> last_error;
  int64_t last_error_ns = 0;  // CLOCK_MONOTONIC
};

enum class Unit { kText, kId, kCount, kBytes, kMicroseconds, kMilliseconds, kSeconds, kPercent };

// The circumstances under which a figure says something.
enum class Applies {
  kAlways,
  kWhileKdamondSamples,
  kWhileEngineSamples,
  kWhileOn,       // monitoring that the engine has started
  kAfterStart,    // an operations set was chosen once; it may know the figure or not
  kAfterRefresh,  // of the values, since monitoring was started
  kOfPages,       // after a refresh with the estimator "pages"
  kOfRegions,     // after a refresh with the estimator "regions"
  kAfterError,
};

// Of a text: valid as long as the facts. monostate: the figure does not apply, or is not known.
using FigureValue = std::variant<std::monostate, std::string_view, int64_t, uint64_t, double>;

struct Figure {
  std::string_view name;
  Unit unit;
  Applies applies;
  FigureValue (*value)(const StatusFacts& facts);  // Precondition: the figure applies.
  std::string_view help;                           // one sentence
};

// All figures in the order of the status.
std::span<const Figure> all_figures();

// Whether a figure that applies then does so now.
bool applies(Applies when, const StatusFacts& facts);

// Gets each figure with its value.
using FigureSink = std::function<void(const Figure& figure, const FigureValue& value)>;

// Hands all figures to the sink, in order, also those that do not apply.
void tell_figures(const StatusFacts& facts, const FigureSink& sink);

}  // namespace damon_statfs
