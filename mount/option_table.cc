// SPDX-License-Identifier: GPL-2.0-or-later
//
// A new option is one row here, one paragraph in the manual, and a word in the completion.
#include "mount/option_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <limits>
#include <optional>

#include "mount/values.h"

namespace damon_statfs {
namespace {

constexpr NumberRange kIntervals{"microseconds", 0, kMaxIntervalUs};
constexpr NumberRange kRefresh{"milliseconds", 0, kMaxIntervalUs / 1000};
constexpr NumberRange kRegions{"a number", kMinRegions, kMaxRegions};
constexpr NumberRange kCounts{"a number", 0, kMaxCount};
constexpr NumberRange kSeeds{"a number", 0, std::numeric_limits<uint64_t>::max()};

template <class Field, class Value>
bool assign(Field& field, const std::optional<Value>& value) {
  if (value) field = *value;
  return value.has_value();
}

bool set_ops(Options& options, std::string_view value) {
  options.engine.ops = value;
  return !value.empty();
}

bool set_abi(Options& options, std::string_view value) {
  if (value == "6.17") options.abi = Abi::k6_17;
  if (value == "6.18") options.abi = Abi::k6_18;
  if (value == "7.2") options.abi = Abi::k7_2;
  return value == "6.17" || value == "6.18" || value == "7.2";
}

// What the file takes, with whatever abi=.
bool set_enabled(Options& options, std::string_view value) {
  return assign(options.enabled, parse_bool(value, Abi::k7_2));
}

bool set_estimator(Options& options, std::string_view value) {
  if (value == "auto") options.engine.estimator = EstimatorChoice::kAuto;
  if (value == "regions") options.engine.estimator = EstimatorChoice::kRegions;
  if (value == "pages") options.engine.estimator = EstimatorChoice::kPages;
  return value == "auto" || value == "regions" || value == "pages";
}

bool set_regions_rules(Options& options, std::string_view value) {
  options.engine.kernel_regions = value == "kernel";
  return value == "kernel" || value == "refined";
}

bool set_untracked(Options& options, std::string_view value) {
  if (value == "idle") options.engine.excluded = ExcludedPages::kNone;
  if (value == "exclude") options.engine.excluded = ExcludedPages::kUntracked;
  if (value == "exclude_unmapped") options.engine.excluded = ExcludedPages::kUnmapped;
  return value == "idle" || value == "exclude" || value == "exclude_unmapped";
}

bool set_damon_stat(Options& options, std::string_view value) {
  options.context.yield_damon_stat = value == "yield";
  return value == "yield" || value == "keep";
}

bool set_ram(Options& options, std::string_view value) {
  return assign(options.context.ram, parse_ram(value));
}

bool set_max_cpu(Options& options, std::string_view value) {
  return assign(options.engine.max_cpu_percent, parse_percent(value));
}

bool set_sim(Options& options, std::string_view value) {
  return assign(options.context.sim, parse_sim(value));
}

bool set_kdamond(Options& options, std::string_view value) {
  return assign(options.context.kdamond_pid, parse_pid(value));
}

// The daemon leaves the directory that it was started in, so a relative path would mean another
// one.
bool set_rootfs(Options& options, std::string_view value) {
  std::error_code error;
  options.context.rootfs = std::filesystem::absolute(value, error).string();
  return !value.empty() && !error;
}

constexpr Option text_option(const char* name, const char* syntax, const char* standard,
                             const char* help, const char* allowed,
                             bool (*set)(Options& options, std::string_view value)) {
  return {name, syntax, standard, help, allowed, set, nullptr, nullptr};
}

constexpr Option number_option(const char* name, const char* syntax, const char* standard,
                               const char* help, const NumberRange& range,
                               uint64_t& (*number)(Options& options)) {
  return {name, syntax, standard, help, nullptr, nullptr, &range, number};
}

constexpr Option changeable(Option option) {
  option.changeable = true;
  return option;
}

constexpr std::array kOptions = {
    text_option("ops", "SET", "auto",
                "where accesses are seen: auto, damon_stat, kdamond, page_idle, observe\n"
                "or sim; --probe tells which of them work here",
                "auto or the name of an operations set", set_ops),
    changeable(text_option("enabled", "Y|N", nullptr, "whether monitoring is on from the start",
                           "Y or N, or another word that the file takes, such as 1, 0, on or off",
                           set_enabled)),
    text_option("abi", "6.17|6.18|7.2", "6.17", "the kernel whose files are shown",
                "6.17, 6.18 or 7.2", set_abi),
    text_option("ram", "all|biggest|span|START-END[+START-END...]", "all",
                "which memory is monitored; addresses are multiples of 4K, decimal,\n"
                "0x... or with K, M, G, T or P",
                "all, biggest, span or START-END[+START-END...], ascending, in multiples of 4K: "
                "decimal, 0x... or with K, M, G, T or P",
                set_ram),
    text_option("estimator", "auto|regions|pages", "auto",
                "DAMON's regions, or a random sample of pages; auto: pages where the\n"
                "operations set can sample single pages",
                "auto, regions or pages", set_estimator),
    text_option("regions", "refined|kernel", "refined",
                "whether estimator=regions merges and dates regions by rules of its own,\n"
                "or exactly as the kernel's DAMON, to compare with it",
                "refined or kernel", set_regions_rules),
    text_option("untracked", "idle|exclude|exclude_unmapped", "idle",
                "whether memory that no access check can see counts as idle or not at\n"
                "all; exclude_unmapped: nor does page cache that nothing maps; both\n"
                "with the estimator pages only",
                "idle, exclude or exclude_unmapped", set_untracked),
    changeable(text_option("max_cpu", "PERCENT", "1",
                           "limit of the engine's CPU time, in % of one CPU, from 0.001 to 100",
                           "a percentage from 0.001 to 100", set_max_cpu)),
    text_option("sim", "SIZE@PERIOD[+SIZE@PERIOD...]", nullptr,
                "memory of ops=sim: sizes are multiples of 4K, with K, M, G, T or P;\n"
                "periods have us, ms or s, or are never: sim=4G@10ms+1T@never",
                "SIZE@PERIOD[+SIZE@PERIOD...], such as 4G@10ms+1T@never: sizes are multiples of 4K "
                "with K, M, G, T or P, periods have us, ms or s, or are never",
                set_sim),
    text_option("damon_stat", "keep|yield", "keep",
                "what becomes of the kernel's DAMON_STAT, where it is on and keeps kdamond\n"
                "and page_idle out: yield switches it off while they monitor",
                "keep or yield", set_damon_stat),
    text_option("kdamond", "PID", nullptr, "the kdamond whose events ops=observe reads",
                "the process id of a kdamond, from 1 to 2147483647", set_kdamond),
    changeable(number_option("refresh_ms", "MS", "5000",
                             "least time between two refreshes of the values", kRefresh,
                             [](Options& o) -> uint64_t& { return o.context.refresh_ms; })),
    number_option("sample_us", "US", "5000", "sampling interval", kIntervals,
                  [](Options& o) -> uint64_t& { return o.context.attrs.sample_us; }),
    number_option("aggr_us", "US", "100000", "aggregation interval", kIntervals,
                  [](Options& o) -> uint64_t& { return o.context.attrs.aggr_us; }),
    number_option("update_us", "US", "60000000", "how often the memory ranges are read again",
                  kIntervals, [](Options& o) -> uint64_t& { return o.context.attrs.update_us; }),
    number_option("min_nr_regions", "N", "10", "least number of regions, from 3", kRegions,
                  [](Options& o) -> uint64_t& { return o.context.attrs.min_nr_regions; }),
    number_option("max_nr_regions", "N", "1000", "greatest number of regions, to 100000", kRegions,
                  [](Options& o) -> uint64_t& { return o.context.attrs.max_nr_regions; }),
    changeable(number_option(
        "access_bp", "N", "400",
        "share of accesses that the tuning of the intervals aims at, in 1/10000", kCounts,
        [](Options& o) -> uint64_t& { return o.context.attrs.goal.access_bp; })),
    changeable(number_option(
        "aggrs", "N", "3", "the intervals are tuned every so many aggregations; 0: never", kCounts,
        [](Options& o) -> uint64_t& { return o.context.attrs.goal.aggrs; })),
    changeable(
        number_option("min_sample_us", "US", "5000", "shortest tuned sampling interval", kIntervals,
                      [](Options& o) -> uint64_t& { return o.context.attrs.goal.min_sample_us; })),
    changeable(number_option(
        "max_sample_us", "US", "10000000", "longest tuned sampling interval", kIntervals,
        [](Options& o) -> uint64_t& { return o.context.attrs.goal.max_sample_us; })),
    number_option("seed", "N", "0", "of the random source; 0: another one at each start", kSeeds,
                  [](Options& o) -> uint64_t& { return o.engine.seed; }),
    text_option("rootfs", "DIR", nullptr, "put before /proc, /sys and /run (containers, tests)",
                "a directory", set_rootfs),
};

}  // namespace

bool Option::take(Options& options, std::string_view value) const {
  if (range == nullptr) return set(options, value);
  return assign(number(options), parse_count(value, range->min, range->max));
}

std::string Option::allowed_text() const {
  if (range == nullptr) return allowed;
  return fmt::format("{} from {} to {}", range->unit, range->min, range->max);
}

std::span<const Option> all_options() { return kOptions; }

const Option* find_option(std::string_view name) {
  const auto option = std::find_if(kOptions.begin(), kOptions.end(),
                                   [&](const Option& candidate) { return candidate.name == name; });
  return option == kOptions.end() ? nullptr : &*option;
}

}  // namespace damon_statfs
