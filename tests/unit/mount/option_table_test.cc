// SPDX-License-Identifier: GPL-2.0-or-later
//
// Each row of the table of options: its edges, what its refusals say, and what --help says of it.
#include "mount/option_table.h"

#include <fmt/format.h>

#include "damon_statfs/version.h"
#include "mount/usage.h"
#include "support/catch.h"

namespace damon_statfs {
namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

const Option& find(std::string_view name) {
  for (const Option& option : all_options()) {
    if (option.name == name) return option;
  }
  throw std::invalid_argument(std::string(name));
}

TEST_CASE("a number is taken within its range, and a refusal says the range", "[option_table]") {
  for (const Option& option : all_options()) {
    if (option.range == nullptr) continue;
    CAPTURE(option.name);
    const auto [unit, min, max] = *option.range;
    Options options;
    for (const uint64_t value : {min, max}) {
      CHECK(option.take(options, std::to_string(value)));
      CHECK(option.number(options) == value);
    }
    CHECK_FALSE(option.take(options, std::to_string(max) + "0"));
    if (max != ~uint64_t{0}) CHECK_FALSE(option.take(options, std::to_string(max + 1)));
    if (min > 0) CHECK_FALSE(option.take(options, std::to_string(min - 1)));
    CHECK(option.number(options) == max);
    CHECK(option.allowed_text() == fmt::format("{} from {} to {}", unit, min, max));
  }
}

TEST_CASE("more regions than are of use are refused", "[option_table]") {
  Options options;
  for (const char* const name : {"min_nr_regions", "max_nr_regions"}) {
    CHECK(find(name).take(options, "3"));
    CHECK(find(name).take(options, "100000"));
    for (const char* const bad : {"2", "100001", "2147483648"}) {
      CHECK_FALSE(find(name).take(options, bad));
    }
    CHECK(find(name).allowed_text() == "a number from 3 to 100000");
  }
}

TEST_CASE("refusals say units", "[option_table]") {
  for (const char* const name : {"sample_us", "aggr_us", "update_us", "min_sample_us"}) {
    CHECK(contains(find(name).allowed_text(), "microseconds from 0 to 1000000000000000"));
  }
  CHECK(contains(find("refresh_ms").allowed_text(), "milliseconds from 0 to 1000000000000"));
  for (const char* const part : {"K, M, G, T or P", "us, ms or s", "never", "4K"}) {
    CHECK(contains(find("sim").allowed_text(), part));
  }
  CHECK(contains(find("ram").allowed_text(), "K, M, G, T or P"));
  CHECK(contains(find("kdamond").allowed_text(), "from 1 to 2147483647"));
  CHECK(contains(find("max_cpu").allowed_text(), "percentage from 0.001 to 100"));
}

TEST_CASE("enabled= takes what the file takes", "[option_table]") {
  const Option& enabled = find("enabled");
  for (const char* const word : {"Y", "y", "1", "yes", "on", "ON", "true", "T"}) {
    CAPTURE(word);
    Options options;
    CHECK(enabled.take(options, word));
    CHECK(options.enabled);
  }
  for (const char* const word : {"N", "n", "0", "no", "off", "Off", "false", "F"}) {
    CAPTURE(word);
    Options options;
    options.enabled = true;
    CHECK(enabled.take(options, word));
    CHECK_FALSE(options.enabled);
  }
  Options options;
  for (const char* const word : {"", "2", "maybe", "o", " Y", "-1"}) {
    CAPTURE(word);
    CHECK_FALSE(enabled.take(options, word));
  }
}

TEST_CASE("the default that --help shows is the default", "[option_table]") {
  Options defaults;
  for (const Option& option : all_options()) {
    CAPTURE(option.name);
    if (option.range != nullptr) {
      REQUIRE(option.standard != nullptr);
      CHECK(std::to_string(option.number(defaults)) == option.standard);
    } else if (option.standard != nullptr) {
      CHECK(option.take(defaults, option.standard));
    }
  }
  const Options untouched;
  CHECK(defaults.engine.ops == untouched.engine.ops);
  CHECK(defaults.abi == untouched.abi);
  CHECK(defaults.context.ram.kind == untouched.context.ram.kind);
  CHECK(defaults.engine.estimator == untouched.engine.estimator);
  CHECK(defaults.engine.kernel_regions == untouched.engine.kernel_regions);
  CHECK(defaults.engine.excluded == untouched.engine.excluded);
  CHECK(defaults.engine.max_cpu_percent == untouched.engine.max_cpu_percent);
}

TEST_CASE("--help shows syntax and default of every option", "[option_table]") {
  const std::string text = usage();
  for (const Option& option : all_options()) {
    CAPTURE(option.name);
    std::string line = fmt::format("\n  {}={}", option.name, option.syntax);
    if (option.standard != nullptr) line += fmt::format("  [{}]", option.standard);
    CHECK(contains(text, line + (option.name == find("enabled").name ? "  [" : "\n")));
  }
  CHECK(contains(text, kEnabledDefault ? "\n  enabled=Y|N  [Y]\n" : "\n  enabled=Y|N  [N]\n"));
}

TEST_CASE("--help shows flags, exit statuses and an example", "[option_table]") {
  const std::string text = usage();
  for (const char* const part : {"-f ", "-d ", "--probe", "--probe=json", "--status=json", "--help",
                                 "--version", "\nexit status:\n   0  ", "\n   1  ", "\n   3  ",
                                 "\n  32  ", "\nexample:\n  damon-statfs "}) {
    CAPTURE(part);
    CHECK(contains(text, part));
  }
  size_t width = 0;
  for (size_t begin = 0; begin < text.size(); begin = text.find('\n', begin) + 1) {
    width = std::max(width, text.find('\n', begin) - begin);
  }
  CHECK(width <= 80);
  CHECK(text.back() == '\n');
}

}  // namespace
}  // namespace damon_statfs
