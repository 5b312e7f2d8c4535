// etcd's own command, for what an operator does: users, roles, permissions.
#ifndef TURNOUT_TESTS_SUPPORT_ETCDCTL_H_
#define TURNOUT_TESTS_SUPPORT_ETCDCTL_H_

#include <string>
#include <vector>

namespace turnout::testing {

class EtcdCtl {
 public:
  // `flags` stand before every command: "--endpoints=…", "--cacert=…". It is found beside the etcd
  // that TURNOUT_TEST_ETCD names.
  explicit EtcdCtl(std::vector<std::string> flags) : flags_(std::move(flags)) {}

  // "user add root:secret". Fails the test if the command does.
  void Run(const std::string& command) const;

  // A user `name` whose role, of the same name, has these permissions: "readwrite --prefix /a/".
  void AddUser(const std::string& name, const std::string& password,
               const std::vector<std::string>& permissions) const;
  // From now on etcd asks who its clients are. Needs the user root, who may do everything; later
  // commands are given in his name.
  void EnableAuthentication(const std::string& password_of_root);

 private:
  std::vector<std::string> flags_;
};

}  // namespace turnout::testing

#endif  // TURNOUT_TESTS_SUPPORT_ETCDCTL_H_
