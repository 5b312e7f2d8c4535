#include "src/base/read_file.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace turnout::base {
namespace {

class ReadFileTest : public testing::Test {
 protected:
  ReadFileTest() { folder_ = mkdtemp(folder_.data()); }
  ~ReadFileTest() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& content) const {
    std::string path = folder_ + "/file";
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }
  static std::string Error(const std::string& path, std::size_t most = 10) {
    return std::string{ReadFile(path, most).status().message()};
  }

  std::string folder_ = testing::TempDir() + "read_file-XXXXXX";
};

TEST_F(ReadFileTest, ReadsAllBytes) {
  const std::string bytes("a\0\xff\n", 4);
  EXPECT_EQ(*ReadFile(Write(bytes)), bytes);
  EXPECT_EQ(*ReadFile(Write("")), "");
  EXPECT_EQ(*ReadFile(Write("0123456789"), 10), "0123456789");
}

TEST_F(ReadFileTest, SaysWhyNot) {
  const std::string none = folder_ + "/none";
  EXPECT_EQ(Error(none), none + " cannot be read (No such file or directory)");
  EXPECT_EQ(Error(folder_), folder_ + " cannot be read (it is no file)");
  const std::string pipe = folder_ + "/pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(Error(pipe), pipe + " cannot be read (it is no file)");
  const std::string large = Write("0123456789a");
  EXPECT_EQ(Error(large), large + " cannot be read (it is larger than 10 bytes)");
}

}  // namespace
}  // namespace turnout::base
