// A folder of a test's own, removed with all that is in it when this object goes.
#ifndef TURNOUT_TESTS_SUPPORT_TEMPORARY_FOLDER_H_
#define TURNOUT_TESTS_SUPPORT_TEMPORARY_FOLDER_H_

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace turnout::testing {

class TemporaryFolder {
 public:
  TemporaryFolder()
      : path_((std::filesystem::temp_directory_path() / "turnout-test.XXXXXX").string()) {
    if (mkdtemp(path_.data()) != nullptr) return;
    std::perror("mkdtemp");
    std::abort();
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace turnout::testing

#endif  // TURNOUT_TESTS_SUPPORT_TEMPORARY_FOLDER_H_
