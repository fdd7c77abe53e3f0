// SPDX-License-Identifier: GPL-2.0-or-later
//
// Which flags of /proc/kpageflags tell that page cache is being read? Files are read so and so
// often, the flags of all memory are kept at some moments, and only then the files are mapped,
// which tells where their pages are: mapping changes the flags.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <exception>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "arguments.h"
#include "free_memory.h"
#include "memory_part.h"
#include "report.h"

namespace guest_test {
namespace {

constexpr const char* kUsage =
    "Usage: cacheflags [--name SCENARIO] [--written DIRECTORY] [--served DIRECTORY]\n"
    "                  [--bytes SIZE] [--seconds SECONDS] [--pressure SIZE]\n"
    "       (written: of tmpfs; served: of cachefs; seconds: until the last look; pressure:\n"
    "       how much more memory than is free is taken after that)\n";
constexpr size_t kChunkBytes = 128 << 10;
constexpr int kHotPeriodS = 5;

struct Flag {
  const char* name;
  unsigned bit;
};
constexpr Flag kFlags[] = {{"referenced", 2},  {"lru", 5},          {"active", 6}, {"mmap", 11},
                           {"swapbacked", 14}, {"unevictable", 18}, {"idle", 25}};

struct File {
  std::string name;
  int fd;
  int64_t bytes;
  int reads;    // before the first look
  bool hot;     // read every few seconds until the end, as well
  bool mapped;  // mapped and touched before the first look

