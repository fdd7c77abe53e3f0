// SPDX-License-Identifier: GPL-2.0-or-later
//
// The interface has no owners, so another program may do anything at any moment. What it has set up
// is never written over, what it has switched on is never switched off, and nothing of ours stays.
#include "engine/damon/ops_kdamond.h"
#include "support/catch.h"
#include "unit/engine/damon/kdamond_machine.h"

namespace damon_statfs::test {
namespace {

struct Act {
  const char* name;
  std::function<void(FakeDamon&)> act;
  bool sets_up = false;  // all that is staged afterwards is the other program's
  bool ends_ours = true;
  bool starts = false;  // a kdamond of the other program's
};

void stage_in_ours(FakeDamon& damon) {
  damon.foreign_write(kNrContexts, "1").has_value();
  damon.foreign_write(kIntervals + "sample_us", "7000").has_value();
  damon.foreign_write(kContext + "operations", "paddr").has_value();
  damon.foreign_write(kContext + "targets/nr_targets", "1").has_value();
}

void write(FakeDamon& damon, const std::string& path, const char* text) {
  const Result<void> ignored = damon.foreign_write(path, text);
  static_cast<void>(ignored);
}

std::vector<Act> acts() {
  return {
      {"starts", [](FakeDamon& damon) { damon.start_foreign(); }, true, false, true},
      {"stages", [](FakeDamon& damon) { damon.stage_foreign(); }, true, false},
      {"stages in ours", stage_in_ours, true},
      {"stops and starts",
       [](FakeDamon& damon) {
         write(damon, kState, "off");
         damon.start_foreign();
       },
       true, true, true},
      {"stops and gives back",
       [](FakeDamon& damon) {
         write(damon, kState, "off");
         write(damon, kNrKdamonds, "0");
       }},
      {"stops and wants two",
       [](FakeDamon& damon) {
         write(damon, kState, "off");
         write(damon, kNrKdamonds, "2");
       },
       true},
      {"restarts ours",
       [](FakeDamon& damon) {
         write(damon, kState, "off");
         write(damon, kState, "on");
       },
       false, true, true},
      {"stops", [](FakeDamon& damon) { write(damon, kState, "off"); }},
      {"kills with a commit",
       [](FakeDamon& damon) {
         write(damon, kNrContexts, "1");
         write(damon, kState, "commit");
       }},
      {"takes the context away", [](FakeDamon& damon) { write(damon, kNrContexts, "0"); }},
      {"changes an interval",
       [](FakeDamon& damon) { write(damon, kIntervals + "sample_us", "1234"); }, false, false},
      {"changes the operations",
       [](FakeDamon& damon) { write(damon, kContext + "operations", "vaddr"); }, false, false},
      {"enables a module", [](FakeDamon& damon) { damon.set_module("damon_stat", true); }, false,
       false},
  };
}

pid_t foreign_pid(const KdamondMachine& machine) {
  const RunningKdamond* const kdamond = machine.damon->kernel().running(0);
  return kdamond != nullptr && kdamond->foreign ? kdamond->pid : -1;
}

// What is staged, apart from what commands and threads leave there.
Files foreign_staging(const KdamondMachine& machine) {
  Files files = machine.damon->staged();
  std::erase_if(files, [](const auto& file) {
    return file.first == kState || file.first == FakeDamon::admin("0/pid");
  });
  return files;
}

// What our program wrote with success from that entry of the journal on, apart from what cannot
// harm another program that has set up something else.
std::string first_write(const KdamondMachine& machine, size_t from) {
  const auto& journal = machine.damon->journal;
  for (size_t i = from; i < journal.size(); ++i) {
    const FakeDamon::Write& write = journal[i];
    const bool harmless = write.text == "off" || write.text.ends_with("_tried_regions");
    if (!write.foreign && write.errno_value == 0 && !harmless) {
      return write.path + " = " + write.text;
    }
  }
  return "";
}

// The write that is under way when another program comes between cannot be taken back. Returns:
// whether it has destroyed what that program had set up.
bool was_overrun(const KdamondMachine& machine, size_t under_way) {
  const auto& journal = machine.damon->journal;
  if (under_way >= journal.size() || journal[under_way].errno_value != 0) return false;
  return journal[under_way].path == kNrKdamonds || journal[under_way].path == kNrContexts;
}

void check_life(const KdamondMachine& machine, const KdamondMachine::Life& life) {
  CHECK(life.open_ns < 60 * kNsPerSecond);
  CHECK(life.close_ns < 60 * kNsPerSecond);
  CHECK(machine.nr_ours() == 0);
  if (life.open_errno != 0 || life.collect_errno != 0) CHECK_FALSE(life.reason.empty());
}

// How often there was something to be left alone.
struct LeftAlone {
  int kdamonds = 0, staging = 0;
};

// A life in which another program acts before the access of that number. What it restarts before
// we have read our pid cannot be told from ours. Returns: whether there were so many.
bool live_with(const Act& other, size_t number, KdamondMachine& machine, LeftAlone& left_alone) {
  bool acted = false;
  bool pid_is_known = true;
  size_t under_way = 0;
  pid_t theirs = -1;
  machine.before_access(number, [&](FakeDamon& damon) {
    acted = true;
    pid_is_known = damon.journal.empty() || damon.journal.back().text != "on";
    other.act(damon);
    under_way = damon.journal.size();
    theirs = foreign_pid(machine);
  });
  const auto life = machine.live();
  CAPTURE(life.reason);
  check_life(machine, life);
  if (!acted) return false;
  const auto& journal = machine.damon->journal;
  const bool switched_off = under_way < journal.size() && journal[under_way].text == "off";
  if (theirs > 0 && pid_is_known && !switched_off) {
    ++left_alone.kdamonds;
    CHECK(foreign_pid(machine) == theirs);
  }
  const bool theirs_only = other.sets_up && under_way > 0 && journal[under_way - 1].foreign &&
                           journal[under_way - 1].errno_value == 0;
  if (theirs_only && !was_overrun(machine, under_way)) {
    ++left_alone.staging;
    CHECK(first_write(machine, under_way + 1) == "");
  }
  return true;
}

// The accesses of a life before which it makes a difference that the other program acts. Where a
// read finds the same either way, it may as well act after it, which is before the next access.
std::vector<size_t> telling_accesses(const Act& other, KdamondMachine& machine) {
  std::vector<size_t> numbers;
  size_t number = 0;
  machine.damon->before_read = [&](FakeDamon& damon, const std::string& path) {
    FakeDamon after(damon);
    after.kernel().clock = nullptr;
    other.act(after);
    if (after.content(path) != damon.content(path)) numbers.push_back(number);
    ++number;
  };
  machine.damon->before_write = [&](FakeDamon&, const std::string&, const std::string&) {
    numbers.push_back(number++);
  };
  machine.live();
  return numbers;
}

TEST_CASE("another program comes before any of our accesses", "[ops_kdamond]") {
  for (const Kernel kernel : {Kernel::k6_12, Kernel::k7_2}) {
    for (const bool tracefs : {false, true}) {
      for (const Act& other : acts()) {
        KdamondMachine model(kernel);
        if (tracefs) model.mount_tracefs();
        const std::vector<size_t> numbers = telling_accesses(other, model);
        LeftAlone left_alone;
        for (const size_t number : numbers) {
          CAPTURE(static_cast<int>(kernel), tracefs, other.name, number);
          KdamondMachine machine(kernel);
          if (tracefs) machine.mount_tracefs();
          REQUIRE(live_with(other, number, machine, left_alone));
        }
        CAPTURE(static_cast<int>(kernel), tracefs, other.name);
        CHECK(numbers.size() > 20);
        CHECK((left_alone.kdamonds > 0) == other.starts);
        CHECK((left_alone.staging > 0) == other.sets_up);
      }
    }
  }
}

TEST_CASE("another program takes the interface while we wait for it", "[ops_kdamond]") {
  for (const Kernel kernel : {Kernel::k6_12, Kernel::k7_2}) {
    KdamondMachine model(kernel);
    model.live();
    REQUIRE(model.damon->nr_lock_accesses() > 10);
    for (const Act& other : acts()) {
      if (!other.sets_up) continue;
      LeftAlone left_alone;
      for (int64_t access = 0; access < model.damon->nr_lock_accesses(); ++access) {
        CAPTURE(static_cast<int>(kernel), other.name, access);
        KdamondMachine machine(kernel);
        machine.damon->busy(1, access);
        size_t after = 0;
        pid_t theirs = -1;
        const auto come = [&](FakeDamon& damon) {
          if (after != 0 || damon.journal.empty() || damon.journal.back().errno_value != EBUSY)
            return;
          other.act(damon);
          after = damon.journal.size();
          theirs = foreign_pid(machine);
        };
        machine.damon->before_read = [&](FakeDamon& damon, const std::string&) { come(damon); };
        machine.damon->before_write = [&](FakeDamon& damon, const std::string&,
                                          const std::string&) { come(damon); };
        const auto life = machine.live();
        check_life(machine, life);
        if (theirs > 0) {
          ++left_alone.kdamonds;
          CHECK(foreign_pid(machine) == theirs);
        }
        if (after == 0 || machine.damon->journal[after - 1].errno_value != 0) continue;
        ++left_alone.staging;
        CHECK(first_write(machine, after) == "");
      }
      CAPTURE(static_cast<int>(kernel), other.name);
      CHECK((left_alone.kdamonds > 0) == other.starts);
      CHECK(left_alone.staging > 0);
    }
  }
}

TEST_CASE("losing the kdamond is an error that says so", "[ops_kdamond]") {
  for (const Kernel kernel : kKernels) {
    for (const bool tracefs : {false, true}) {
      for (const Act& other : acts()) {
        if (!other.ends_ours) continue;
        for (const uint64_t refresh_ms : {uint64_t{300}, uint64_t{5'000}}) {
          CAPTURE(static_cast<int>(kernel), tracefs, other.name, refresh_ms);
          KdamondMachine machine(kernel);
          if (tracefs) machine.mount_tracefs();
          machine.context.refresh_ms = refresh_ms;
          const auto set = machine.make_set();
          REQUIRE(set->open());
          REQUIRE(machine.collect(*set));
          other.act(*machine.damon);
          const Files theirs = foreign_staging(machine);
          const int64_t lost_ns = machine.clock.now_ns();
          auto collected = machine.collect(*set);
          while (collected && machine.clock.now_ns() < lost_ns + 30 * kNsPerSecond) {
            collected = machine.collect(*set);
          }
          REQUIRE_FALSE(collected);
          CAPTURE(collected.error().context);
          // What is met first: that ours is off, or that what is staged is not ours. Below 6.15 the
          // records are followed by a check of what is staged.
          const std::string act = other.name;
          const bool checks_staging = tracefs && kernel < Kernel::k6_15;
          const bool set_up_anew = act == "stages in ours" || act == "takes the context away" ||
                                   (act == "stops and starts" && checks_staging);
          CHECK(collected.error().code.value() == (set_up_anew ? EBUSY : ESRCH));
          set->close();
          CHECK(machine.nr_ours() == 0);
          if (other.sets_up) CHECK(foreign_staging(machine) == theirs);
        }
      }
    }
  }
}

TEST_CASE("one daemon at a time", "[ops_kdamond]") {
  KdamondMachine machine(Kernel::k7_2);
  const auto first = machine.make_set();
  REQUIRE(first->open());
  const size_t writes = machine.damon->nr_writes();
  const auto second = machine.make_set();
  const auto opened = second->open();
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code.value() == EBUSY);
  CHECK(opened.error().context.find("damon-statfs") != std::string::npos);
  CHECK(machine.damon->nr_writes() == writes);
  const auto collected = machine.collect(*first);
  REQUIRE(collected);
  CHECK(collected.value());
  first->close();
  CHECK(machine.is_untouched());
}

TEST_CASE("closing takes no longer than it says", "[ops_kdamond]") {
  KdamondMachine machine(Kernel::k7_2);
  const auto set = machine.make_set();
  REQUIRE(set->open());
  const int64_t start_ns = machine.clock.now_ns();
  // The lock is free for one access in a minute.
  int64_t free_ns = start_ns + 59 * kNsPerSecond;
  const auto hold = [&](FakeDamon& damon) {
    const bool is_free = machine.clock.now_ns() >= free_ns;
    if (is_free) free_ns += 59 * kNsPerSecond;
    damon.busy(is_free ? 0 : 1);
  };
  machine.damon->before_read = [&](FakeDamon& damon, const std::string&) { hold(damon); };
  machine.damon->before_write = [&](FakeDamon& damon, const std::string&, const std::string&) {
    hold(damon);
  };
  set->close();
  const auto limit_ns = static_cast<int64_t>(kdamond_operations().max_call_ms) * kNsPerMs;
  CHECK(machine.clock.now_ns() - start_ns <= limit_ns);
}

}  // namespace
}  // namespace damon_statfs::test
