// SPDX-License-Identifier: GPL-2.0-or-later
//
// libfuse's complaints have to become one line of ours, whatever their form.
#include "fs/fuse_messages.h"

#include <fuse_log.h>

#include "support/catch.h"

namespace damon_statfs {
namespace {

TEST_CASE("messages of libfuse become one line", "[fuse_messages]") {
  const FuseMessages messages;
  CHECK(messages.text_or("nothing") == "nothing");
  fuse_log(FUSE_LOG_ERR, "fuse: %s\n", "no device");
  CHECK(messages.text_or("nothing") == "fuse: no device");
  fuse_log(FUSE_LOG_ERR, "fuse: %d more\n", 2);
  CHECK(messages.text_or("nothing") == "fuse: no device fuse: 2 more");
}

TEST_CASE("each collection begins anew", "[fuse_messages]") {
  {
    const FuseMessages messages;
    fuse_log(FUSE_LOG_ERR, "old\n");
  }
  const FuseMessages messages;
  CHECK(messages.text_or("nothing") == "nothing");
}

TEST_CASE("a message of several lines is still one line", "[fuse_messages]") {
  const FuseMessages messages;
  fuse_log(FUSE_LOG_ERR, "one\ntwo\n");
  CHECK(messages.text_or("nothing").find('\n') == std::string::npos);
}

TEST_CASE("a message of any length is safe", "[fuse_messages]") {
  const FuseMessages messages;
  fuse_log(FUSE_LOG_ERR, "%s\n", std::string(10'000, 'x').c_str());
  CHECK(messages.text_or("nothing").size() >= 200);
}

}  // namespace
}  // namespace damon_statfs
