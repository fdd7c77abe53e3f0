// SPDX-License-Identifier: GPL-2.0-or-later
//
// Flat and self-describing, so that whoever only hands it on needs to know none of the members.
#include "mount/status.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "damon_statfs/clock.h"
#include "damon_statfs/status_ioctl.h"
#include "damon_statfs/version.h"

namespace damon_statfs {
namespace {

using Json = nlohmann::ordered_json;

// Longer texts are cut, so that three of them fit in even if each byte has to be escaped.
constexpr size_t kMaxTextBytes = 600;

Json limited(std::string_view text) { return std::string(text.substr(0, kMaxTextBytes)); }

Json or_null(uint64_t number, bool applies) { return applies ? Json(number) : Json(); }

// What it means to people: three decimals.
double rounded(double number) { return std::round(number * 1'000) / 1'000; }

double seconds(int64_t ns) {
  return rounded(static_cast<double>(ns) / static_cast<double>(kNsPerSecond));
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

void add_monitoring(Json& json, const StatusFacts& facts) {
  const MonitoringDetails& details = facts.snapshot.details;
  const bool any = !details.ops.empty();
  const bool pages = details.estimator == "pages";
  const bool regions = details.estimator == "regions";
  json["estimator"] = details.estimator.empty() ? Json() : limited(details.estimator);
  json["monitored_bytes"] = or_null(details.monitored_bytes, any);
  json["untracked_bytes"] = or_null(details.untracked_bytes, pages);
  json["sample_us"] = or_null(details.sample_us, any);
  json["aggr_us"] = or_null(details.aggr_us, any);
  json["nr_regions"] = or_null(details.nr_regions, regions);
  json["nr_pages"] = or_null(details.nr_pages, pages);
  json["check_period_ms"] = or_null(details.check_period_ms, pages);
  json["nr_checks"] = or_null(details.nr_checks, any);
  json["nr_dropped"] = or_null(details.nr_dropped, any);
  for (size_t i = 0; i < MonitoringDetails::kShareLimitsMs.size(); ++i) {
    const std::string name = fmt::format("idle_below_{}_ms", MonitoringDetails::kShareLimitsMs[i]);
    json[name + "_percent"] = any ? Json(rounded(details.share_percent[i])) : Json();
    json[name + "_error_percent"] = pages ? Json(rounded(details.share_error_percent[i])) : Json();
  }
  json["monitoring_s"] = any && facts.snapshot.status.state == EngineState::kOn
                             ? Json(seconds(facts.now_ns - details.started_ns))
                             : Json();
  json["engine_cpu_s"] = any ? Json(seconds(details.cpu_ns)) : Json();
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
  const bool chosen = !snapshot.details.ops.empty();
  Json json = {{"version", kProgramVersion},
               {"pid", getpid()},
               {"mountpoint", limited(facts.mountpoint)},
               {"uptime_s", seconds(facts.now_ns - facts.started_ns)},
               {"state", state_name(snapshot, facts.now_ns)},
               {"operations_set", limited(chosen ? snapshot.details.ops : facts.ops)},
               {"kdamond_pid", snapshot.status.tid == -1 ? Json() : Json(snapshot.status.tid)}};
  add_monitoring(json, facts);
  add_cost(json, facts);
  json["last_error"] = facts.last_error ? limited(*facts.last_error) : Json();
  json["last_error_age_s"] =
      facts.last_error ? Json(seconds(facts.now_ns - facts.last_error_ns)) : Json();
  // A path may hold any bytes; JSON holds UTF-8 only.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::vector<std::string> status_lines(std::string_view json) {
  const Json object = Json::parse(json, nullptr, false);
  std::vector<std::string> lines;
  if (!object.is_object()) return lines;
  lines.reserve(object.size());
  for (const auto& [name, value] : object.items()) {
    // A text stays in its line, with what is not printable escaped.
    if (value.is_null()) continue;
    std::string text = value.dump();
    if (value.is_string()) text = text.substr(1, text.size() - 2);
    lines.push_back(fmt::format("{}: {}", name, text));
  }
  return lines;
}

}  // namespace damon_statfs
