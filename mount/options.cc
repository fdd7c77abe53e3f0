// SPDX-License-Identifier: GPL-2.0-or-later
//
// libfuse's option parser splits the command line; one table here says what our own options mean.
#include "mount/options.h"

#include <fmt/format.h>
#include <fuse_opt.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <string_view>

#include "damon_statfs/version.h"
#include "fs/fuse_messages.h"
#include "mount/fstab_words.h"
#include "mount/values.h"

namespace damon_statfs {
namespace {

// One of our NAME=VALUE options. set() returns false if the value is not allowed.
struct Option {
  const char* name;
  const char* allowed;
  const char* help;
  bool (*set)(Options& options, std::string_view value);
};

template <class Field, class Value>
bool assign(Field& field, const std::optional<Value>& value) {
  if (value) field = *value;
  return value.has_value();
}

bool set_interval(uint64_t& field, std::string_view value) {
  return assign(field, parse_count(value, 0, kMaxIntervalUs));
}

bool set_number(uint64_t& field, std::string_view value) {
  return assign(field, parse_count(value, 0, kMaxCount));
}

bool set_abi(Options& options, std::string_view value) {
  if (value == "6.17") options.abi = Abi::k6_17;
  if (value == "6.18") options.abi = Abi::k6_18;
  if (value == "7.2") options.abi = Abi::k7_2;
  return value == "6.17" || value == "6.18" || value == "7.2";
}

bool set_enabled(Options& options, std::string_view value) {
  options.enabled = value == "Y";
  return value == "Y" || value == "N";
}

bool set_estimator(Options& options, std::string_view value) {
  if (value == "auto") options.engine.estimator = EstimatorChoice::kAuto;
  if (value == "regions") options.engine.estimator = EstimatorChoice::kRegions;
  if (value == "pages") options.engine.estimator = EstimatorChoice::kPages;
  return value == "auto" || value == "regions" || value == "pages";
}

// The daemon leaves the directory that it was started in, so a relative path would mean another
// one.
bool set_rootfs(Options& options, std::string_view value) {
  std::error_code error;
  options.context.rootfs = std::filesystem::absolute(value, error).string();
  return !value.empty() && !error;
}

bool set_untracked(Options& options, std::string_view value) {
  options.engine.exclude_untracked = value == "exclude";
  return value == "exclude" || value == "idle";
}

constexpr char kMicroseconds[] = "microseconds";
constexpr char kNumber[] = "a number";

constexpr std::array kOptions = {
    Option{"ops", "auto or the name of an operations set",
           "where page checks come from (auto); see --probe",
           [](Options& o, std::string_view v) { return !(o.engine.ops = v).empty(); }},
    Option{"estimator", "auto, regions or pages",
           "DAMON's regions, or a random sample of pages (auto: pages where\n"
           "                   the operations set can check single pages)",
           set_estimator},
    Option{"untracked", "idle or exclude",
           "whether memory that no access check can see counts as idle\n"
           "                   (idle) or not at all; estimator=pages only",
           set_untracked},
    Option{"enabled", "Y or N", "whether monitoring is on from the start", set_enabled},
    Option{"abi", "6.17, 6.18 or 7.2", "the kernel whose files are shown (6.17)", set_abi},
    Option{"ram", "all, biggest, span or START-END[+START-END...], in multiples of 4K",
           "which memory is monitored (all)",
           [](Options& o, std::string_view v) { return assign(o.context.ram, parse_ram(v)); }},
    Option{"max_cpu", "a percentage from 0.001 to 100",
           "limit of the engine's CPU time, in % of one CPU (1)",
           [](Options& o, std::string_view v) {
             return assign(o.engine.max_cpu_percent, parse_percent(v));
           }},
    Option{"sim", "SIZE@PERIOD[+SIZE@PERIOD...], such as 4G@10ms+1T@never", "memory of ops=sim",
           [](Options& o, std::string_view v) { return assign(o.context.sim, parse_sim(v)); }},
    Option{
        "kdamond", "the process id of a kdamond", "whose events ops=observe reads",
        [](Options& o, std::string_view v) { return assign(o.context.kdamond_pid, parse_pid(v)); }},
    Option{"seed", kNumber, "of the random source (0: another at each start)",
           [](Options& o, std::string_view v) {
             return assign(o.engine.seed, parse_count(v, 0, ~uint64_t{0}));
           }},
    Option{"refresh_ms", "milliseconds", "least time between two refreshes of the values (5000)",
           [](Options& o, std::string_view v) {
             return assign(o.context.refresh_ms, parse_count(v, 0, kMaxIntervalUs / 1000));
           }},
    Option{"rootfs", "a directory", "put before /proc, /sys and /run (containers, tests)",
           set_rootfs},
    Option{
        "sample_us", kMicroseconds, "sampling interval (5000)",
        [](Options& o, std::string_view v) { return set_interval(o.context.attrs.sample_us, v); }},
    Option{"aggr_us", kMicroseconds, "aggregation interval (100000)",
           [](Options& o, std::string_view v) { return set_interval(o.context.attrs.aggr_us, v); }},
    Option{
        "update_us", kMicroseconds, "how often the memory ranges are read again (60000000)",
        [](Options& o, std::string_view v) { return set_interval(o.context.attrs.update_us, v); }},
    Option{"min_nr_regions", kNumber, "least number of regions (10)",
           [](Options& o, std::string_view v) {
             return set_number(o.context.attrs.min_nr_regions, v);
           }},
    Option{"max_nr_regions", kNumber, "greatest number of regions (1000)",
           [](Options& o, std::string_view v) {
             return set_number(o.context.attrs.max_nr_regions, v);
           }},
    Option{"access_bp", kNumber, "share of accesses that the tuning aims at, in 1/10000 (400)",
           [](Options& o, std::string_view v) {
             return set_number(o.context.attrs.goal.access_bp, v);
           }},
    Option{
        "aggrs", kNumber, "tune the intervals every so many aggregations; 0: never (3)",
        [](Options& o, std::string_view v) { return set_number(o.context.attrs.goal.aggrs, v); }},
    Option{"min_sample_us", kMicroseconds, "shortest tuned sampling interval (5000)",
           [](Options& o, std::string_view v) {
             return set_interval(o.context.attrs.goal.min_sample_us, v);
           }},
    Option{"max_sample_us", kMicroseconds, "longest tuned sampling interval (10000000)",
           [](Options& o, std::string_view v) {
             return set_interval(o.context.attrs.goal.max_sample_us, v);
           }},
};

struct Parser {
  Options options;
  bool sloppy = false;
  std::vector<std::string> positional;
  std::optional<std::string> error;  // the first one
};

constexpr int kTaken = 0;

int reject(Parser& parser, std::string message) {
  if (!parser.error) parser.error = std::move(message);
  return kTaken;
}

int reject_unknown(Parser& parser, std::string_view word) {
  return reject(parser, fmt::format("{}: unknown option; --help lists them", word));
}

// A word of -o that is NAME=VALUE with one of our names. Returns: whether it is.
bool take_own_option(Parser& parser, std::string_view word) {
  const size_t equals = word.find('=');
  const std::string_view name = word.substr(0, equals);
  const auto option = std::find_if(kOptions.begin(), kOptions.end(),
                                   [&](const Option& candidate) { return candidate.name == name; });
  if (option == kOptions.end()) return false;
  const bool has_value = equals != std::string_view::npos;
  if (!has_value || !option->set(parser.options, word.substr(equals + 1))) {
    reject(parser, fmt::format("{}: {}= takes {}", word, name, option->allowed));
  }
  return true;
}

int take_word(Parser& parser, std::string_view word) {
  Options& options = parser.options;
  if (take_own_option(parser, word)) return kTaken;
  switch (classify_fstab_word(word)) {
    case FstabWord::kSilent:
      break;
    case FstabWord::kIgnored:
      options.ignored_words.emplace_back(word);
      break;
    case FstabWord::kMount:
      options.mount_words.emplace_back(word);
      break;
    case FstabWord::kRemount:
      options.action = Options::Action::kRemount;
      break;
    case FstabWord::kUnknown:
      if (!parser.sloppy) return reject_unknown(parser, word);
      options.ignored_words.emplace_back(word);
      break;
  }
  return kTaken;
}

int take_flag(Parser& parser, std::string_view flag) {
  Options& options = parser.options;
  if (flag == "-f") {
    options.foreground = true;
  } else if (flag == "-d") {
    options.foreground = options.debug = true;
  } else if (flag == "-h" || flag == "--help") {
    options.action = Options::Action::kHelp;
  } else if (flag == "-V" || flag == "--version") {
    options.action = Options::Action::kVersion;
  } else if (flag == "--probe" || flag == "--probe=json") {
    options.action = Options::Action::kProbe;
    options.json = flag == "--probe=json";
  } else if (flag == "--status" || flag == "--status=json") {
    options.action = Options::Action::kStatus;
    options.json = flag == "--status=json";
  } else if (flag.starts_with("--probe=") || flag.starts_with("--status=")) {
    const std::string_view name = flag.substr(0, flag.find('='));
    return reject(parser, fmt::format("{}: {}= takes json; {} alone prints text for people", flag,
                                      name, name));
  } else {
    return reject_unknown(parser, flag);
  }
  return kTaken;
}

// libfuse's callback. For it, -x and a word x of -o are both FUSE_OPT_KEY_OPT.
int take_argument(void* data, const char* argument, int key, fuse_args*) noexcept {
  auto& parser = *static_cast<Parser*>(data);
  try {
    if (key == FUSE_OPT_KEY_NONOPT) {
      parser.positional.emplace_back(argument);
      return kTaken;
    }
    return argument[0] == '-' ? take_flag(parser, argument) : take_word(parser, argument);
  } catch (...) {
    return -1;
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
  const bool exclude = options.engine.exclude_untracked;
  const char* const word = pages ? "estimator=pages" : "untracked=exclude";
  if ((pages || exclude) && set != nullptr && !set->checks_pages) {
    return failure(EINVAL, fmt::format("{}: ops={} delivers regions", word, set->name));
  }
  if (exclude && options.engine.estimator == EstimatorChoice::kRegions) {
    return failure(EINVAL, "untracked=exclude: not with estimator=regions");
  }
  return outcome::success();
}

// For estimator=pages only one of auto's sets will do.
void narrow_auto(Options& options, const OperationsRegistry& registry) {
  if (options.engine.ops != "auto" || options.engine.estimator != EstimatorChoice::kPages) return;
  for (const OperationsSet& set : registry.sets()) {
    if (set.automatic && set.checks_pages) options.engine.ops = set.name;
  }
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
  fuse_args args = FUSE_ARGS_INIT(argc, argv);
  const FuseMessages messages;
  const int parsed = fuse_opt_parse(&args, &parser, nullptr, take_argument);
  fuse_opt_free_args(&args);
  if (parser.error) return failure(EINVAL, *parser.error);
  if (parsed != 0) return failure(EINVAL, messages.text_or("bad command line"));
  const Options& options = parser.options;
  BOOST_OUTCOME_TRYV(take_positional(parser.options, parser.positional));
  const bool mounts = options.action == Options::Action::kMount;
  if (mounts || options.action == Options::Action::kProbe) {
    BOOST_OUTCOME_TRYV(check_ops(options.engine.ops, registry));
  }
  if (mounts) {
    BOOST_OUTCOME_TRYV(check_estimator(options, registry));
    BOOST_OUTCOME_TRYV(check_together(options));
    narrow_auto(parser.options, registry);
  }
  return options;
}

std::string usage() {
  std::string text =
      "usage: damon-statfs [-f] [-d] [-o OPT[,OPT...]] [SOURCE] MOUNTPOINT\n"
      "       damon-statfs --probe[=json] [-o OPT[,OPT...]] | --help | --version\n"
      "       damon-statfs --status[=json] MOUNTPOINT\n\n"
      "Shows how hot and how cold this machine's memory is, in the files of\n"
      "/sys/module/damon_stat/parameters, at MOUNTPOINT.\n\n"
      "  -f         stay in the foreground, log to standard error\n"
      "  -d         the same, and tell every FUSE request and aggregation\n"
      "  --probe    tell which operations sets are usable on this machine;\n"
      "             --probe=json: the same for scripts\n"
      "  --status   tell how the daemon of a mount is doing; =json: for scripts\n\n"
      "options for -o, with their defaults:\n";
  for (const Option& option : kOptions) {
    text += fmt::format("  {:<16} {}\n", fmt::format("{}=", option.name), option.help);
  }
  return text;
}

}  // namespace damon_statfs
