// Servers that call one another in a chain, each in the way of one of gRPC's APIs. A hop answers
// with its name, and with what the next hop answers to the same call: "front(blue) → middle →
// back".
//
// What they do about lanes is what an application would do that uses that API.
#ifndef TURNOUT_TESTS_INTEGRATION_LANE_HOPS_H_
#define TURNOUT_TESTS_INTEGRATION_LANE_HOPS_H_

#include <grpcpp/channel.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <memory>
#include <ostream>
#include <string>

#include "turnout/registrar.h"

namespace turnout::testing {

enum class HopKind {
  kSynchronous,         // interceptors do it
  kSynchronousForward,  // Forward does it, without interceptors
  kCallback,            // interceptors in functions, LaneScope in reactions
  kCallbackForward,
  kCompletionQueue,  // Forward
};
std::ostream& operator<<(std::ostream& out, HopKind kind);

struct Hop {
  std::string name;
  std::shared_ptr<grpc::Channel> next;  // null: it is the last
  bool forwards = false;                // does it use Forward?
};

// proto.Api and turnout.test.Streams. Outlives the server.
class HopServices {
 public:
  virtual ~HopServices() = default;
  virtual void AddTo(grpc::ServerBuilder& builder) = 0;
  virtual void Start() {}  // when the server has started
  virtual void Stop() {}   // when it has ended
};

std::unique_ptr<HopServices> MakeSynchronousHop(Hop hop);
std::unique_ptr<HopServices> MakeCallbackHop(Hop hop);
std::unique_ptr<HopServices> MakeCompletionQueueHop(Hop hop);

// `answer` is the next hop's.
inline std::string Joined(const Hop& hop, const std::string& answer) {
  return hop.name + " → " + answer;
}

struct HopOptions {
  HopKind kind = HopKind::kSynchronous;
  std::string etcd;
  std::string service;
  std::string next_service;  // empty: it is the last
  std::string place;         // in the chain, `front`
  std::string lane;          // whose instance it is; empty: of none
};

// A server of its own, registered.
class HopServer {
 public:
  // Fails the test if that takes longer than kPatience.
  explicit HopServer(const HopOptions& options);
  // Ends calls at once, then deregisters.
  ~HopServer();

 private:
  std::unique_ptr<HopServices> services_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<Registrar> registrar_;
};

}  // namespace turnout::testing

#endif  // TURNOUT_TESTS_INTEGRATION_LANE_HOPS_H_
