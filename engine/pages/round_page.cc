// SPDX-License-Identifier: GPL-2.0-or-later
//
// The arithmetic of moments: when an access that a check has found will have been.
#include "engine/pages/round_page.h"

#include <algorithm>
#include <utility>

namespace damon_statfs {
namespace {

// It is taken to be hot if it is taken to be accessed: no refresh has told.
RoundPage new_page(const PageState& state, uint64_t page_bytes) {
  RoundPage page;
  static_cast<PageHistory&>(page) = state;
  page.addr = state.addr;
  page.head_pfn = state.addr / page_bytes;
  page.addr_word = page.word();
  page.observed_ns = 0;
  page.hot = state.accessed;
  return page;
}

}  // namespace

void RoundPage::note_check(int64_t now_ns) {
  const bool first = observed_ns == 0;
  // A hot page is marked some time after the check that has found it so. What happens in between
  // cannot be seen.
  const int64_t unseen_ns = accessed ? std::max<int64_t>(marked_ns - observed_ns, 0) : 0;
  const int64_t from_ns = observed_ns + unseen_ns;
  const int64_t middle_ns = from_ns + (now_ns - from_ns) / 2;
  observed_ns = now_ns;
  if (first) return;
  // What has become trackable has been allocated, and was used for the first time then.
  if (access == PageAccess::kAccessed || access == PageAccess::kNew) {
    if (!accessed) since_ns = middle_ns;
    accessed = true;
    last_access_ns = middle_ns;
  } else if (accessed) {
    accessed = false;
    const bool once = since_ns == last_access_ns;
    since_ns = last_access_ns + (once ? 0 : unseen_ns / 2);
  }
}

void RoundPage::note_idle(int64_t then_ns) {
  const bool just_came_into_use = accessed && since_ns == last_access_ns;
  if (!just_came_into_use) {
    observed_ns = std::max(observed_ns, then_ns);
  } else if (since_ns < then_ns) {
    since_ns = last_access_ns = then_ns + (observed_ns - then_ns) / 2;
  }
}

void select_pages(std::vector<RoundPage>& pages, std::span<const PageState> selected,
                  uint64_t page_bytes) {
  const std::vector<RoundPage> old = std::move(pages);
  pages.clear();
  pages.reserve(selected.size());
  auto next = old.begin();
  for (const PageState& state : selected) {
    while (next != old.end() && next->addr < state.addr) ++next;
    const bool known = next != old.end() && next->addr == state.addr;
    pages.push_back(known ? *next : new_page(state, page_bytes));
  }
}

}  // namespace damon_statfs
