// SPDX-License-Identifier: GPL-2.0-or-later
//
// The kernel's DAMON_STAT as files of each version, of none, and of a kernel that writes nonsense.
#include "engine/damon/ops_damon_stat.h"

#include <cerrno>

#include "engine/base/kernel_files.h"
#include "support/catch.h"
#include "support/log_lines.h"
#include "support/stat_line.h"
#include "support/tree_fixture.h"

namespace damon_statfs::test {
namespace {

const std::string kDirectory = "/sys/module/damon_stat/parameters/";
const std::string kEnabled = kDirectory + "enabled";
const std::string kBandwidth = kDirectory + "estimated_memory_bandwidth";
const std::string kIdle = kDirectory + "memory_idle_ms_percentiles";
const std::string kAggr = kDirectory + "aggr_interval_us";
const std::string kPid = kDirectory + "kdamond_pid";

// 101 numbers from `first` on, 10 apart.
std::string percentiles(int64_t first, size_t count = 101) {
  std::string text = std::to_string(first);
  for (size_t i = 1; i < count; ++i) {
    text += ',';
    text += std::to_string(first + 10 * static_cast<int64_t>(i));
  }
  return text + "\n";
}

// A kernel whose DAMON_STAT is on; later versions add files.
struct Machine {
  Machine() {
    tree.write(kEnabled, "Y\n");
    tree.write(kBandwidth, "18446744073709551615\n");
    tree.write(kIdle, percentiles(0));
    context.rootfs = tree.root();
    context.log = log.sink();
  }
  void add_6_18() {
    tree.write(kIdle, percentiles(-500));
    tree.write(kAggr, "200000\n");
  }
  void add_7_2() {
    add_6_18();
    tree.write(kPid, "123\n");
  }
  void add_thread(int pid, const std::string& name) {
    tree.write("/proc/" + std::to_string(pid) + "/stat", stat_line(pid, name, kKernelThread));
  }
  Mirror& begin() {
    mirror = damon_stat_operations().make<Mirror>(context);
    return *mirror;
  }
  Result<std::string> probe() const { return damon_stat_operations().probe(context); }

