// SPDX-License-Identifier: GPL-2.0-or-later
//
// The log as its readers get it on standard error, which is a file here: for people, for the
// journal, and without what would break a line.
#include "mount/logging.h"

#include <spdlog/spdlog.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <regex>

#include "damon_statfs/clock.h"
#include "damon_statfs/fd.h"
#include "support/catch.h"
#include "support/failing_allocations.h"

namespace damon_statfs::test {
namespace {

// Standard error in memory, and the default logger that was there, until the end of the scope.
class StderrInMemory {
 public:
  StderrInMemory() { REQUIRE(dup2(memory_.get(), STDERR_FILENO) == STDERR_FILENO); }
  StderrInMemory(const StderrInMemory&) = delete;
  StderrInMemory& operator=(const StderrInMemory&) = delete;
  ~StderrInMemory() {
    dup2(before_.get(), STDERR_FILENO);
    unsetenv("JOURNAL_STREAM");
    spdlog::set_default_logger(logger_);
  }

  // What JOURNAL_STREAM says where this is a stream to the journal.
  std::string journal_stream() const {
    struct stat info {};
    REQUIRE(fstat(memory_.get(), &info) == 0);
    return std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino);
  }
  std::string text() const {
    std::string text(65'536, '\0');
    const ssize_t bytes = pread(memory_.get(), text.data(), text.size(), 0);
    text.resize(static_cast<size_t>(bytes));
    return text;
  }

 private:
  const UniqueFd before_{dup(STDERR_FILENO)};
  const UniqueFd memory_{memfd_create("stderr", MFD_CLOEXEC)};
  const std::shared_ptr<spdlog::logger> logger_ = spdlog::default_logger();
};

void write_one_of_each() {
  Logging::write(LogLevel::kDebug, "debug");
  Logging::write(LogLevel::kInfo, "info");
  Logging::write(LogLevel::kWarning, "warning");
  Logging::write(LogLevel::kError, "error {}");
}

TEST_CASE("for people: the program's name before each line, debugging left out", "[logging]") {
  const StderrInMemory output;
  const Logging logging(false);
  write_one_of_each();
  CHECK(output.text() == "damon-statfs: info\ndamon-statfs: warning\ndamon-statfs: error {}\n");
}

TEST_CASE("for debugging: with times and levels", "[logging]") {
  const StderrInMemory output;
  const Logging logging(true);
  Logging::write(LogLevel::kDebug, "a detail");
  const std::regex line("damon-statfs: [0-9:]{8}\\.[0-9]{3} debug: a detail\n");
  CHECK(std::regex_match(output.text(), line));
}

TEST_CASE("for the journal: a priority before each line", "[logging]") {
  const StderrInMemory output;
  setenv("JOURNAL_STREAM", output.journal_stream().c_str(), 1);
  const Logging logging(true);
  write_one_of_each();
  CHECK(output.text() == "<7>debug\n<6>info\n<4>warning\n<3>error {}\n");
}

TEST_CASE("JOURNAL_STREAM is believed only of the file that it names", "[logging]") {
  CHECK(is_journal_stream("8:12345", 8, 12345));
  for (const char* text : {"", "8", "8:", ":12345", "8:1234", "8:123456", "18:12345", "8:12345 "}) {
    CHECK_FALSE(is_journal_stream(text, 8, 12345));
  }
  const StderrInMemory output;
  setenv("JOURNAL_STREAM", "1:1", 1);
  const Logging logging(false);
  Logging::write(LogLevel::kInfo, "text");
  CHECK(output.text() == "damon-statfs: text\n");
}

TEST_CASE("a line stays one line, and the last error keeps its bytes and its time", "[logging]") {
  const StderrInMemory output;
  const Logging logging(false);
  CHECK_FALSE(logging.last_error());
  const int64_t before_ns = SystemClock().now_ns();
  Logging::write(LogLevel::kError, "first\n\x1b[2Jsecond");
  Logging::write(LogLevel::kWarning, "no error");
  CHECK(output.text() == "damon-statfs: first\\x0a\\x1b[2Jsecond\ndamon-statfs: no error\n");
  const std::optional<Logging::LastError> last = logging.last_error();
  REQUIRE(last);
  CHECK(last->text == "first\n\x1b[2Jsecond");
  CHECK(last->ns >= before_ns);
  CHECK(last->ns <= SystemClock().now_ns());
}

TEST_CASE("after the move to the system log nothing more comes here", "[logging]") {
  const StderrInMemory output;
  Logging logging(true);
  Logging::write(LogLevel::kInfo, "before");
  const std::string before = output.text();
  logging.move_to_syslog();
  Logging::write(LogLevel::kDebug, "a test of the move to the system log");
  CHECK(output.text() == before);
}

TEST_CASE("a line for which there is no memory is lost, and nothing is thrown", "[logging]") {
  const StderrInMemory output;
  const Logging logging(false);
  const std::string text(500, 'x');
  bool failed = true;
  for (int64_t number = 0; failed; ++number) {
    const FailingAllocation failing(number);
    Logging::write(LogLevel::kError, text);
    failed = failing.has_failed();
  }
  CHECK(output.text().find(text) != std::string::npos);
}

}  // namespace
}  // namespace damon_statfs::test
