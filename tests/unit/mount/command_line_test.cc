// SPDX-License-Identifier: GPL-2.0-or-later
//
// The command line as people type it and as mount(8) passes it on: spec/parameters.md section 4.
// Bad words are named, and nothing is guessed.
#include "mount/command_line.h"

#include <cerrno>
#include <string_view>

#include "damon_statfs/version.h"
#include "support/catch.h"
#include "support/fake_operations.h"

namespace damon_statfs {
namespace {

Result<Options> parse(std::vector<std::string> words,
                      const OperationsRegistry& registry = built_in_operations()) {
  words.insert(words.begin(), "damon-statfs");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  return parse_options(static_cast<int>(words.size()), argv.data(), registry);
}

Result<Options> parse_o(const std::string& words) { return parse({"-o", words, "/mnt"}); }

TEST_CASE("the defaults", "[options]") {
  const Options options = parse({"/mnt"}).value();
  CHECK(options.action == Options::Action::kMount);
  CHECK(options.mountpoint == "/mnt");
  CHECK_FALSE(options.foreground);
  CHECK_FALSE(options.debug);
  CHECK(options.enabled == kEnabledDefault);
  CHECK(options.abi == Abi::k6_17);
  CHECK(options.engine.ops == "auto");
  CHECK(options.context.attrs == MonitoringAttrs());
  CHECK(options.context.refresh_ms == 5000);
  CHECK(options.engine.max_cpu_percent == 1.0);
  CHECK(options.engine.seed == 0);
  CHECK(options.context.ram.kind == RamSelection::Kind::kAll);
  CHECK(options.context.rootfs.empty());
  CHECK_FALSE(options.context.kdamond_pid);
}

TEST_CASE("forms of the command line", "[options]") {
  struct Row {
    std::vector<std::string> words;
    std::string source;
    bool foreground, debug;
  };
  const Row rows[] = {
      {{"/mnt"}, "", false, false},
      {{"-f", "/mnt"}, "", true, false},
      {{"/mnt", "-f"}, "", true, false},
      {{"-d", "/mnt"}, "", true, true},
      {{"src", "/mnt"}, "src", false, false},
      {{"src", "/mnt", "-o", "rw,dev,suid"}, "src", false, false},  // mount(8)
      {{"-o", "abi=7.2", "-f", "src", "/mnt"}, "src", true, false},
      {{"-oabi=7.2", "/mnt"}, "", false, false},
      {{"-o", "ro", "-o", "noexec", "/mnt"}, "", false, false},
  };
  for (const Row& row : rows) {
    const auto options = parse(row.words);
    CAPTURE(row.words);
    REQUIRE(options);
    CHECK(options.value().mountpoint == "/mnt");
    CHECK(options.value().source == row.source);
    CHECK(options.value().foreground == row.foreground);
    CHECK(options.value().debug == row.debug);
  }
}

TEST_CASE("actions", "[options]") {
  using Action = Options::Action;
  CHECK(parse({"--help"}).value().action == Action::kHelp);
  CHECK(parse({"-h"}).value().action == Action::kHelp);
  CHECK(parse({"--version"}).value().action == Action::kVersion);
  CHECK(parse({"-V"}).value().action == Action::kVersion);
  CHECK(parse({"--probe"}).value().action == Action::kProbe);
  CHECK_FALSE(parse({"--probe"}).value().json);
  CHECK(parse({"--probe=json"}).value().action == Action::kProbe);
  CHECK(parse({"--probe=json"}).value().json);
  CHECK_FALSE(parse({"--probe=json", "--probe"}).value().json);  // the last one holds
  CHECK(parse({"--status", "/mnt"}).value().action == Action::kStatus);
  CHECK(parse({"--status", "/mnt"}).value().mountpoint == "/mnt");
  CHECK_FALSE(parse({"--status", "/mnt"}).value().json);
  CHECK(parse({"--status=json", "/mnt"}).value().json);
  CHECK_FALSE(parse({"--status"}));
  CHECK_FALSE(parse({"--status", "source", "/mnt"}));
  CHECK_FALSE(parse({"--status=xml", "/mnt"}));
  CHECK(parse({"src", "/mnt", "-o", "ro,remount"}).value().action == Action::kRemount);
}

TEST_CASE("empty words of -o are nothing", "[options]") {
  for (const char* const words : {"", ",", ",,", "ro,,noatime", ",ro", "ro,"}) {
    CAPTURE(words);
    const auto options = parse_o(words);
    REQUIRE(options);
    CHECK(options.value().action == Options::Action::kMount);
    CHECK(options.value().mountpoint == "/mnt");
  }
  CHECK(parse({"-f", "-o", "", "damon-statfs", "/mnt"}).value().source == "damon-statfs");
}

TEST_CASE("what was asked for is known by name", "[options]") {
  const Options options = parse_o("ro,sample_us=5000,abi=6.17").value();
  CHECK(options.engine.asked_for == std::set<std::string, std::less<>>{"abi", "sample_us"});
}

TEST_CASE("mount -s leaves out what is not known, and nothing else", "[options]") {
  const auto parse_sloppy = [](const std::string& text) {
    std::vector<std::string> words = {"mount.damon-statfs", "-o", text, "src", "/mnt"};
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    return parse_options(5, argv.data(), built_in_operations(), true);
  };
  CHECK(parse_sloppy("ro,foo=bar,nofails").value().ignored_words ==
        std::vector<std::string>{"foo=bar", "nofails"});
  CHECK_FALSE(parse_sloppy("enabled=maybe"));
}

TEST_CASE("options for --probe count, and need not fit to one set", "[options]") {
  const Options options = parse({"--probe", "-o", "rootfs=/r,kdamond=4711,sim=1G@10ms"}).value();
  CHECK(options.context.rootfs == "/r");
  CHECK(options.context.kdamond_pid == 4711);
  CHECK(options.context.sim.size() == 1);
}

TEST_CASE("kdamond= belongs to ops=observe", "[options]") {
  OperationsRegistry registry = built_in_operations();
  if (registry.find("observe") == nullptr) registry.add(test::fake_operations("observe")).value();
  const Options options = parse({"-o", "ops=observe,kdamond=4711", "/mnt"}, registry).value();
  CHECK(options.context.kdamond_pid == 4711);
  CHECK(parse({"-o", "ops=observe", "/mnt"}, registry));
  const auto refused = parse({"-o", "ops=page_idle,kdamond=4711", "/mnt"}, registry);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().context == "kdamond=: only with ops=observe, not with ops=page_idle");
}

TEST_CASE("ram= is refused where it has no effect", "[options]") {
  const OperationsRegistry registry = built_in_operations();
  for (const char* const ops : {"sim,sim=1G@never", "damon_stat", "observe"}) {
    for (const char* const ram : {"biggest", "span", "0-1G"}) {
      CAPTURE(ops, ram);
      const std::string words = fmt::format("ops={},ram={}", ops, ram);
      const auto refused = parse({"-o", words.c_str(), "/mnt"}, registry);
      REQUIRE_FALSE(refused);
      const std::string name(ops, strcspn(ops, ","));
      CHECK(refused.error().context == "ram=: has no effect with ops=" + name);
    }
    CHECK(parse({"-o", fmt::format("ops={},ram=all", ops).c_str(), "/mnt"}, registry));
  }
  for (const char* const ops : {"auto", "page_idle", "kdamond"}) {
    CAPTURE(ops);
    CHECK(parse({"-o", fmt::format("ops={},ram=0-1G", ops).c_str(), "/mnt"}, registry));
  }
}

TEST_CASE("damon_stat=yield is refused where DAMON_STAT is not in the way", "[options]") {
  CHECK_FALSE(parse({"/mnt"}).value().context.yield_damon_stat);
  for (const std::string ops : {"auto", "kdamond", "page_idle"}) {
    CAPTURE(ops);
    CHECK(parse_o("ops=" + ops + ",damon_stat=yield").value().context.yield_damon_stat);
    CHECK_FALSE(parse_o("damon_stat=keep,ops=" + ops).value().context.yield_damon_stat);
  }
  for (const std::string ops : {"damon_stat", "observe", "sim"}) {
    const std::string words = "ops=" + ops + (ops == "sim" ? ",sim=1G@1s" : "");
    CHECK(parse_o(words + ",damon_stat=keep"));
    const auto refused = parse_o(words + ",damon_stat=yield");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code.value() == EINVAL);
    CHECK(refused.error().context ==
          "damon_stat=yield: only with ops=page_idle, ops=kdamond, ops=auto, not with ops=" + ops);
  }
}

