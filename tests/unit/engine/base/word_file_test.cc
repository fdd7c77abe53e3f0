// SPDX-License-Identifier: GPL-2.0-or-later
//
// Words that are there, words that are not, and files that are broken: three different answers.
#include "engine/base/word_file.h"

#include <cerrno>

#include "support/catch.h"
#include "support/tree_fixture.h"

namespace damon_statfs::test {
namespace {

constexpr char kPath[] = "/sys/words";

Result<std::unique_ptr<WordFile>> open_words(const TreeFixture& tree) {
  return open_word_file(tree.root() + kPath, WordAccess::kReadAndWrite, "no CONFIG_WORDS");
}

TEST_CASE("words are read and written at their place", "[word_file]") {
  TreeFixture tree;
  tree.write_words(kPath, {1, 2, ~uint64_t{0}});
  const auto opened = open_words(tree).value();
  const WordFile& file = *opened;
  CHECK(file.read(0).value() == 1U);
  CHECK(file.read(2).value() == ~uint64_t{0});
  CHECK(file.write(1, 77).value());
  CHECK(tree.word(kPath, 1) == 77);
  CHECK(tree.word(kPath, 0) == 1);
}

TEST_CASE("a word that is cut or beyond the end is none", "[word_file]") {
  TreeFixture tree;
  tree.write_words(kPath, {1, 2});
  tree.resize(kPath, 12);
  const auto opened = open_words(tree).value();
  const WordFile& file = *opened;
  CHECK(file.read(0).value() == 1U);
  CHECK_FALSE(file.read(1).value().has_value());
  CHECK_FALSE(file.read(2).value().has_value());
  CHECK_FALSE(file.read(uint64_t{1} << 40).value().has_value());
}

TEST_CASE("a file that is not there names what the kernel lacks", "[word_file]") {
  const TreeFixture tree;
  const auto file = open_words(tree);
  REQUIRE_FALSE(file);
  CHECK(file.error().code.value() == ENODEV);
  CHECK(file.error().context.find(kPath) != std::string::npos);
  CHECK(file.error().context.find("no CONFIG_WORDS") != std::string::npos);
}

TEST_CASE("a broken file is an error that names it", "[word_file]") {
  TreeFixture tree;
  tree.link(kPath, "/proc/self/mem");  // nothing is mapped at its beginning
  const auto opened = open_words(tree).value();
  const WordFile& file = *opened;
  const auto read = file.read(1);
  REQUIRE_FALSE(read);
  CHECK(read.error().code.value() == EIO);
  CHECK(read.error().context.find(kPath) != std::string::npos);
  const auto written = file.write(1, 1);
  REQUIRE_FALSE(written);
  CHECK(written.error().code.value() == EIO);
}

}  // namespace
}  // namespace damon_statfs::test
