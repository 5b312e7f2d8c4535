// A server that a test runs as a process of its own, so that it can be killed, frozen and replaced:
// app_server, or one of the same flags.
//
// One thread at a time, as Process.
#ifndef TURNOUT_TESTS_SUPPORT_SERVER_PROCESS_H_
#define TURNOUT_TESTS_SUPPORT_SERVER_PROCESS_H_

#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/checked_load.h"
#include "tests/support/process.h"

namespace turnout::testing {

struct ServerProcessOptions {
  std::string etcd;
  std::string service;
  std::string version = "v1";
  std::string listen = "127.0.0.1:0";
  std::string id;  // empty: a new one
  int ttl_s = 2;
  std::vector<std::string> more;  // further flags
  bool quiet = true;              // or else it says what it is called with
  std::string program = "app_server";
};

class ServerProcess {
 public:
  // Does not wait for the process.
  explicit ServerProcess(ServerProcessOptions options);

  // Until the server has said that it is registered. False, and the test has failed, if it does not
  // within kPatience.
  bool AwaitRegistered();

  // Until it says that it has been called; not if it is quiet. As AwaitRegistered.
  bool AwaitCall();

  // Known once it is registered.
  const std::string& key() const { return key_; }          // in etcd
  const std::string& address() const { return address_; }  // as advertised
  std::string answer() const { return options_.version + " " + address_; }
  std::string id() const { return key_.substr(key_.rfind('/') + 1); }

  void Freeze() const { process_.Signal(SIGSTOP); }
  void Thaw() const { process_.Signal(SIGCONT); }
  // SIGKILL, and waits for the end.
  testing::Kill Kill();
  // SIGTERM, and waits for the end, which must be a good one.
  void Drain();

 private:
  const ServerProcessOptions options_;
  Process process_;
  std::string key_;
  std::string address_;
};

// Starts all, then waits for all.
std::vector<std::unique_ptr<ServerProcess>> StartAll(std::vector<ServerProcessOptions> options);

}  // namespace turnout::testing

#endif  // TURNOUT_TESTS_SUPPORT_SERVER_PROCESS_H_
