// SPDX-License-Identifier: GPL-2.0-or-later
//
// Flat and self-describing, so that a program that only hands it on needs to know none of the
// members.
#include "mount/status.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "mount/printable.h"

namespace damon_statfs {
namespace {

using Json = nlohmann::ordered_json;

// Longer texts are cut, so that three of them fit in even if each byte has to be escaped.
constexpr size_t kMaxTextBytes = 600;

Json limited(std::string_view text) { return std::string(text.substr(0, kMaxTextBytes)); }

// What it means to people: three decimals.
double rounded(double number) { return std::round(number * 1'000) / 1'000; }

// A path may hold any bytes, JSON holds UTF-8 only; and what is not ASCII is escaped, so that no
// terminal obeys it.
std::string to_ascii(const Json& json) {
  return json.dump(-1, ' ', true, Json::error_handler_t::replace);
}

// What the daemon of a mount has answered, without what lies deeper than the members of one
// object. Returns: none if it is no JSON object.
std::optional<Json> parse_flat(std::string_view text) {
  const auto is_flat = [](int depth, Json::parse_event_t, const Json&) { return depth <= 1; };
  Json json = Json::parse(text, is_flat, false);
  if (!json.is_object()) return std::nullopt;
  return json;
}

Json to_json(const FigureValue& value) {
  struct Converter {
    Json operator()(std::monostate) const { return {}; }
    Json operator()(std::string_view text) const { return limited(text); }
    Json operator()(int64_t number) const { return number; }
    Json operator()(uint64_t number) const { return number; }
    Json operator()(double number) const { return rounded(number); }
  };
  return std::visit(Converter(), value);
}

}  // namespace

std::string status_json(const StatusFacts& facts) {
  Json json = Json::object();
  tell_figures(facts, [&](const Figure& figure, const FigureValue& value) {
    json[std::string(figure.name)] = to_json(value);
  });
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
