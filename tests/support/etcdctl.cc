#include "tests/support/etcdctl.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <sstream>

#include "tests/support/process.h"

namespace turnout::testing {

void EtcdCtl::Run(const std::string& command) const {
  const char* const named = std::getenv("TURNOUT_TEST_ETCD");
  const std::filesystem::path etcd = named != nullptr ? named : TURNOUT_TEST_ETCD;
  std::vector<std::string> words = {etcd.parent_path() / "etcdctl"};
  words.insert(words.end(), flags_.begin(), flags_.end());
  std::istringstream parts(command);
  words.insert(words.end(), std::istream_iterator<std::string>(parts), {});
  Process process(words);
  process.ReadAll();
  EXPECT_EQ(process.Wait(), 0) << "etcdctl " << command;
}

void EtcdCtl::AddUser(const std::string& name, const std::string& password,
                      const std::vector<std::string>& permissions) const {
  Run("user add " + name + ":" + password);
  if (name != "root") Run("role add " + name);
  for (const std::string& permission : permissions) {
    std::string command = "role grant-permission ";
    Run(command.append(name).append(" ").append(permission));
  }
  Run("user grant-role " + name + " " + name);
}

void EtcdCtl::EnableAuthentication(const std::string& password_of_root) {
  AddUser("root", password_of_root, {});
  Run("auth enable");
  flags_.push_back("--user=root:" + password_of_root);
}

}  // namespace turnout::testing
