// SPDX-License-Identifier: GPL-2.0-or-later
//
// The simulated memory. A page was accessed between two moments if a multiple of its part's period
// lies between them, so nothing has to be stored per page.
#include "engine/ops_sim.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

namespace damon_statfs {
namespace {

class SimOperations final : public PageChecks {
 public:
  explicit SimOperations(const OperationsContext& context) : context_(context) {
    uint64_t end = 0;
    for (const SimPart& part : context.sim) {
      end += part.size_bytes;
      parts_.push_back({.end = end, .period_ns = part.period_ns});
    }
  }

  Result<std::vector<AddressRange>> open() override {
    if (parts_.empty()) return failure(EINVAL, "ops=sim needs sim=SIZE@PERIOD[+SIZE@PERIOD...]");
    context_.log(LogLevel::kWarning,
                 fmt::format("memory is simulated ({} MiB): the values are not this machine's",
                             parts_.back().end >> 20));
    return all();
  }

  Result<void> check_pages(std::span<CheckedPage* const> pages) override {
    const int64_t now_ns = context_.clock->now_ns();
    for (CheckedPage* const page : pages) {
      const bool idle = page->marked && !was_touched(*page, now_ns);
      page->access = !page->tracked() ? PageAccess::kNew
                     : idle           ? PageAccess::kIdle
                                      : PageAccess::kAccessed;
      page->marked = idle;
    }
    return outcome::success();
  }

  Result<void> mark_pages(std::span<CheckedPage* const> pages) override {
    const int64_t now_ns = context_.clock->now_ns();
    for (CheckedPage* const page : pages) {
      page->marked = true;
      page->marked_ns = now_ns;
    }
    return outcome::success();
  }

  Result<std::vector<AddressRange>> update() override { return all(); }

  void close() noexcept override {}

  OperationsFacts facts() const override { return {}; }

 private:
  struct Part {
    uint64_t end;  // address; the part begins where the one before ends
    int64_t period_ns;

    // Pages that are checked together were marked together as a rule, so the last answer is kept.
    int64_t asked_from_ns = 0, asked_to_ns = 0;
    bool answer = false;

    bool touched_between(int64_t from_ns, int64_t to_ns) {
      if (from_ns != asked_from_ns || to_ns != asked_to_ns) {
        answer = period_ns > 0 && to_ns / period_ns > from_ns / period_ns;
        asked_from_ns = from_ns;
        asked_to_ns = to_ns;
      }
      return answer;
    }
  };

  std::vector<AddressRange> all() const { return {{0, parts_.back().end}}; }

  // Whether a marked page was touched between then and now.
  bool was_touched(const CheckedPage& page, int64_t now_ns) {
    Part* const part = part_at(page.addr);
    return part != nullptr && part->touched_between(page.marked_ns, now_ns);
  }

  Part* part_at(uint64_t address) {
    const auto part = std::upper_bound(
        parts_.begin(), parts_.end(), address,
        [](uint64_t value, const Part& candidate) { return value < candidate.end; });
    return part == parts_.end() ? nullptr : &*part;
  }

  const OperationsContext& context_;
  std::vector<Part> parts_;
};

Result<std::string> probe(const OperationsContext& context) {
  uint64_t size_bytes = 0;
  for (const SimPart& part : context.sim) size_bytes += part.size_bytes;
  if (size_bytes == 0) return std::string("simulated memory, of the sizes that sim= gives");
  return fmt::format("simulated memory, {} MiB", size_bytes >> 20);
}

}  // namespace

OperationsSet sim_operations() {
  OperationsSet set;
  set.name = "sim";
  set.automatic = false;
  set.probe = probe;
  set.add_factory<PageChecks>([](const OperationsContext& context) -> std::unique_ptr<PageChecks> {
    return std::make_unique<SimOperations>(context);
  });
  set.unused_options = {"ram"};
  return set;
}

}  // namespace damon_statfs
