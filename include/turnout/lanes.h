// Lanes: what a request says of itself when it enters goes with it through every hop, so that at
// each of them traffic rules can send it to the instances of its lane, or to the baseline where the
// lane has none. docs/examples/rules/lane.json are such rules. Here is the way from a server's
// incoming call to the calls that it makes in turn:
//
//   // Explicitly, in any server:
//   grpc::ClientContext next;
//   turnout::Forward(*context, next);
//
//   // Or by itself: in a synchronous server, for the channels on which it calls.
//   turnout::ForwardLanes(builder);
//   turnout::CreateChannel(target, credentials, {.forward_lanes = true});
//
// The second way remembers the lane for a thread. It works where a call's code runs on one thread
// from beginning to end, with no other call's in between; elsewhere gRPC has no context that leads
// from an outgoing call back to the incoming one (as of gRPC 1.51.1):
//
//   synchronous server   In all of the handler, streaming or not, whichever way it ends:
//                        returned, thrown, cancelled. Not in threads that the handler starts.
//   callback server      In the function that returns the reactor, and not in the reactions
//                        (OnReadDone, OnDone, a client's callback, …), which run on any thread.
//   completion queue     Nowhere: gRPC hands out a tag and does not know what is done with it.
//
// Where it does not reach, use Forward, or a LaneScope around whatever makes the calls. Calls on
// the channel may be of any kind (synchronous, callback, completion queue): what counts is the
// thread on which a call is made, with the stub's method, not the one on which it goes on. Retries
// keep what the call had.
#ifndef TURNOUT_LANES_H_
#define TURNOUT_LANES_H_

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace grpc {
class ClientContext;
class ServerBuilder;
class ServerContextBase;
namespace experimental {
class ClientInterceptorFactoryInterface;
class ServerInterceptorFactoryInterface;
}  // namespace experimental
}  // namespace grpc

namespace turnout {

struct LaneOptions {
  // The metadata that goes along, in lower case, as gRPC's keys are. Several where more than the
  // lane is to arrive at every hop (`traceparent`). A name that ends in `-bin` holds any bytes.
  std::vector<std::string> keys = {"turnout-lane"};
};

// Copies what the incoming call has under the keys to the outgoing one, whose call has not been
// made yet: nothing where it has nothing, and nothing under a key that `to` states already, be it
// by the application or by an earlier Forward. All values of a repeated key are copied, in order;
// rules see them joined by commas, which is the name of no lane.
//
// Thread-safe for different `to`. The incoming call has not ended.
void Forward(const grpc::ServerContextBase& from, grpc::ClientContext& to,
             const LaneOptions& options = {});

// For as long as it lives, calls that the thread makes on channels with `forward_lanes` have what
// the incoming call has under the keys, unless they state that key themselves. Of nested ones only
// the innermost counts, also if its call has no lane.
//
// A local variable: it goes on the thread that made it, before those that were there earlier do.
// Not across a coroutine's suspension. It refers to nothing of the incoming call.
class LaneScope {
 public:
  [[nodiscard]] explicit LaneScope(const grpc::ServerContextBase& context,
                                   const LaneOptions& options = {});
  ~LaneScope();
  LaneScope(const LaneScope&) = delete;
  LaneScope& operator=(const LaneScope&) = delete;
  static void* operator new(std::size_t) = delete;
  static void* operator new[](std::size_t) = delete;

  // Of the calling thread; empty outside any scope.
  using Metadata = std::vector<std::pair<std::string, std::string>>;
  static const Metadata& Current();

 private:
  const Metadata metadata_;
  const LaneScope* const outer_;
};

// Opens a LaneScope around the handlers of the server that is being built: see above. Sets the
// builder's interceptors; whoever has others puts ServerLaneInterceptors first in their list, which
// gRPC runs last, next to the handler.
void ForwardLanes(grpc::ServerBuilder& builder, const LaneOptions& options = {});

// What the server and a channel with `forward_lanes` have, for those who set interceptors
// themselves: grpc::ServerBuilder::experimental().SetInterceptorCreators and
// grpc::experimental::CreateCustomChannelWithInterceptors. Of the server's, one that comes between
// this one and the handler and goes on from another thread leaves the lane behind; no other call
// gets it.
std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> ServerLaneInterceptors(
    LaneOptions options = {});
std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface> ClientLaneInterceptors();

}  // namespace turnout

#endif  // TURNOUT_LANES_H_
