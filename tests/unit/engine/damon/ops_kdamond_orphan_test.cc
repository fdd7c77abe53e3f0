// SPDX-License-Identifier: GPL-2.0-or-later
//
// What is done before a daemon begins: the probe whether it could, which changes nothing, and the
// stop of a killed daemon's kdamond. Plain files stand for the kernel's here.
#include "engine/damon/ops_kdamond.h"

#include <functional>

#include "engine/damon/kdamond_record.h"
#include "support/catch.h"
#include "support/fake_clock.h"
#include "support/log_lines.h"
#include "support/tree_fixture.h"

namespace damon_statfs::test {
namespace {

constexpr uint64_t kMark = 60'000'123;

// A machine on which a kdamond is on, which a daemon of ours has set up.
struct Machine {
  Machine() {
    put("nr_kdamonds", "1");
    put("0/state", "on");
    put("0/pid", "4000");
    put("0/contexts/nr_contexts", "1");
    put("0/contexts/0/operations", "paddr");
    put("0/contexts/0/monitoring_attrs/intervals/update_us", std::to_string(kMark));
    context.rootfs = tree.root();
    context.clock = &clock;
    context.log = log.sink();
  }

  static std::string path(const std::string& file) {
    return "/sys/kernel/mm/damon/admin/kdamonds/" + file;
  }
  void put(const std::string& file, const std::string& text) {
    tree.write(path(file), text + "\n");
  }
  std::string get(const std::string& file) const {
    return RootedKernelFiles(tree.root()).read(path(file)).value();
  }
  bool is_as_it_was() const {
    return get("nr_kdamonds") == "1" && get("0/state") == "on" &&
           get("0/contexts/nr_contexts") == "1";
  }
  void record(const KdamondOwnership& ownership) const {
    REQUIRE(KdamondRecord::open(tree.root(), RootedKernelFiles(tree.root()), clock)
                .value()
                .write(ownership));
  }

  TreeFixture tree{{"/proc/iomem", "10000000-28ffffff : System RAM\n"},
                   {"/proc/sys/kernel/random/boot_id", "this-boot\n"}};
  FakeClock clock;
  LogLines log;
  OperationsContext context;
};

TEST_CASE("the kdamond of a killed daemon is stopped", "[ops_kdamond]") {
  const Machine machine;
  machine.record({"this-boot", kMark, true, 4000});
  kdamond_operations().recover(machine.context);
  CHECK(machine.get("0/state") == "off");
  CHECK(machine.get("nr_kdamonds") == "0");
  CHECK(machine.log.count(LogLevel::kWarning, "4000") == 1);
}

TEST_CASE("other kdamonds are not stopped", "[ops_kdamond]") {
  Machine machine;
  SECTION("no daemon has ever run") {
    kdamond_operations().recover(machine.context);
    CHECK_FALSE(std::filesystem::exists(machine.tree.root() + "/run"));
  }
  SECTION("another pid") {
    machine.record({"this-boot", kMark, true, 3999});
    kdamond_operations().recover(machine.context);
  }
  SECTION("another boot") {
    machine.record({"last-boot", kMark, true, 4000});
    kdamond_operations().recover(machine.context);
  }
  SECTION("no pid and another mark") {
    machine.record({"this-boot", kMark + 1, true, -1});
    kdamond_operations().recover(machine.context);
  }
  SECTION("its daemon lives") {
    const Result<KdamondRecord> record = KdamondRecord::open(
        machine.tree.root(), RootedKernelFiles(machine.tree.root()), machine.clock);
    REQUIRE(record);
    REQUIRE(record.value().write({"this-boot", kMark, true, 4000}));
    kdamond_operations().recover(machine.context);
    CHECK(record.value().read().value()->pid == 4000);
  }
  CHECK(machine.is_as_it_was());
  CHECK(machine.log.count(LogLevel::kWarning) == 0);
}

TEST_CASE("a kdamond of the recorded pid without the mark is another program's", "[ops_kdamond]") {
  Machine machine;
  machine.put("0/contexts/0/monitoring_attrs/intervals/update_us", "60000000");
  machine.record({"this-boot", kMark, true, 4000});
  kdamond_operations().recover(machine.context);
  CHECK(machine.is_as_it_was());
  CHECK(machine.log.count(LogLevel::kWarning) == 0);
}

// Virtual time that another program shares: it goes on whenever the daemon waits.
class SharedTime final : public Clock {
 public:
  SharedTime(const FakeClock& clock, std::function<void(int64_t now_ns)> other)
      : clock_(clock), other_(std::move(other)) {}
  int64_t now_ns() const override { return clock_.now_ns(); }
  int64_t suspended_ns() const override { return clock_.suspended_ns(); }
  int64_t thread_cpu_ns() const override { return clock_.thread_cpu_ns(); }
  bool wait_until(int64_t deadline_ns, int fd) const override {
    const bool readable = clock_.wait_until(deadline_ns, fd);
    other_(now_ns());
    return readable;
  }