TEST_CASE("every option sets its own field", "[options]") {
  const Options options =
      parse_o(
          "ops=sim,sim=1G@10ms+4K@never,enabled=Y,abi=6.18,max_cpu=12.5,seed=99,"
          "refresh_ms=250,sample_us=7,aggr_us=70,update_us=9,min_nr_regions=3,"
          "max_nr_regions=77,access_bp=11,aggrs=2,min_sample_us=6,max_sample_us=8,rootfs=/r")
          .value();
  CHECK(options.engine.ops == "sim");
  CHECK(options.context.sim.size() == 2);
  CHECK(options.enabled);
  CHECK(options.abi == Abi::k6_18);
  CHECK(parse_o("ram=biggest").value().context.ram.kind == RamSelection::Kind::kBiggest);
  CHECK(options.engine.max_cpu_percent == 12.5);
  CHECK(options.engine.seed == 99);
  CHECK(options.context.refresh_ms == 250);
  CHECK(options.context.attrs == MonitoringAttrs{7, 70, 9, 3, 77, {11, 2, 6, 8}});
  CHECK(options.context.rootfs == "/r");
  CHECK_FALSE(parse_o("enabled=N").value().enabled);
  CHECK(parse_o("abi=7.2").value().abi == Abi::k7_2);
  CHECK(parse_o("abi=6.18,abi=6.17").value().abi == Abi::k6_17);  // the last one holds
}

