// A real etcd of a test's own: a process on free loopback ports, in a temporary folder.
//
// One thread at a time; etcd is killed when the thread that started it ends. Whatever goes wrong
// ends the test program with etcd's last words, since a test could say nothing after that.
#ifndef TURNOUT_TESTS_SUPPORT_ETCD_SERVER_H_
#define TURNOUT_TESTS_SUPPORT_ETCD_SERVER_H_

#include <sys/types.h>

#include <atomic>
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

// PEM files, read by etcd when it starts. Without cert_file, it speaks plain text.
struct EtcdTls {
  std::string cert_file, key_file;
  std::string client_ca_file;  // clients must show a certificate of this authority; empty: need not
  // Whom, and with what, we ask whether it answers.
  std::string ca_file, our_cert_file, our_key_file;
};

struct EtcdServerOptions {
  bool ipv6 = false;  // listen on [::1]
  EtcdTls tls;
  std::vector<std::string> flags;  // further ones of etcd's
  bool awaits = true;              // does the constructor wait until it answers?
};

class EtcdServer {
 public:
  // Starts etcd, the one that TURNOUT_TEST_ETCD names, and waits until it answers: for a member of
  // a cluster, that is when most of them run.
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
  void AwaitAnswer();

  // Freezes it: connections stay open, nothing is answered.
  void Pause() const;
  void Continue() const;

  pid_t pid() const { return pid_; }  // -1 while it does not run; from any thread
  std::string data_folder() const { return folder_ + "/data"; }

 private:
  std::vector<std::string> Command() const;
  void Launch();
  void AwaitEnd();
  bool Ended();
  [[noreturn]] void Fail(const std::string& what) const;

  const EtcdServerOptions options_;
  const ReservedPort client_port_, peer_port_;
  std::string folder_;
  std::atomic<pid_t> pid_{-1};  // -1: does not run
};

}  // namespace turnout::testing

#endif  // TURNOUT_TESTS_SUPPORT_ETCD_SERVER_H_
