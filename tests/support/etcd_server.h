// A real etcd of a test's own: a process on free loopback ports, in a temporary folder.
//
// One thread at a time; etcd is killed when the thread that started it ends. Whatever goes wrong
// ends the test program with etcd's last words, since a test could say nothing after that.
#ifndef TURNOUT_TESTS_SUPPORT_ETCD_SERVER_H_
#define TURNOUT_TESTS_SUPPORT_ETCD_SERVER_H_

#include <sys/types.h>

#include <string>
#include <vector>

namespace turnout::testing {

// A free port that nobody is given while this lives, and that servers may listen on all the same.
class ReservedPort {
 public:
  explicit ReservedPort(bool ipv6 = false);  // on 127.0.0.1 or [::1]
  ~ReservedPort();
  ReservedPort(const ReservedPort&) = delete;
  ReservedPort& operator=(const ReservedPort&) = delete;

  const std::string& address() const { return address_; }  // `host:port`

 private:
  int socket_;
  std::string address_;
};

struct EtcdServerOptions {
  bool ipv6 = false;               // listen on [::1]
  std::vector<std::string> flags;  // further ones of etcd's
};

class EtcdServer {
 public:
  // Starts etcd, the one that TURNOUT_TEST_ETCD names, and waits until it answers.
  explicit EtcdServer(EtcdServerOptions options = {});
  ~EtcdServer();  // kills it and removes its folder
  EtcdServer(const EtcdServer&) = delete;
  EtcdServer& operator=(const EtcdServer&) = delete;

  const std::string& endpoint() const { return client_port_.address(); }

  void Stop();     // SIGTERM
  void Kill();     // SIGKILL
  void Start();    // again, with the same port and data; waits until it answers
  void Restart();  // killed, and started again
  void Wipe();     // removes the data; while it does not run

  // Freezes it: connections stay open, nothing is answered.
  void Pause() const;
  void Continue() const;

 private:
  std::vector<std::string> Command() const;
  void AwaitAnswer();
  void AwaitEnd();
  bool Ended();
  [[noreturn]] void Fail(const std::string& what) const;

  const EtcdServerOptions options_;
  const ReservedPort client_port_, peer_port_;
  std::string folder_;
  pid_t pid_ = -1;  // -1: does not run
};

}  // namespace turnout::testing

#endif  // TURNOUT_TESTS_SUPPORT_ETCD_SERVER_H_