TEST_CASE("the words of fstab, as mount(8) passes them", "[options]") {
  for (const char* const words :
       {"rw,dev,suid", "rw,allow_other,dev,suid", "rw,nosuid,nodev,noexec,noatime,uid=5",
        "ro,relatime,noexec,nosuid,nodev,allow_other", "rw,dev,suid,exec", "defaults",
        "nofail,_netdev,noauto,user,users,owner,group,x-systemd.mount-timeout=10s,comment=hi",
        "rw,relatime,user_id=0,group_id=0", "X-mount.mkdir,default_permissions", "async,atime"}) {
    CAPTURE(words);
    CHECK(parse({"damon_stat", "/run/damon_stat", "-o", words}));
  }
}

TEST_CASE("words for the mount, and words without effect", "[options]") {
  using Words = std::vector<std::string>;
  CHECK(parse_o("ro=recursive,nosymfollow").value().mount_words == Words{"ro", "nosymfollow"});
  CHECK(parse_o(R"(context="a:b,c",rw)").value().mount_words == Words{R"(context="a:b,c")"});
  CHECK(parse_o("ro,nosuid").value().mount_words == Words{"ro"});
  CHECK(parse_o("rw,noatime").value().mount_words == Words{"noatime"});
  CHECK(parse_o("rw,dev,suid,nofail").value().mount_words.empty());
  CHECK(parse_o("uid=5,auto_unmount").value().ignored_words == Words{"uid=5", "auto_unmount"});
  CHECK(parse_o("rw,defaults,allow_other").value().ignored_words.empty());
}

struct BadCase {
  std::vector<std::string> words;
  const char* named;    // what the line has to name
  const char* allowed;  // and what it has to say is allowed
};

