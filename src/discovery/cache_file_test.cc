#include "src/discovery/cache_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/support/temporary_folder.h"

namespace turnout::discovery {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using turnout::testing::TemporaryFolder;

mode_t ModeOf(const std::string& path) {
  struct stat found {};
  EXPECT_EQ(stat(path.c_str(), &found), 0) << path;
  return found.st_mode & 07777;
}

std::string FaultOf(const std::string& path) {
  return std::string{ReadCacheFile(path).status().message()};
}

class CacheFileTest : public ::testing::Test {
 protected:
  // Written as the cache writes them.
  void Write(const std::string& name, const std::string& content) const {
    const absl::Status status = ReplaceCacheFile(folder.path(), name, content);
    ASSERT_TRUE(status.ok()) << status;
  }

  const TemporaryFolder folder;
};

TEST_F(CacheFileTest, WhatIsWrittenIsRead) {
  const std::string zeros("a\0b\n", 4);
  for (const std::string& content : {zeros, std::string(), std::string(3'000'000, 'x')}) {
    Write("file", content);
    const auto read = ReadCacheFile(folder / "file");
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(*read, content);
  }
  EXPECT_THAT(CacheFileNames(folder.path()), UnorderedElementsAre("file"));
}

TEST_F(CacheFileTest, FolderAndFileAreOurs) {
  const std::string nested = folder / "a/b//c";
  ASSERT_TRUE(ReplaceCacheFile(nested, "file", "x").ok());
  EXPECT_EQ(ModeOf(folder / "a"), 0700U);
  EXPECT_EQ(ModeOf(nested), 0700U);
  EXPECT_EQ(ModeOf(nested + "/file"), 0600U);
}

TEST_F(CacheFileTest, ThereMayBeNone) {
  EXPECT_TRUE(absl::IsNotFound(ReadCacheFile(folder / "file").status()));
  EXPECT_TRUE(absl::IsNotFound(ReadCacheFile(folder / "no/file").status()));
  EXPECT_THAT(CacheFileNames(folder / "no"), IsEmpty());
}

TEST_F(CacheFileTest, WhatOthersMayWriteToIsNotRead) {
  Write("file", "x");
  for (const mode_t mode : {0620U, 0602U, 0666U}) {
    ASSERT_EQ(chmod((folder / "file").c_str(), mode), 0);
    EXPECT_THAT(FaultOf(folder / "file"), HasSubstr("others may write to it: chmod 600"));
  }
  ASSERT_EQ(chmod((folder / "file").c_str(), 0644), 0);
  EXPECT_TRUE(ReadCacheFile(folder / "file").ok());
}

TEST_F(CacheFileTest, WhatBelongsToOthersIsNotRead) {
  std::string path = "/etc/passwd";  // root's
  if (geteuid() == 0) {
    Write("file", "x");
    path = folder / "file";
    ASSERT_EQ(chown(path.c_str(), 65534, 65534), 0);
  }
  EXPECT_THAT(FaultOf(path), HasSubstr("belongs to another user"));
}

TEST_F(CacheFileTest, OnlyRegularFilesAreRead) {
  Write("file", "x");
  std::filesystem::create_symlink(folder / "file", folder / "link");
  EXPECT_THAT(FaultOf(folder / "link"), HasSubstr("symbolic link"));
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(FaultOf(folder / "pipe"), HasSubstr("no regular file")) << "and nobody waited";
  std::filesystem::create_directory(folder / "folder");
  EXPECT_THAT(FaultOf(folder / "folder"), HasSubstr("no regular file"));
}

TEST_F(CacheFileTest, HugeFilesAreNotRead) {
  Write("file", "x");
  std::filesystem::resize_file(folder / "file", kLargestCacheFile + 1);  // sparse
  EXPECT_THAT(FaultOf(folder / "file"), HasSubstr("larger than 64 MiB"));
  const std::string content(kLargestCacheFile + 1, 'x');
  EXPECT_TRUE(absl::IsResourceExhausted(ReplaceCacheFile(folder.path(), "new", content)));
}

TEST_F(CacheFileTest, BadFilesAreReplaced) {
  std::filesystem::create_symlink("/etc/passwd", folder / "link");
  Write("link", "x");
  EXPECT_EQ(*ReadCacheFile(folder / "link"), "x");
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0666), 0);
  Write("pipe", "x");
  EXPECT_EQ(*ReadCacheFile(folder / "pipe"), "x");
}

TEST_F(CacheFileTest, WhereNothingCanBeWrittenTheErrorSaysWhy) {
  Write("file", "x");
  const absl::Status in_file = ReplaceCacheFile(folder / "file", "name", "x");
  EXPECT_THAT(std::string{in_file.message()}, HasSubstr("Not a directory"));
  std::filesystem::create_directory(folder / "taken");
  const absl::Status taken = ReplaceCacheFile(folder.path(), "taken", "x");
  EXPECT_THAT(std::string{taken.message()}, HasSubstr("rename: Is a directory"));
  EXPECT_THAT(CacheFileNames(folder.path()), UnorderedElementsAre("file", "taken"));
}

TEST_F(CacheFileTest, AFullDiskLeavesTheOldFile) {
  Write("file", "old");
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit little{1000, before.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &little), 0);
  const absl::Status status = ReplaceCacheFile(folder.path(), "file", std::string(2000, 'x'));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_THAT(std::string{status.message()}, HasSubstr("write: File too large"));
  EXPECT_EQ(*ReadCacheFile(folder / "file"), "old");
  EXPECT_THAT(CacheFileNames(folder.path()), UnorderedElementsAre("file"));
}

TEST_F(CacheFileTest, LeftoversOfTheDeadAreRemoved) {
  for (const char* const name : {".file.1", ".file.2", ".other.1", "file"}) {
    std::ofstream(folder / name) << "x";
  }
  const auto long_ago = std::filesystem::file_time_type::clock::now() - std::chrono::minutes(2);
  for (const char* const name : {".file.1", ".other.1", "file"}) {
    std::filesystem::last_write_time(folder / name, long_ago);
  }
  RemoveLeftovers(folder.path(), "file");
  EXPECT_THAT(CacheFileNames(folder.path()), UnorderedElementsAre(".file.2", ".other.1", "file"))
      << ".file.2 is perhaps being written, .other.1 is of another file";
}

// Many replace a file at once, and whoever reads finds one of them whole.
TEST_F(CacheFileTest, ReadersFindAllOrNothingNew) {
  const std::string a(100'000, 'a'), b(70'000, 'b');
  Write("file", a);
  std::vector<std::thread> writers;
  for (const std::string* content : {&a, &b}) {
    writers.emplace_back([this, content] {
      for (int i = 0; i < 50; ++i) {
        EXPECT_TRUE(ReplaceCacheFile(folder.path(), "file", *content).ok());
      }
    });
  }
  for (int i = 0; i < 200; ++i) {
    const auto read = ReadCacheFile(folder / "file");
    ASSERT_TRUE(read.ok()) << read.status();
    ASSERT_TRUE(*read == a || *read == b) << read->size();
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_THAT(CacheFileNames(folder.path()), UnorderedElementsAre("file"));
}

}  // namespace
}  // namespace turnout::discovery
