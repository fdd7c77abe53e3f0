// SPDX-License-Identifier: GPL-2.0-or-later
//
// Flat and self-describing, so that whoever only hands it on needs to know none of the members.
#include "mount/status.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "damon_statfs/clock.h"
#include "damon_statfs/status_ioctl.h"
#include "damon_statfs/version.h"
#include "mount/printable.h"

namespace damon_statfs {
namespace {

using Json = nlohmann::ordered_json;

// Longer texts are cut, so that three of them fit in even if each byte has to be escaped.
constexpr size_t kMaxTextBytes = 600;

Json limited(std::string_view text) { return std::string(text.substr(0, kMaxTextBytes)); }

template <class Number>
Json or_null(Number number, bool known) {
  return known ? Json(number) : Json();
}

// What it means to people: three decimals.
double rounded(double number) { return std::round(number * 1'000) / 1'000; }

double seconds(int64_t ns) {
  return rounded(static_cast<double>(ns) / static_cast<double>(kNsPerSecond));
}

// A path may hold any bytes, JSON holds UTF-8 only; and what is not ASCII is escaped, so that no
// terminal obeys it.
std::string to_ascii(const Json& json) {
  return json.dump(-1, ' ', true, Json::error_handler_t::replace);
}

// What whoever serves a mount has answered, without what lies deeper than the members of one
// object. Returns: none if it is no JSON object.
std::optional<Json> parse_flat(std::string_view text) {
  const auto is_flat = [](int depth, Json::parse_event_t, const Json&) { return depth <= 1; };
  Json json = Json::parse(text, is_flat, false);
  if (!json.is_object()) return std::nullopt;
  return json;
}

const char* state_name(const Snapshot& snapshot, int64_t now_ns) {
  if (is_stuck(snapshot, now_ns)) return "stuck";
  switch (snapshot.status.state) {
    case EngineState::kOff:
      return "off";
    case EngineState::kStarting:
      return "starting";
    case EngineState::kOn:
      return "on";
  }
  return "off";
}

void add_shares(Json& json, const MonitoringDetails& details) {
  const auto* const pages = std::get_if<PageDetails>(&details.by_estimator);
  for (size_t i = 0; i < MonitoringDetails::kShareLimitsMs.size(); ++i) {
    const std::string name = fmt::format("idle_below_{}_ms", MonitoringDetails::kShareLimitsMs[i]);
    const double share = details.share_percent[i];
    const double error = pages != nullptr ? pages->share_error_percent[i] : std::nan("");
    json[name + "_percent"] = or_null(rounded(share), details.refreshed && !std::isnan(share));
    json[name + "_error_percent"] = or_null(rounded(error), !std::isnan(error));
  }
}

// Before the first refresh most of it is not known, and of a kdamond or a mirror some of it never.
void add_monitoring(Json& json, const StatusFacts& facts) {
  const MonitoringDetails& details = facts.snapshot.details;
  const bool known = details.refreshed;
  const auto* const regions = std::get_if<RegionDetails>(&details.by_estimator);
  const auto* const pages = std::get_if<PageDetails>(&details.by_estimator);
  json["estimator"] = details.estimator.empty() ? Json() : limited(details.estimator);
  json["monitored_bytes"] = or_null(details.monitored_bytes, details.monitored_bytes > 0);
  json["untracked_bytes"] = pages != nullptr ? Json(pages->untracked_bytes) : Json();
  json["sample_us"] = or_null(details.sample_us, details.sample_us > 0);
  json["aggr_us"] = or_null(details.aggr_us, details.aggr_us > 0);
  json["nr_regions"] = regions != nullptr ? Json(regions->nr_regions) : Json();
  json["nr_pages"] = pages != nullptr ? Json(pages->nr_pages) : Json();
  json["check_period_ms"] = pages != nullptr ? Json(pages->check_period_ms) : Json();
  json["nr_checks"] = or_null(details.nr_checks, details.nr_checks > 0);
  json["nr_dropped"] = or_null(details.nr_dropped, known);
  add_shares(json, details);
  const bool on = facts.snapshot.status.state == EngineState::kOn && details.started_ns > 0;
  json["monitoring_s"] = or_null(seconds(facts.now_ns - details.started_ns), on);
  json["engine_cpu_s"] = or_null(seconds(details.cpu_ns), known);
}

void add_cost(Json& json, const StatusFacts& facts) {
  const auto lived_ns = static_cast<double>(std::max<int64_t>(facts.now_ns - facts.started_ns, 1));
  json["cpu_s"] = seconds(facts.cpu_ns);
  json["cpu_percent"] = rounded(100 * static_cast<double>(facts.cpu_ns) / lived_ns);
}

}  // namespace

bool is_stuck(const Snapshot& snapshot, int64_t now_ns) {
  return snapshot.alive_until_ns != 0 && now_ns > snapshot.alive_until_ns;
}

std::string status_json(const StatusFacts& facts) {
  const Snapshot& snapshot = facts.snapshot;
  const EngineStatus& status = snapshot.status;
  const bool chosen = !snapshot.details.ops.empty();
  Json json = {{"version", kProgramVersion},
               {"pid", getpid()},
               {"mountpoint", limited(facts.mountpoint)},
               {"uptime_s", seconds(facts.now_ns - facts.started_ns)},
               {"state", state_name(snapshot, facts.now_ns)},
               {"operations_set", limited(chosen ? snapshot.details.ops : facts.ops)},
               {"kdamond_pid", or_null(status.tid, status.tid != -1 && status.is_kdamond)},
               {"engine_tid", or_null(status.tid, status.tid != -1 && !status.is_kdamond)}};
  add_monitoring(json, facts);
  add_cost(json, facts);
  json["last_error"] = facts.last_error ? limited(*facts.last_error) : Json();
  json["last_error_age_s"] =
      facts.last_error ? Json(seconds(facts.now_ns - facts.last_error_ns)) : Json();
  return to_ascii(json);
}

std::string ascii_json(std::string_view json) {
  const std::optional<Json> object = parse_flat(json);
  return object ? to_ascii(*object) : "";
}

std::vector<std::string> status_lines(std::string_view json) {
  const std::optional<Json> object = parse_flat(json);
  std::vector<std::string> lines;
  if (!object) return lines;
  lines.reserve(object->size());
  for (const auto& [name, value] : object->items()) {
    if (value.is_null() || value.is_structured()) continue;
    const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    lines.push_back(fmt::format("{}: {}", printable(name), printable(text)));
  }
  return lines;
}

}  // namespace damon_statfs
