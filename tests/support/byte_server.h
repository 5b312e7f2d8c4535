// A gRPC server that takes every method, as bytes: for servers that must be able to misbehave.
//
// One mutex guards everything: it is held while the handler runs, and who uses a Call from
// elsewhere holds it too.
#ifndef TURNOUT_TESTS_SUPPORT_BYTE_SERVER_H_
#define TURNOUT_TESTS_SUPPORT_BYTE_SERVER_H_

#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/server.h>
#include <grpcpp/support/status.h>

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

namespace turnout::testing {

class ByteServer {
 public:
  // A request, or a stream of them, that a client has begun.
  class Call {
   public:
    virtual ~Call() = default;
    virtual std::string method() const = 0;  // "Range", of "/etcdserverpb.KV/Range"
    virtual std::string Metadata(const std::string& key) const = 0;  // empty: none

    // In order, behind what waits already. Dropped once the call is finished.
    virtual void Send(std::string message) = 0;
    virtual bool has_unsent() const = 0;
    // Once all that waits has been sent; the first one counts.
    virtual void Finish(const grpc::Status& status) = 0;
  };

  class Handler {
   public:
    virtual ~Handler() = default;
    virtual void OnBegin(Call& /*call*/) {}
    virtual void OnMessage(Call& call, const std::string& message) = 0;
    virtual void OnSent(Call& /*call*/) {}  // nothing waits any more
    virtual void OnEnd(Call& /*call*/) {}   // `call` is not to be used after this
  };

  // `handler` and `mutex` outlive the server.
  ByteServer(std::mutex& mutex, Handler& handler) : mutex_(mutex), handler_(handler) {}
  ~ByteServer() { Stop(); }
  ByteServer(const ByteServer&) = delete;
  ByteServer& operator=(const ByteServer&) = delete;

  // Both without the mutex. Stopping cuts all connections and waits until every call has ended.
  void Start(const std::string& address);
  void Stop();

  // While silent, nothing is sent or finished; it all waits. With the mutex held.
  void SetSilent(bool silent);

 private:
  class CallImpl;
  void Accept();
  void Run();

  std::mutex& mutex_;
  Handler& handler_;
  bool silent_ = false;
  bool stopping_ = false;  // nothing more is begun
  std::set<CallImpl*> calls_;
  std::unique_ptr<grpc::AsyncGenericService> service_;
  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::unique_ptr<grpc::Server> server_;
  std::thread thread_;
};

}  // namespace turnout::testing

#endif  // TURNOUT_TESTS_SUPPORT_BYTE_SERVER_H_