 private:
  const FakeClock& clock_;
  const std::function<void(int64_t now_ns)> other_;
};

// As just after the kernel has made it.
void make_untouched(Machine& machine) {
  machine.put("0/state", "off");
  machine.put("0/pid", "-1");
  machine.put("0/contexts/nr_contexts", "0");
  machine.put("0/contexts/0/monitoring_attrs/intervals/update_us", "60000000");
}

TEST_CASE("a daemon was killed before it could set its mark", "[ops_kdamond]") {
  Machine machine;
  make_untouched(machine);
  machine.record({"this-boot", kMark, false, -1});
  SECTION("no program touches what the daemon has made: that is unstaged") {
    kdamond_operations().recover(machine.context);
    CHECK(machine.get("nr_kdamonds") == "0");
  }
  SECTION("another program has just made the same, and goes on") {
    const int64_t set_up_ns = machine.clock.now_ns() + kNsPerSecond / 2;
    const SharedTime time(machine.clock, [&](int64_t now_ns) {
      if (now_ns >= set_up_ns) machine.put("0/contexts/nr_contexts", "1");
    });
    machine.context.clock = &time;
    kdamond_operations().recover(machine.context);
    CHECK(machine.get("nr_kdamonds") == "1");
    CHECK(machine.get("0/contexts/nr_contexts") == "1");
  }
  CHECK(machine.log.count(LogLevel::kWarning) == 0);
}

TEST_CASE("a kdamond like ours of which there is no record", "[ops_kdamond]") {
  Machine machine;
  const auto reason = [&] { return kdamond_operations().probe(machine.context).error().context; };
  CAPTURE(reason());
  SECTION("how to tell and how to end it is said") {
    CHECK(reason().find("update_us 60000123") != std::string::npos);
    CHECK(reason().find("echo off > /sys/kernel/mm/damon/admin/kdamonds/0/state; echo 0 > "
                        "/sys/kernel/mm/damon/admin/kdamonds/nr_kdamonds") != std::string::npos);
    machine.put("0/state", "off");
    CHECK(reason().find("echo 0") != std::string::npos);
  }
  SECTION("of virtual memory") { machine.put("0/contexts/0/operations", "vaddr"); }
  SECTION("with the kernel's update interval") {
    machine.put("0/contexts/0/monitoring_attrs/intervals/update_us", "60000000");
  }
  const bool ours = machine.get("0/contexts/0/operations") == "paddr" &&
                    machine.get("0/contexts/0/monitoring_attrs/intervals/update_us") != "60000000";
  CHECK((reason().find("echo") != std::string::npos) == ours);
}

TEST_CASE("a probe changes nothing", "[ops_kdamond]") {
  Machine machine;
  const OperationsSet set = kdamond_operations();
  SECTION("free") {
    machine.put("nr_kdamonds", "0");
    std::filesystem::remove_all(machine.tree.root() + Machine::path("0"));
    const Result<std::string> usable = set.probe(machine.context);
    REQUIRE(usable);
    CHECK(usable.value().find("tried_regions") != std::string::npos);
    CHECK(usable.value().find("400 MiB") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(machine.tree.root() + "/run"));
  }
  SECTION("another program's kdamond is on") {
    const Result<std::string> usable = set.probe(machine.context);
    REQUIRE_FALSE(usable);
    CHECK(usable.error().code.value() == EBUSY);
    CHECK_FALSE(std::filesystem::exists(machine.tree.root() + "/run"));
    CHECK(machine.is_as_it_was());
  }
  SECTION("that of a killed daemon is on") {
    machine.record({"this-boot", kMark, true, 4000});
    CHECK(set.probe(machine.context));
    CHECK(machine.is_as_it_was());
  }
  SECTION("that of a daemon that lives is on") {
    const Result<KdamondRecord> record = KdamondRecord::open(
        machine.tree.root(), RootedKernelFiles(machine.tree.root()), machine.clock);
    REQUIRE(record);
    REQUIRE(record.value().write({"this-boot", kMark, true, 4000}));
    const Result<std::string> usable = set.probe(machine.context);
    REQUIRE_FALSE(usable);
    CHECK(usable.error().code.value() == EBUSY);
    CHECK(machine.is_as_it_was());
  }
  SECTION("no interface") {
    std::filesystem::remove_all(machine.tree.root() + "/sys");
    const Result<std::string> usable = set.probe(machine.context);
    REQUIRE_FALSE(usable);
    CHECK(usable.error().code.value() == ENODEV);
    CHECK(usable.error().context.find("nr_kdamonds") != std::string::npos);
  }
}

}  // namespace
}  // namespace damon_statfs::test