  int64_t pages() const { return bytes / kPageBytes; }
};

struct Look {
  std::string when;
  std::vector<uint64_t> flags;
};

void pause(int seconds) { sleep(static_cast<unsigned>(seconds)); }

void expect(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error(what);
}

Part map(const File& file) {
  void* const memory =
      mmap(nullptr, static_cast<size_t>(file.bytes), PROT_READ, MAP_SHARED, file.fd, 0);
  expect(memory != MAP_FAILED, file.name + ": cannot be mapped");
  return {static_cast<char*>(memory), file.bytes};
}

// Whether each page is in memory. A mapping that nothing touches changes no flag.
std::vector<unsigned char> resident(const File& file) {
  std::vector<unsigned char> found(static_cast<size_t>(file.pages()));
  const Part part = map(file);
  const int status = mincore(part.begin, static_cast<size_t>(part.bytes), found.data());
  munmap(part.begin, static_cast<size_t>(part.bytes));
  expect(status == 0, file.name + ": mincore failed");
  for (unsigned char& page : found) page &= 1;
  return found;
}

void read_whole(const File& file) {
  static std::vector<char> buffer(kChunkBytes);
  for (off_t at = 0; at < file.bytes; at += static_cast<off_t>(kChunkBytes)) {
    expect(pread(file.fd, buffer.data(), kChunkBytes, at) > 0, file.name + ": cannot be read");
  }
}

void write_whole(const File& file) {
  const std::vector<char> zeros(kChunkBytes);
  for (off_t at = 0; at < file.bytes; at += static_cast<off_t>(kChunkBytes)) {
    expect(pwrite(file.fd, zeros.data(), kChunkBytes, at) > 0, file.name + ": cannot be written");
  }
}

// Has the kernel read it ahead, so that it is in the page cache and nobody has read it.
void read_ahead(const File& file) {
  for (off_t at = 0; at < file.bytes; at += static_cast<off_t>(kChunkBytes)) {
    posix_fadvise(file.fd, at, kChunkBytes, POSIX_FADV_WILLNEED);
  }
  const auto all_there = [&] {
    const auto pages = resident(file);
    return std::count(pages.begin(), pages.end(), 1) == file.pages();
  };
  for (int tries = 0; !all_there(); ++tries) {
    expect(tries < 10, file.name + ": is not read ahead");
    pause(1);
  }
}

File open_file(const std::string& directory, const char* kind, int64_t bytes, bool write) {
  File file{directory + "/" + kind, -1, bytes, std::atoi(kind + 4), false, false};
  file.hot = std::string(kind) == "hot";
  file.mapped = std::string(kind) == "mapped";
  if (file.hot || file.mapped) file.reads = 0;
  file.fd = open(file.name.c_str(), write ? O_RDWR | O_CREAT : O_RDONLY, 0600);
  expect(file.fd >= 0, file.name + ": cannot be opened");
  if (write) {
    write_whole(file);
  } else {
    read_ahead(file);
  }
  return file;
}

std::vector<File> open_files(const Arguments& arguments) {
  std::vector<File> files;
  for (const char* const option : {"--written", "--served"}) {
    if (arguments.text(option).empty()) continue;
    for (const char* const kind : {"read0", "read1", "read2", "read5", "hot", "mapped"}) {
      const bool write = std::string(option) == "--written";
      files.push_back(open_file(arguments.text(option), kind, arguments.bytes("--bytes"), write));
    }
  }
  return files;
}

void read_hot(const std::vector<File>& files, int seconds) {
  for (int passed = 0; passed < seconds; passed += kHotPeriodS) {
    for (const File& file : files) {
      if (file.hot) read_whole(file);
    }
    pause(std::min(kHotPeriodS, seconds - passed));
  }
}

// Takes all memory that is free, and so much more: the kernel has to reclaim that.
void take_more_than_free(int64_t more_bytes) {
  struct sysinfo info {};
  sysinfo(&info);
  const auto bytes = static_cast<int64_t>(info.freeram * info.mem_unit) + more_bytes;
  const Part part = reserve(bytes, false);
  populate(part);
  munmap(part.begin, static_cast<size_t>(part.bytes));
}

// Marks all pages idle where page_idle is there, so that a look tells whether a read clears that.
void mark_all_idle() {
  const int bitmap = open("/sys/kernel/mm/page_idle/bitmap", O_WRONLY);
  const std::vector<char> ones(1 << 16, '\xff');
  while (write(bitmap, ones.data(), ones.size()) > 0) {
  }
  close(bitmap);
}

std::vector<Look> look_on(const Arguments& arguments, const std::vector<File>& files) {
  for (const File& file : files) {
    for (int i = 0; i < file.reads; ++i) read_whole(file);
    if (file.mapped) touch(map(file));
  }
  const int seconds = static_cast<int>(arguments.number("--seconds"));
  std::vector<Look> looks;
  int passed = 0;
  for (const int when : std::set{1, std::min(61, seconds), seconds}) {
    read_hot(files, when - passed);
    passed = when;
    looks.push_back({std::to_string(when) + " s", page_flags()});
    if (when == 1) mark_all_idle();
  }
  if (const int64_t pressure = arguments.bytes("--pressure"); pressure > 0) {
    take_more_than_free(pressure);
    looks.push_back({"reclaim", page_flags()});
  }
  return looks;
}

// The page frames of what is in memory still.
std::vector<uint64_t> frames_of(const File& file) {
  const std::vector<unsigned char> there = resident(file);
  const Part part = map(file);
  const int pagemap = open("/proc/self/pagemap", O_RDONLY);
  std::vector<uint64_t> frames;
  for (size_t page = 0; page < there.size(); ++page) {
    if (there[page] == 0) continue;
    char* const at = part.begin + page * static_cast<size_t>(kPageBytes);
    static_cast<void>(*static_cast<volatile char*>(at));
    uint64_t entry = 0;
    const auto offset = static_cast<off_t>(reinterpret_cast<uintptr_t>(at) / kPageBytes * 8);
    expect(pread(pagemap, &entry, sizeof entry, offset) == sizeof entry, "no pagemap");
    frames.push_back(entry & ((uint64_t{1} << 55) - 1));
  }
  close(pagemap);
  return frames;
}

// One line: how many percent of the file's pages have each flag.
std::string line_of(const File& file, const Look& look, const std::vector<uint64_t>& frames) {
  std::string line =
      text_of("%-16s at %-8s %6zu pages", file.name.c_str(), look.when.c_str(), frames.size());
  for (const Flag& flag : kFlags) {
    const auto set = std::count_if(frames.begin(), frames.end(), [&](uint64_t frame) {
      return (look.flags.at(frame) >> flag.bit & 1) != 0;
    });
    const double percent =
        100.0 * static_cast<double>(set) / static_cast<double>(std::max<size_t>(frames.size(), 1));
    line += text_of(", %s %.0f", flag.name, percent);
  }
  return line;
}

void run(const Arguments& arguments) {
  const std::vector<File> files = open_files(arguments);
  const std::vector<Look> looks = look_on(arguments, files);
  const Report report(arguments.text("--name"), true);
  for (const File& file : files) {
    const std::vector<uint64_t> frames = frames_of(file);
    for (const Look& look : looks) report.note(line_of(file, look, frames));
  }
}

}  // namespace
}  // namespace guest_test

int main(int argc, char** argv) try {
  guest_test::run(guest_test::Arguments(argc, argv, 1, {},
                                        {{"--name", "cacheflags"},
                                         {"--written", ""},
                                         {"--served", ""},
                                         {"--bytes", "32M"},
                                         {"--seconds", "601"},
                                         {"--pressure", "0"}}));
} catch (const std::exception& error) {
  std::fprintf(stderr, "cacheflags: %s\n%s", error.what(), guest_test::kUsage);
  return 1;
}
