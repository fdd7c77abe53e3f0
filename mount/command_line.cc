// SPDX-License-Identifier: GPL-2.0-or-later
//
// The words of the command line, whichever order they come in; what our own options mean stands in
// option_table.cc.
#include "mount/command_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <span>
#include <string_view>

#include "damon_statfs/version.h"
#include "mount/fstab_words.h"
#include "mount/option_table.h"
#include "mount/option_words.h"

namespace damon_statfs {
namespace {

struct Parser {
  Options options;
  bool sloppy = false;
  std::vector<std::string> positional;
  std::string action_word;           // what has asked for the action; empty: nothing yet
  std::optional<std::string> error;  // the first one
};

void reject(Parser& parser, std::string message) {
  if (!parser.error) parser.error = std::move(message);
}

void reject_unknown(Parser& parser, std::string_view word) {
  reject(parser, fmt::format("{}: unknown option; --help lists them", word));
}

// Of two words for one action the last one holds.
void choose_action(Parser& parser, Options::Action action, std::string_view word) {
  if (!parser.action_word.empty() && parser.options.action != action) {
    return reject(parser, fmt::format("{}: not together with {}", word, parser.action_word));
  }
  parser.options.action = action;
  parser.action_word = word;
}

// A word of -o that is NAME=VALUE with one of our names. Returns: whether it is.
bool take_own_option(Parser& parser, std::string_view word) {
  const size_t equals = word.find('=');
  const std::string_view name = word.substr(0, equals);
  const Option* const option = find_option(name);
  if (option == nullptr) return false;
  const bool has_value = equals != std::string_view::npos;
  if (!has_value || !option->take(parser.options, word.substr(equals + 1))) {
    reject(parser, fmt::format("{}: {}= takes {}", word, name, option->allowed_text()));
  }
  parser.options.engine.asked_for.emplace(name);
  parser.options.own_words.emplace_back(word);
  return true;
}

void take_word(Parser& parser, std::string_view word) {
  Options& options = parser.options;
  if (take_own_option(parser, word)) return;
  switch (classify_fstab_word(word)) {
    case FstabWord::kSilent:
      break;
    case FstabWord::kIgnored:
      options.ignored_words.emplace_back(word);
      break;
    case FstabWord::kMount:
      options.mount_words.emplace_back(without_scope(word));
      break;
    case FstabWord::kRemount:
      choose_action(parser, Options::Action::kRemount, word);
      break;
    case FstabWord::kUnknown:
      if (!parser.sloppy) return reject_unknown(parser, word);
      options.ignored_words.emplace_back(word);
      break;
  }
}

void take_flag(Parser& parser, std::string_view flag) {
  Options& options = parser.options;
  if (flag == "-f") {
    options.foreground = true;
  } else if (flag == "-d") {
    options.foreground = options.debug = true;
  } else if (flag == "-h" || flag == "--help") {
    choose_action(parser, Options::Action::kHelp, flag);
  } else if (flag == "-V" || flag == "--version") {
    choose_action(parser, Options::Action::kVersion, flag);
  } else if (flag == "--probe" || flag == "--probe=json") {
    choose_action(parser, Options::Action::kProbe, flag);
    options.json = flag == "--probe=json";
  } else if (flag == "--status" || flag == "--status=json") {
    choose_action(parser, Options::Action::kStatus, flag);
    options.json = flag == "--status=json";
  } else if (flag.starts_with("--probe=") || flag.starts_with("--status=")) {
    const std::string_view name = flag.substr(0, flag.find('='));
    reject(parser,
           fmt::format("{}: {}= takes json; {} alone prints text for people", flag, name, name));
  } else {
    reject_unknown(parser, flag);
  }
}

void take_words(Parser& parser, std::string_view text) {
  for (const std::string& word : split_option_words(text)) take_word(parser, word);
}

// Flags may stand before, between and behind SOURCE and MOUNTPOINT, up to "--".
void take_arguments(Parser& parser, std::span<char* const> arguments) {
  bool flags_end = false;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (flags_end || !argument.starts_with('-')) {
      parser.positional.emplace_back(argument);
    } else if (argument == "--") {
      flags_end = true;
    } else if (!argument.starts_with("-o")) {
      take_flag(parser, argument);
    } else if (argument != "-o") {
      take_words(parser, argument.substr(2));
    } else if (++i < arguments.size()) {
      take_words(parser, arguments[i]);
    } else {
      reject(parser, "-o: the options that belong behind it are missing");
    }
  }
}

Result<void> take_positional(Options& options, const std::vector<std::string>& positional) {
  if (options.action == Options::Action::kProbe && !positional.empty()) {
    return failure(EINVAL, fmt::format("{}: one word too many, --probe takes no MOUNTPOINT",
                                       positional.front()));
  }
  const bool wanted = options.action == Options::Action::kMount ||
                      options.action == Options::Action::kRemount ||
                      options.action == Options::Action::kStatus;
  if (!wanted) return outcome::success();
  if (positional.empty()) return failure(EINVAL, "MOUNTPOINT is missing; --help shows the usage");
  const bool takes_source = options.action != Options::Action::kStatus;
  if (positional.size() > (takes_source ? 2 : 1)) {
    return failure(EINVAL, fmt::format("{}: one word too many after {}MOUNTPOINT",
                                       positional.back(), takes_source ? "[SOURCE] " : ""));
  }
  options.mountpoint = positional.back();
  options.source = positional.size() == 2 ? positional.front() : "";
  return outcome::success();
}

std::string set_names(const OperationsRegistry& registry) {
  std::string names = "auto";
  for (const OperationsSet& set : registry.sets()) names += ", " + set.name;
  return names;
}

Result<void> check_ops(const std::string& ops, const OperationsRegistry& registry) {
  if (ops == "auto" || registry.find(ops) != nullptr) return outcome::success();
  return failure(EINVAL, fmt::format("ops={}: ops= takes {}", ops, set_names(registry)));
}

// Precondition: ops is auto or a set's name.
Result<void> check_estimator(const Options& options, const OperationsRegistry& registry) {
  const OperationsSet* const set = registry.find(options.engine.ops);
  const bool pages = options.engine.estimator == EstimatorChoice::kPages;
  const bool exclude = options.engine.excluded != ExcludedPages::kNone;
  const char* const word = pages ? "estimator=pages" : to_option(options.engine.excluded);
  if ((pages || exclude) && set != nullptr && !set->makes_pages()) {
    return failure(EINVAL, fmt::format("{}: ops={} delivers regions", word, set->name));
  }
  if (exclude && options.engine.estimator == EstimatorChoice::kRegions) {
    return failure(EINVAL, fmt::format("{}: not with estimator=regions", word));
  }
  return outcome::success();
}

// Precondition: ops is auto or a set's name.
Result<void> check_regions(const Options& options, const OperationsRegistry& registry) {
  if (!options.engine.kernel_regions) return outcome::success();
  const OperationsSet* const set = registry.find(options.engine.ops);
  if (set == nullptr) {
    return failure(EINVAL,
                   "regions=kernel: not with ops=auto, which may take a set that delivers regions");
  }
  if (set->makes<DeliveredRegions>() || set->makes<Mirror>()) {
    return failure(EINVAL, fmt::format("regions=kernel: ops={} delivers regions", set->name));
  }
  if (options.engine.estimator == EstimatorChoice::kRegions) return outcome::success();
  return failure(EINVAL, "regions=kernel: only with estimator=regions");
}

// Precondition: ops is auto or a set's name.
Result<void> check_ram(const Options& options, const OperationsRegistry& registry) {
  const OperationsSet* const set = registry.find(options.engine.ops);
  if (options.context.ram.kind == RamSelection::Kind::kAll || set == nullptr ||
      set->uses_option("ram")) {
    return outcome::success();
  }
  return failure(EINVAL, fmt::format("ram=: has no effect with ops={}", set->name));
}

Result<void> check_together(const Options& options) {
  const std::string& ops = options.engine.ops;
  if (ops == "sim" && options.context.sim.empty()) {
    return failure(EINVAL, "ops=sim: needs sim=SIZE@PERIOD[+SIZE@PERIOD...] too");
  }
  if (ops != "sim" && !options.context.sim.empty()) {
    return failure(EINVAL, fmt::format("sim=: only with ops=sim, not with ops={}", ops));
  }
  if (ops != "observe" && options.context.kdamond_pid) {
    return failure(EINVAL, fmt::format("kdamond=: only with ops=observe, not with ops={}", ops));
  }
  return validate(options.context.attrs);
}

}  // namespace

Result<Options> parse_options(int argc, char** argv, const OperationsRegistry& registry,
                              bool sloppy) {
  Parser parser;
  parser.sloppy = sloppy;
  parser.options.enabled = kEnabledDefault;
  take_arguments(parser, std::span(argv, static_cast<size_t>(argc)).subspan(1));
  if (parser.error) return failure(EINVAL, *parser.error);
  const Options& options = parser.options;
  BOOST_OUTCOME_TRYV(take_positional(parser.options, parser.positional));
  const bool mounts = options.action == Options::Action::kMount;
  if (mounts || options.action == Options::Action::kRemount ||
      options.action == Options::Action::kProbe) {
    BOOST_OUTCOME_TRYV(check_ops(options.engine.ops, registry));
  }
  if (mounts) {
    BOOST_OUTCOME_TRYV(check_estimator(options, registry));
    BOOST_OUTCOME_TRYV(check_regions(options, registry));
    BOOST_OUTCOME_TRYV(check_ram(options, registry));
    BOOST_OUTCOME_TRYV(check_together(options));
  }
  return options;
}

}  // namespace damon_statfs
