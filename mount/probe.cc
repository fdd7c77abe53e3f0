// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a set uses, or why it cannot be used, is long and names files, so it stands in the last
// column and is wrapped there. --probe=json has it in one piece.
#include "mount/probe.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <vector>

#include "mount/printable.h"
#include "mount/wrapped_text.h"

namespace damon_statfs {
namespace {

// Its symbol, such as ENODEV.
std::string errno_name(const Error& error) {
  const char* const name = strerrorname_np(error.code.value());
  return name != nullptr ? name : std::to_string(error.code.value());
}

// What the set's values would come from.
std::string_view estimator_name(const ProbedSet& probed, EstimatorChoice estimator) {
  if (probed.set->makes<Mirror>()) return "kernel";
  const bool pages = estimator != EstimatorChoice::kRegions && probed.samples_pages();
  return pages ? "pages" : "regions";
}

// What it uses, and why that is less than it could be; or why it is not usable.
std::string uses_text(const ProbedSet& probed, EstimatorChoice estimator) {
  if (!probed.usable) return probed.usable.error().context;
  const bool told = probed.why_no_pages && estimator != EstimatorChoice::kRegions;
  return probed.usable.value() + (told ? "; no pages: " + *probed.why_no_pages : "");
}

constexpr size_t kWidthColumns = 80;
constexpr size_t kMinTextColumns = 20;  // however wide the columns before are

using Row = std::array<std::string, 4>;

std::vector<Row> table_rows(std::span<const ProbedSet> probed, EstimatorChoice choice) {
  std::vector<Row> rows = {{"SET", "USABLE", "ESTIMATOR", "USES, OR WHY NOT"}};
  for (const ProbedSet& row : probed) {
    rows.push_back({row.set->name, row.usable ? "yes" : "no",
                    std::string(estimator_name(row, choice)), printable(uses_text(row, choice))});
  }
  return rows;
}

size_t column_width(const std::vector<Row>& rows, size_t column) {
  size_t width = 0;
  for (const Row& row : rows) width = std::max(width, row[column].size());
  return width;
}

// The lines of a text that begins behind `start`, and goes on below its own beginning.
std::string with_hanging_indent(const std::string& start, std::string_view text, size_t indent) {
  const size_t width_columns =
      std::max(kWidthColumns - std::min(indent, kWidthColumns), kMinTextColumns);
  const std::string separator = fmt::format("\n{:{}}", "", indent);
  return start + fmt::format("{}\n", fmt::join(wrap_text(text, width_columns), separator));
}

std::string table_text(const std::vector<Row>& rows) {
  std::string text;
  for (const Row& row : rows) {
    std::string start;
    for (size_t column = 0; column + 1 < row.size(); ++column) {
      start += fmt::format("{:<{}}  ", row[column], column_width(rows, column));
    }
    text += with_hanging_indent(start, row.back(), start.size());
  }
  return text;
}

// A table with a usable set in it and "nothing" below it would look like a mistake.
std::string never_chosen(std::span<const ProbedSet> probed) {
  std::vector<std::string> names;
  for (const ProbedSet& row : probed) {
    if (row.usable && !row.set->automatic) names.push_back(row.set->name);
  }
  return names.empty() ? "" : fmt::format("; it never chooses {}", fmt::join(names, " or "));
}

std::string automatic_choice(std::span<const ProbedSet> probed, std::string_view options,
                             EstimatorChoice estimator) {
  const Result<SelectedSet> chosen = choose_automatically(probed, estimator);
  if (chosen) return fmt::format("{} would choose {}", options, chosen.value().set->name);
  const Error& error = chosen.error();
  return fmt::format("{} would choose nothing and fail with {} ({}){}", options, errno_name(error),
                     error.code.message(), never_chosen(probed));
}

std::vector<std::string> conclusion(std::span<const ProbedSet> probed, EstimatorChoice estimator) {
  switch (estimator) {
    case EstimatorChoice::kRegions:
      return {automatic_choice(probed, "ops=auto,estimator=regions", estimator)};
    case EstimatorChoice::kPages:
      return {automatic_choice(probed, "ops=auto,estimator=pages", estimator)};
    case EstimatorChoice::kAuto:
      break;
  }
  return {"estimator=auto takes pages where single pages can be sampled, else regions",
          automatic_choice(probed, "ops=auto", estimator)};
}

nlohmann::ordered_json to_json(const ProbedSet& probed, EstimatorChoice estimator) {
  nlohmann::ordered_json row = {{"set", probed.set->name},
                                {"usable", probed.usable.has_value()},
                                {"estimator", estimator_name(probed, estimator)},
                                {"uses", nullptr},
                                {"reason", nullptr},
                                {"errno", nullptr}};
  if (probed.usable) {
    row["uses"] = uses_text(probed, estimator);
  } else {
    row["reason"] = probed.usable.error().context;
    row["errno"] = errno_name(probed.usable.error());
  }
  return row;
}

}  // namespace

std::string probe_table(std::span<const ProbedSet> probed, EstimatorChoice estimator) {
  std::string text = table_text(table_rows(probed, estimator)) + "\n";
  for (const std::string& sentence : conclusion(probed, estimator)) {
    text += with_hanging_indent("", sentence, 2);
  }
  return text;
}

std::string probe_json(std::span<const ProbedSet> probed, EstimatorChoice estimator) {
  using Json = nlohmann::ordered_json;
  const Result<SelectedSet> chosen = choose_automatically(probed, estimator);
  Json answer = {{"auto", nullptr}, {"sets", Json::array()}};
  if (chosen) answer["auto"] = chosen.value().set->name;
  for (const ProbedSet& set : probed) answer["sets"].push_back(to_json(set, estimator));
  // A path in a reason may hold any bytes, JSON holds UTF-8 only; and what is not ASCII is escaped.
  return answer.dump(2, ' ', true, Json::error_handler_t::replace) + "\n";
}

}  // namespace damon_statfs