  TreeFixture tree;
  LogLines log;
  OperationsContext context;
  std::unique_ptr<Mirror> mirror;
};

TEST_CASE("the files of Linux 6.17", "[damon_stat]") {
  Machine machine;
  machine.add_thread(57, "kdamond.0");
  const Snapshot read = machine.begin().read().value();
  CHECK(read.status.state == EngineState::kOn);
  CHECK(read.status.tid == 57);
  CHECK(read.statistics.aggr_interval_us == 0);
  CHECK(read.statistics.estimated_memory_bandwidth_bytes_per_s == ~uint64_t{0});
  CHECK(read.statistics.memory_idle_ms_percentiles[0] == 0);
  CHECK(read.statistics.memory_idle_ms_percentiles[100] == 1000);
  CHECK(machine.log.count(LogLevel::kWarning) == 0);
}

TEST_CASE("the files of Linux 6.18 and 7.2", "[damon_stat]") {
  Machine machine;
  machine.add_6_18();
  Snapshot read = machine.begin().read().value();
  CHECK(read.status.tid == -1);  // no kdamond is visible
  CHECK(read.statistics.aggr_interval_us == 200'000);
  CHECK(read.statistics.memory_idle_ms_percentiles[0] == -500);
  CHECK(read.statistics.memory_idle_ms_percentiles[100] == 500);
  machine.add_7_2();
  machine.add_thread(57, "kdamond.0");
  read = machine.mirror->read().value();
  CHECK(read.status.tid == 123);  // as the kernel says
  CHECK(machine.log.count(LogLevel::kWarning) == 0);
}

TEST_CASE("which kdamond it is, on kernels that do not say", "[damon_stat]") {
  Machine machine;
  machine.tree.write(kEnabled, "N\n");
  machine.add_thread(57, "kdamond.0");
  Mirror& mirror = machine.begin();
  CHECK(mirror.read().value().status.tid == -1);
  machine.tree.write(kEnabled, "Y\n");
  CHECK(mirror.read().value().status.tid == 57);
  machine.add_thread(58, "kdamond.1");
  CHECK(mirror.read().value().status.tid == 57);  // looked up when it went on
  machine.tree.write("/proc/57/stat", stat_line(57, "kworker/0:1", kKernelThread));
  CHECK(mirror.read().value().status.tid == 58);  // switched off and on between two readings
  machine.add_thread(59, "kdamond.2");
  machine.tree.write(kEnabled, "N\n");
  CHECK(mirror.read().value().status.tid == -1);
  machine.tree.write(kEnabled, "Y\n");
  CHECK(mirror.read().value().status.tid == -1);  // 58 or 59
}

TEST_CASE("nonsense keeps the value before, with one line", "[damon_stat]") {
  struct Row {
    const std::string& path;
    std::string content;
  };
  const Row rows[] = {
      {kEnabled, ""},
      {kEnabled, "y\n"},
      {kEnabled, "Y\n\n"},
      {kBandwidth, "\n"},
      {kBandwidth, "-1\n"},
      {kBandwidth, "1 2\n"},
      {kBandwidth, "0x10\n"},
      {kBandwidth, "18446744073709551616\n"},
      {kIdle, ""},
      {kIdle, percentiles(7, 100)},
      {kIdle, percentiles(7, 102)},
      {kIdle, percentiles(7, 100) + ","},
      {kIdle, "," + percentiles(7, 100)},
      {kIdle, "9223372036854775808" + percentiles(7, 100)},
      {kIdle, std::string(100'000, '1')},
      {kAggr, "soon\n"},
      {kPid, "4294967296\n"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.path, row.content);
    Machine machine;
    machine.add_7_2();
    const Snapshot before = machine.begin().read().value();
    machine.tree.write(row.path, row.content);
    CHECK(machine.mirror->read().value() == before);
    CHECK(machine.mirror->read().value() == before);
    CHECK(machine.log.count(LogLevel::kWarning) == 1);
    CHECK(machine.log.count(LogLevel::kWarning, row.path) == 1);
    machine.mirror.reset();
    CHECK(machine.log.count(LogLevel::kInfo, "2 readings") == 1);
  }
}

TEST_CASE("a good value beside nonsense is taken", "[damon_stat]") {
  Machine machine;
  machine.add_7_2();
  Mirror& mirror = machine.begin();
  REQUIRE(mirror.read());
  machine.tree.write(kIdle, "nonsense\n");
  machine.tree.remove(kBandwidth);
  machine.tree.write(kAggr, "300000\n");
  const Snapshot read = mirror.read().value();
  CHECK(read.statistics.aggr_interval_us == 300'000);
  CHECK(read.statistics.memory_idle_ms_percentiles[0] == -500);
  CHECK(read.statistics.estimated_memory_bandwidth_bytes_per_s == ~uint64_t{0});
  machine.tree.write(kIdle, percentiles(-600));
  CHECK(mirror.read().value().statistics.memory_idle_ms_percentiles[0] == -600);
}

TEST_CASE("a write goes into the kernel's file", "[damon_stat]") {
  Machine machine;
  Mirror& mirror = machine.begin();
  REQUIRE(mirror.read());
  REQUIRE(mirror.write_enabled(false));
  CHECK(mirror.read().value().status.state == EngineState::kOff);
  REQUIRE(mirror.write_enabled(true));
  CHECK(mirror.read().value().status.state == EngineState::kOn);
  machine.tree.remove(kEnabled);
  const Result<void> written = mirror.write_enabled(true);
  REQUIRE_FALSE(written);
  CHECK(written.error().code.value() == ENOENT);
  CHECK(written.error().context.find(kEnabled) != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(machine.tree.root() + kEnabled));
}

TEST_CASE("reading and ending change nothing", "[damon_stat]") {
  Machine machine;
  const auto time = std::filesystem::last_write_time(machine.tree.root() + kEnabled);
  REQUIRE(machine.begin().read());
  CHECK(machine.probe());
  machine.mirror.reset();
  CHECK(std::filesystem::last_write_time(machine.tree.root() + kEnabled) == time);
}

TEST_CASE("the probe and the log say where and in which state", "[damon_stat]") {
  for (const bool on : {true, false}) {
    Machine machine;
    machine.tree.write(kEnabled, on ? "Y\n" : "N\n");
    const std::string said =
        std::string("the kernel's DAMON_STAT at /sys/module/damon_stat/parameters (") +
        (on ? "on)" : "off)");
    CHECK(machine.probe().value() == said);
    Mirror& mirror = machine.begin();
    REQUIRE(mirror.read());
    REQUIRE(mirror.read());
    CHECK(machine.log.count(LogLevel::kInfo, "mirroring " + said) == 1);
  }
}

TEST_CASE("a kernel without it, and one that loses it", "[damon_stat]") {
  Machine machine;
  REQUIRE(machine.begin().read());
  std::filesystem::remove_all(machine.tree.root() + "/sys/module");
  std::filesystem::create_directory(machine.tree.root() + "/sys/kernel");
  const Result<Snapshot> gone = machine.mirror->read();
  const Result<Snapshot> never = machine.begin().read();
  const Result<std::string> probed = machine.probe();
  REQUIRE_FALSE((gone || never || probed));
  for (const Error& error : {gone.error(), never.error(), probed.error()}) {
    CHECK(error.code.value() == ENODEV);
    for (const std::string& part :
         {kEnabled, std::string("6.17"), std::string("CONFIG_DAMON_STAT")}) {
      CHECK(error.context.find(part) != std::string::npos);
    }
  }
}

TEST_CASE("where /sys is not mounted the kernel is not blamed", "[damon_stat]") {
  Machine machine;
  std::filesystem::remove_all(machine.tree.root() + "/sys");
  for (const bool there : {false, true}) {
    CAPTURE(there);
    if (there) std::filesystem::create_directory(machine.tree.root() + "/sys");
    const Result<std::string> probed = machine.probe();
    REQUIRE(failed_with(probed, ENODEV));
    CHECK(probed.error().context == kEnabled + ": missing; /sys is not mounted");
  }
}

// As for root without CAP_DAC_OVERRIDE, when the file was given to a monitoring user.
class Unprivileged {
 public:
  Unprivileged() : before_(geteuid()) { REQUIRE((before_ != 0 || seteuid(65'534) == 0)); }
  Unprivileged(const Unprivileged&) = delete;
  Unprivileged& operator=(const Unprivileged&) = delete;
  ~Unprivileged() { static_cast<void>(seteuid(before_)); }

 private:
  const uid_t before_;
};

TEST_CASE("a value that may not be read is not 0", "[damon_stat]") {
  for (const std::string& path : {kBandwidth, kIdle, kAggr, kPid}) {
    CAPTURE(path);
    Machine machine;
    machine.add_7_2();
    std::filesystem::permissions(machine.tree.root(), std::filesystem::perms(0755));
    Mirror& running = machine.begin();
    const Snapshot before = running.read().value();
    std::filesystem::permissions(machine.tree.root() + path, std::filesystem::perms::none);
    const std::unique_ptr<Mirror> starting = damon_stat_operations().make<Mirror>(machine.context);
    const Unprivileged unprivileged;
    CHECK(failed_with(machine.probe(), EACCES));
    const Result<Snapshot> first = starting->read();
    REQUIRE(failed_with(first, EACCES));
    CHECK(first.error().context.find(path) != std::string::npos);
    CHECK(running.read().value() == before);
    CHECK(running.read().value() == before);
    CHECK(machine.log.count(LogLevel::kError, path + ": Permission denied") == 1);
  }
}

TEST_CASE("a state that was never one", "[damon_stat]") {
  Machine machine;
  machine.tree.write(kEnabled, "maybe\n");
  const Result<Snapshot> read = machine.begin().read();
  const Result<std::string> probed = machine.probe();
  REQUIRE_FALSE((read || probed));
  CHECK(read.error().code.value() == EIO);
  CHECK(probed.error().code.value() == EIO);
  CHECK(read.error().context.find(kEnabled) != std::string::npos);
}

TEST_CASE("unreadable", "[damon_stat]") {
  Machine machine;
  machine.tree.remove(kEnabled);
  std::filesystem::create_directory(machine.tree.root() + kEnabled);
  CHECK(machine.begin().read().error().code.value() == EISDIR);
  CHECK(machine.probe().error().code.value() == EISDIR);
  machine.tree.remove(kEnabled);
  machine.tree.write(kEnabled, "Y\n");
  std::filesystem::permissions(machine.tree.root(), std::filesystem::perms(0755));
  std::filesystem::permissions(machine.tree.root() + kEnabled, std::filesystem::perms::none);
  const uid_t user = geteuid();
  const bool is_root = user == 0;  // who reads everything
  REQUIRE((!is_root || seteuid(65'534) == 0));
  const Result<std::string> probed = machine.probe();
  REQUIRE(seteuid(user) == 0);
  CHECK(probed.error().code.value() == EACCES);
}

// A kernel whose every file reads the same.
class SameText final : public KernelFiles {
 public:
  explicit SameText(std::string text) : text_(std::move(text)) {}
  Result<std::string> read(const std::string&) const override { return text_; }
  Result<void> write(const std::string& path, const std::string& text) const override {
    written = path + "=" + text;
    return outcome::success();
  }
  Result<std::vector<std::string>> list(const std::string& path) const override {
    return failure(ENOENT, path);
  }
  Result<void> check_writable(const std::string& path) const override {
    return failure(EROFS, path + ": no write");
  }

  mutable std::string written;

 private:
  const std::string text_;
};

TEST_CASE("a kernel that is no directory", "[damon_stat]") {
  LogLines log;
  OperationsContext context;
  context.log = log.sink();
  const auto files = std::make_shared<SameText>("Y");
  const std::unique_ptr<Mirror> mirror = mirror_damon_stat(context, files);
  CHECK(mirror->read().value().status.state == EngineState::kOn);
  REQUIRE(mirror->write_enabled(false));
  CHECK(files->written == kEnabled + "=N");
  const Result<std::string> usable = probe_damon_stat(*files);
  REQUIRE(failed_with(usable, EROFS));
  CHECK(usable.error().context ==
        kEnabled + ": no write; ops=damon_stat shows it all the same (on)");
}

}  // namespace
}  // namespace damon_statfs::test