TEST_CASE("bad input: one line that names the word and what is allowed", "[options]") {
  const BadCase cases[] = {
      {{}, "MOUNTPOINT", ""},
      {{"-f"}, "MOUNTPOINT", ""},
      {{"a", "b", "c"}, "c", ""},
      {{"-x", "/mnt"}, "-x", "--help"},
      {{"--nosuch", "/mnt"}, "--nosuch", "--help"},
      {{"-o", "foo=bar", "/mnt"}, "foo=bar", "--help"},
      {{"-o", "rw,nosuch,dev", "/mnt"}, "nosuch", "--help"},
      {{"-o", "xyz", "/mnt"}, "xyz", "--help"},
      {{"-o", "allow_otherx", "/mnt"}, "allow_otherx", "--help"},
      {{"-o", "auto_unmountx", "/mnt"}, "auto_unmountx", "--help"},
      {{"-o", "allow_rootx", "/mnt"}, "allow_rootx", "--help"},
      {{"-o", "sample_usx=1", "/mnt"}, "sample_usx=1", "--help"},
      {{"-o", "ops=nosuch", "/mnt"}, "ops=nosuch", "page_idle"},
      {{"-o", "ops=", "/mnt"}, "ops=", "auto"},
      {{"-o", "ops", "/mnt"}, "ops", "auto"},
      {{"-o", "ops=sim", "/mnt"}, "ops=sim", "SIZE@PERIOD"},
      {{"-o", "sim=1G@1ms", "/mnt"}, "sim=", "ops=sim"},
      {{"-o", "estimator=page", "/mnt"}, "estimator=page", "auto, regions or pages"},
      {{"-o", "estimator=", "/mnt"}, "estimator=", "auto, regions or pages"},
      {{"-o", "estimator", "/mnt"}, "estimator", "auto, regions or pages"},
      {{"-o", "regions=ours", "/mnt"}, "regions=ours", "refined or kernel"},
      {{"-o", "regions", "/mnt"}, "regions", "refined or kernel"},
      {{"-o", "untracked=no", "/mnt"}, "untracked=no", "idle, exclude or exclude_unmapped"},
      {{"-o", "untracked", "/mnt"}, "untracked", "idle, exclude or exclude_unmapped"},
      {{"-o", "untracked=exclude,estimator=regions", "/mnt"}, "untracked=exclude:", "regions"},
      {{"-o", "estimator=regions,untracked=exclude_unmapped", "/mnt"},
       "untracked=exclude_unmapped:",
       "regions"},
      {{"-o", "kdamond=1", "/mnt"}, "kdamond=", "ops=observe"},
      {{"-o", "kdamond=abc", "/mnt"}, "kdamond=abc", "process id"},
      {{"-o", "kdamond=0", "/mnt"}, "kdamond=0", "process id"},
      {{"-o", "kdamond=99999999999", "/mnt"}, "kdamond=99999999999", "process id"},
      {{"--probe=other"}, "--probe=other", "json"},
      {{"--probe="}, "--probe=", "json"},
      {{"--probe=json,table"}, "--probe=json,table", "json"},
      {{"--probejson"}, "--probejson", "--help"},
      {{"--probe", "json"}, "json", "--probe"},
      {{"--probe", "-o", "ops=nosuch"}, "ops=nosuch", "page_idle"},
      {{"--probe", "-o", "kdamond=0"}, "kdamond=0", "process id"},
      {{"-o", "ops=sim,sim=1G", "/mnt"}, "sim=1G", "SIZE@PERIOD"},
      {{"-o", "abi=6.16", "/mnt"}, "abi=6.16", "6.17, 6.18 or 7.2"},
      {{"-o", "abi=", "/mnt"}, "abi=", "6.17, 6.18 or 7.2"},
      {{"-o", "abi=6.170", "/mnt"}, "abi=6.170", "6.17, 6.18 or 7.2"},
      {{"-o", "enabled=2", "/mnt"}, "enabled=2", "Y or N"},
      {{"-o", "enabled", "/mnt"}, "enabled", "Y or N"},
      {{"-o", "ram=2G-1G", "/mnt"}, "ram=2G-1G", "START-END"},
      {{"-o", "ram=most", "/mnt"}, "ram=most", "biggest"},
      {{"-o", "max_cpu=0", "/mnt"}, "max_cpu=0", "100"},
      {{"-o", "max_cpu=101", "/mnt"}, "max_cpu=101", "100"},
      {{"-o", "seed=-1", "/mnt"}, "seed=-1", "number"},
      {{"-o", "refresh_ms=5s", "/mnt"}, "refresh_ms=5s", "milliseconds"},
      {{"-o", "sample_us=5ms", "/mnt"}, "sample_us=5ms", "microseconds"},
      {{"-o", "aggr_us=18446744073709551615", "/mnt"}, "aggr_us=", "microseconds"},
      {{"-o", "min_nr_regions=99999999999", "/mnt"}, "min_nr_regions=", "from 3 to 100000"},
      {{"-o", "min_nr_regions=2147483648", "/mnt"}, "min_nr_regions=", "from 3 to 100000"},
      {{"-o", "ro,-V", "/mnt"}, "-V", "--help"},
      {{"-o", "-f", "/mnt"}, "-f", "--help"},
      {{"-o", "ro,--help,rw", "/mnt"}, "--help", "unknown option"},
      {{"-o--probe", "/mnt"}, "--probe", "unknown option"},
      {{"/mnt", "-o"}, "-o", "missing"},
      {{"--probe", "--status", "/mnt"}, "--status", "--probe"},
      {{"--status=json", "/mnt", "--probe=json"}, "--probe=json", "--status=json"},
      {{"--help", "--version"}, "--version", "--help"},
      {{"-V", "-h"}, "-h", "-V"},
      {{"--status", "-o", "remount", "/mnt"}, "remount", "--status"},
      // What the kernel would refuse.
      {{"-o", "min_nr_regions=2", "/mnt"}, "min_nr_regions=2", "3"},
      {{"-o", "min_nr_regions=20,max_nr_regions=19", "/mnt"}, "max_nr_regions=19", "20"},
      {{"-o", "aggr_us=4999", "/mnt"}, "aggr_us=4999", "5000"},
      {{"-o", "sample_us=4999", "/mnt"}, "sample_us=4999", "5000"},
      {{"-o", "max_sample_us=4000", "/mnt"}, "max_sample_us=4000", "5000"},
  };
  for (const BadCase& tried : cases) {
    CAPTURE(tried.words);
    const auto options = parse(tried.words);
    CHECK_FALSE(options);
    if (options) continue;
    const std::string& line = options.error().context;
    CAPTURE(line);
    CHECK(options.error().code.value() == EINVAL);
    CHECK(line.find(tried.named) != std::string::npos);
    CHECK(line.find(tried.allowed) != std::string::npos);
    CHECK(line.find('\n') == std::string::npos);
  }
}

