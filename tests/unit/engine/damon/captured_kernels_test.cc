// SPDX-License-Identifier: GPL-2.0-or-later
//
// The fake kernel held against real ones, as tests/vm/capture has found them: it must not invent a
// file of DAMON, nor be without one that the program uses.
#include <cerrno>
#include <set>

#include "support/captured_kernel.h"
#include "support/catch.h"
#include "unit/engine/damon/kdamond_machine.h"

namespace damon_statfs::test {
namespace {

// The captures of kernels with DAMON, and what stands for them in other tests.
const std::pair<const char*, Kernel> kFakes[] = {
    {"6.12", Kernel::k6_12}, {"7", Kernel::k7_2}, {"idle", Kernel::k7_2}};

// Notes which files the program uses on the fake kernel, and which it looks for in vain.
class RecordingFiles final : public KernelFiles {
 public:
  explicit RecordingFiles(std::shared_ptr<const KernelFiles> files) : files_(std::move(files)) {}

  Result<std::string> read(const std::string& path) const override {
    return note(path, files_->read(path));
  }
  Result<void> write(const std::string& path, const std::string& text) const override {
    return note(path, files_->write(path, text));
  }
  Result<std::vector<std::string>> list(const std::string& path) const override {
    Result<std::vector<std::string>> names = files_->list(path);
    if (names && !names.value().empty()) used.insert(path + "/");
    return names;
  }

  mutable std::set<std::string> used;
  mutable std::set<std::string> missed;

 private:
  template <class T>
  Result<T> note(const std::string& path, Result<T> result) const {
    if (result) used.insert(path);
    if (failed_with(result, ENOENT)) missed.insert(path);
    return result;
  }

  const std::shared_ptr<const KernelFiles> files_;
};

// What the program does from start to end, with memory that grows meanwhile. Regions are read
// through the scheme, which takes more files than the records.
void live(KdamondMachine& machine, std::shared_ptr<const KernelFiles> files) {
  KdamondOperations set(machine.context, std::move(files),
                        [](pid_t, uint64_t) -> Result<std::unique_ptr<AggregatedEvents>> {
                          return failure(EACCES, "no events");
                        });
  REQUIRE(set.open());
  REQUIRE(machine.collect(set).value());
  machine.grow();
  REQUIRE(set.update());
  REQUIRE(machine.collect(set).value());
  set.close();
  REQUIRE(machine.is_untouched());
}

// A region's directory is there only while the kernel shows it.
bool is_tried_region(const std::string& path) {
  const std::string tried = kContext + "schemes/0/tried_regions/";
  return path.starts_with(tried) && path.size() > tried.size() && path[tried.size()] <= '9';
}

TEST_CASE("the fake kernel invents no files of DAMON", "[captured]") {
  for (const auto& [name, kernel] : kFakes) {
    const CapturedFiles captured = CapturedKernel(name).one_context();
    FakeDamon fake(kernel);
    for (const char* const count :
         {"nr_kdamonds", "0/contexts/nr_contexts", "0/contexts/0/targets/nr_targets",
          "0/contexts/0/schemes/nr_schemes"}) {
      REQUIRE(fake.write(FakeDamon::admin(count), "1"));
    }
    REQUIRE(fake.write(kContext + "targets/0/regions/nr_regions", "2"));
    REQUIRE(fake.staged().size() > 20);
    for (const auto& [path, text] : fake.staged()) {
      CAPTURE(name, path);
      const auto real = captured.find(path);
      REQUIRE(real != captured.end());
      CHECK(text == real->second.text());
      CHECK(is_read_only(path) == !real->second.is_writable());
    }
  }
}

TEST_CASE("after a boot the fake kernel's DAMON is the real one's", "[captured]") {
  for (const auto& [name, kernel] : kFakes) {
    CAPTURE(name);
    Files captured;
    for (const auto& [path, file] : CapturedKernel(name).untouched()) {
      if (is_within(path, kKdamonds) && !path.ends_with('/')) captured[path] = file.text();
    }
    REQUIRE_FALSE(captured.empty());
    CHECK(FakeDamon(kernel).staged() == captured);
  }
}

TEST_CASE("all files of DAMON that are used are real", "[captured]") {
  for (const auto& [name, kernel] : kFakes) {
    for (const bool tracefs : {false, true}) {
      CAPTURE(name, tracefs);
      const CapturedFiles captured = CapturedKernel(name).one_context();
      KdamondMachine machine(kernel);
      if (tracefs) machine.mount_tracefs();
      const auto files = std::make_shared<RecordingFiles>(machine.damon);
      live(machine, files);
      for (const std::string& path : files->used) {
        if (!is_within(path, kKdamonds) || is_tried_region(path)) continue;
        CAPTURE(path);
        CHECK(captured.count(path) == 1);
      }
      for (const std::string& path : files->missed) {
        CAPTURE(path);
        CHECK((files->used.count(path) == 1 || captured.count(path) == 0));
      }
      for (const char* const file : {"targets/0/regions/1/end", "schemes/0/apply_interval_us",
                                     "schemes/0/tried_regions/", "avail_operations"}) {
        CAPTURE(file);
        CHECK(files->used.count(kContext + file) == 1);
      }
    }
  }
}

}  // namespace
}  // namespace damon_statfs::test
