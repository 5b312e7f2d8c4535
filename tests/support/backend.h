// A server of `proto.Api` (and of `turnout.test.Streams`) in this process, registered in etcd.
// Every answer of every method is `VERSION ADDRESS`, as app_server's.
#ifndef TURNOUT_TESTS_SUPPORT_BACKEND_H_
#define TURNOUT_TESTS_SUPPORT_BACKEND_H_

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/support/status.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "turnout/registrar.h"

namespace grpc {
class Server;
class ServerContextBase;
}  // namespace grpc

namespace turnout::testing {

struct BackendOptions {
  // What is registered. Without a service: nothing; the server is just there.
  RegistrarOptions registration;

  std::string listen = "127.0.0.1:0";
  std::shared_ptr<grpc::ServerCredentials> credentials = grpc::InsecureServerCredentials();

  // Does it answer health checks, so that clients can tell it from others?
  bool prepared = true;

  // Runs at the beginning of each call, may block; what is not OK is the call's answer. Optional.
  std::function<grpc::Status(grpc::ServerContextBase&)> before_answer;

  // Before each answer of a Download.
  std::chrono::milliseconds stream_pace{0};
};

// Thread-safe.
class Backend {
 public:
  // Registered, unless there is no service: then its version is that of the options all the same.
  // Fails the test if that takes longer than kPatience.
  explicit Backend(BackendOptions options);

  // Ends calls at once, then deregisters.
  ~Backend();

  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  // The graceful end, as of a server that gets SIGTERM.
  void Drain();

  // The server ends at once; its record stays, as of one that crashed, until the Backend goes.
  void StopServer();

  // `host:port` as registered, or else as listening.
  const std::string& address() const { return address_; }
  int port() const { return port_; }
  std::string answer() const;
  int calls() const;  // that have begun

  Registrar& registrar() { return *registrar_; }
  grpc::Server& server() { return *server_; }

 private:
  class Services;

  const BackendOptions options_;
  std::string address_;
  int port_ = 0;
  std::unique_ptr<Services> services_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Registrar> registrar_;
};

// The usual one: a service and a version, at `etcd`.
std::unique_ptr<Backend> StartBackend(const std::string& etcd, const std::string& service,
                                      const std::string& version);

}  // namespace turnout::testing

#endif  // TURNOUT_TESTS_SUPPORT_BACKEND_H_