TEST_CASE("aggrs=0 turns tuning off, and its rules", "[options]") {
  CHECK(parse_o("aggrs=0,sample_us=100,aggr_us=2000"));
  CHECK_FALSE(parse_o("sample_us=100,aggr_us=2000"));
}

TEST_CASE("estimator= and untracked=", "[options]") {
  const Options defaults = parse({"/mnt"}).value();
  CHECK(defaults.engine.estimator == EstimatorChoice::kAuto);
  CHECK(defaults.engine.excluded == ExcludedPages::kNone);
  const std::string sim = "ops=sim,sim=1G@1s,";
  CHECK(parse_o(sim + "estimator=auto").value().engine.estimator == EstimatorChoice::kAuto);
  CHECK(parse_o(sim + "estimator=pages").value().engine.estimator == EstimatorChoice::kPages);
  CHECK(parse_o(sim + "estimator=regions").value().engine.estimator == EstimatorChoice::kRegions);
  const auto excluded = [&](const std::string& words) {
    return parse_o(sim + words).value().engine.excluded;
  };
  CHECK(excluded("untracked=exclude") == ExcludedPages::kUntracked);
  CHECK(excluded("untracked=exclude_unmapped") == ExcludedPages::kUnmapped);
  CHECK(excluded("untracked=exclude,untracked=idle") == ExcludedPages::kNone);
  CHECK(parse_o("ops=page_idle,estimator=pages,untracked=exclude"));
  CHECK(parse_o("ops=kdamond,estimator=pages,untracked=exclude"));
  CHECK(parse_o("ops=kdamond,estimator=regions"));
}

TEST_CASE("ops=auto goes with every estimator", "[options]") {
  CHECK(parse_o("estimator=pages").value().engine.ops == "auto");
  CHECK(parse_o("ops=auto,estimator=pages,untracked=exclude").value().engine.ops == "auto");
  CHECK(parse_o("estimator=regions").value().engine.ops == "auto");
  CHECK(parse_o("untracked=exclude").value().engine.ops == "auto");
}

TEST_CASE("pages cannot be had from sets that deliver regions", "[options]") {
  for (const std::string ops : {"damon_stat", "observe"}) {
    for (const std::string word :
         {"estimator=pages", "untracked=exclude", "untracked=exclude_unmapped"}) {
      const auto refused = parse_o("ops=" + ops + "," + word);
      CAPTURE(ops, word);
      REQUIRE_FALSE(refused);
      CHECK(refused.error().code.value() == EINVAL);
      CHECK(refused.error().context.find(word + ":") == 0);
      CHECK(refused.error().context.find("ops=" + ops + " delivers regions") != std::string::npos);
      CHECK(refused.error().context.find('\n') == std::string::npos);
    }
  }
}

TEST_CASE("regions=", "[options]") {
  CHECK_FALSE(parse({"/mnt"}).value().engine.kernel_regions);
  const std::string words = "ops=sim,sim=1G@1s,estimator=regions,regions=";
  CHECK(parse_o(words + "kernel").value().engine.kernel_regions);
  CHECK_FALSE(parse_o(words + "refined").value().engine.kernel_regions);
  CHECK(parse_o("ops=page_idle,regions=kernel,estimator=regions").value().engine.kernel_regions);
  // What is the default has no rules.
  CHECK(parse_o("ops=kdamond,regions=refined"));
  CHECK(parse_o("estimator=pages,regions=refined"));
}

TEST_CASE("regions=kernel is refused where regions do not arise here", "[options]") {
  struct Row {
    std::string words, why;
  };
  const Row rows[] = {
      {"ops=kdamond,regions=kernel", "ops=kdamond delivers regions"},
      {"ops=observe,estimator=regions,regions=kernel", "ops=observe delivers regions"},
      {"ops=damon_stat,regions=kernel", "ops=damon_stat delivers regions"},
      {"ops=page_idle,regions=kernel", "only with estimator=regions"},
      {"ops=page_idle,regions=kernel,estimator=pages", "only with estimator=regions"},
      {"estimator=regions,regions=kernel",
       "not with ops=auto, which may take a set that delivers regions"},
  };
  for (const auto& [words, why] : rows) {
    CAPTURE(words);
    const auto refused = parse_o(words);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code.value() == EINVAL);
    CHECK(refused.error().context == "regions=kernel: " + why);
  }
}

}  // namespace
}  // namespace damon_statfs
