#include "turnout/lanes.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/support/client_interceptor.h>
#include <grpcpp/support/server_interceptor.h>
#include <grpcpp/test/client_context_test_peer.h>
#include <grpcpp/test/server_context_test_spouse.h>

#include <functional>
#include <future>
#include <thread>
#include <utility>
#include <vector>

#include "proto/api.grpc.pb.h"

namespace turnout {
namespace {

using grpc::experimental::ClientInterceptorFactoryInterface;
using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::Interceptor;
using grpc::experimental::InterceptorBatchMethods;
using grpc::experimental::ServerInterceptorFactoryInterface;
using grpc::experimental::ServerRpcInfo;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr char kLane[] = "turnout-lane";

// A call as it has come in.
class Incoming {
 public:
  Incoming(std::initializer_list<LaneScope::Metadata::value_type> metadata) {
    for (const auto& [key, value] : metadata) spouse_.AddClientMetadata(key, value);
  }
  const grpc::ServerContextBase& context() const { return context_; }

 private:
  grpc::ServerContext context_;
  grpc::testing::ServerContextTestSpouse spouse_{&context_};
};

std::multimap<std::string, std::string> Stated(grpc::ClientContext& context) {
  return grpc::testing::ClientContextTestPeer(&context).GetSendInitialMetadata();
}

TEST(Forward, CopiesTheLaneAndNothingElse) {
  const Incoming from{{kLane, "blue"}, {"other", "x"}};
  grpc::ClientContext to;
  Forward(from.context(), to);
  EXPECT_THAT(Stated(to), ElementsAre(Pair(kLane, "blue")));
}

TEST(Forward, AddsNothingWhereThereIsNoLane) {
  const Incoming from{{"other", "x"}};
  grpc::ClientContext to;
  to.AddMetadata("own", "y");
  Forward(from.context(), to);
  EXPECT_THAT(Stated(to), ElementsAre(Pair("own", "y")));
}

TEST(Forward, LeavesWhatTheOutgoingCallStates) {
  const Incoming from{{kLane, "blue"}};
  grpc::ClientContext to;
  to.AddMetadata(kLane, "green");
  Forward(from.context(), to);
  EXPECT_THAT(Stated(to), ElementsAre(Pair(kLane, "green")));
}

TEST(Forward, NeverCopiesTwice) {
  const Incoming from{{kLane, "blue"}};
  grpc::ClientContext to;
  Forward(from.context(), to, {.keys = {kLane, kLane}});
  Forward(from.context(), to);
  EXPECT_THAT(Stated(to), ElementsAre(Pair(kLane, "blue")));
}

TEST(Forward, CopiesEachOfSeveralKeysAndValues) {
  const Incoming from{{"a", "2"}, {"a", "1"}, {"b", "3"}, {"c", "4"}};
  grpc::ClientContext to;
  to.AddMetadata("b", "own");
  Forward(from.context(), to, {.keys = {"b", "a", "missing"}});
  EXPECT_THAT(Stated(to), ElementsAre(Pair("a", "2"), Pair("a", "1"), Pair("b", "own")));
}

TEST(Forward, CopiesBytes) {
  const std::string bytes("\0\xff,\n", 4);
  const Incoming from{{"trace-bin", bytes}};
  grpc::ClientContext to;
  Forward(from.context(), to, {.keys = {"trace-bin"}});
  EXPECT_THAT(Stated(to), ElementsAre(Pair("trace-bin", bytes)));
}

TEST(LaneScope, IsTheThreadsForAsLongAsItLives) {
  EXPECT_THAT(LaneScope::Current(), IsEmpty());
  {
    const LaneScope scope(Incoming{{kLane, "blue"}, {"other", "x"}}.context());
    EXPECT_THAT(LaneScope::Current(), ElementsAre(Pair(kLane, "blue")));
    std::thread([] { EXPECT_THAT(LaneScope::Current(), IsEmpty()); }).join();
  }
  EXPECT_THAT(LaneScope::Current(), IsEmpty());
}

TEST(LaneScope, OfNestedOnesOnlyTheInnermostCounts) {
  const LaneScope outer(Incoming{{kLane, "blue"}}.context());
  {
    const LaneScope other(Incoming{{kLane, "green"}}.context());
    EXPECT_THAT(LaneScope::Current(), ElementsAre(Pair(kLane, "green")));
    {
      const LaneScope none(Incoming{}.context());
      EXPECT_THAT(LaneScope::Current(), IsEmpty());
    }
    EXPECT_THAT(LaneScope::Current(), ElementsAre(Pair(kLane, "green")));
  }
  EXPECT_THAT(LaneScope::Current(), ElementsAre(Pair(kLane, "blue")));
}

// --- Interceptors, with a server whose answer is what the call has in its lane: "blue", "" for
// none, "a,b" for several.

std::string LaneOf(const grpc::ServerContextBase& context) {
  std::string lanes;
  const auto [begin, end] = context.client_metadata().equal_range(kLane);
  for (auto each = begin; each != end; ++each) {
    lanes += (lanes.empty() ? "" : ",") + std::string(each->second.data(), each->second.size());
  }
  return lanes;
}

class Echo final : public proto::Api::Service {
  grpc::Status ApiTest(grpc::ServerContext* context, const proto::Request* /*request*/,
                       proto::Response* response) override {
    response->set_output(LaneOf(*context));
    return grpc::Status::OK;
  }
};

class ClientLanes : public ::testing::Test {
 protected:
  ClientLanes() {
    grpc::ServerBuilder builder;
    builder.RegisterService(&echo_);
    server_ = builder.BuildAndStart();
    std::vector<std::unique_ptr<ClientInterceptorFactoryInterface>> interceptors;
    interceptors.push_back(ClientLaneInterceptors());
    stub_ = proto::Api::NewStub(
        server_->experimental().InProcessChannelWithInterceptors({}, std::move(interceptors)));
  }

  std::string Call(const std::string& own_lane = "") {
    grpc::ClientContext context;
    if (!own_lane.empty()) context.AddMetadata(kLane, own_lane);
    proto::Response response;
    const grpc::Status status = stub_->ApiTest(&context, {}, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return response.output();
  }

  Echo echo_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<proto::Api::Stub> stub_;
};

TEST_F(ClientLanes, CallsHaveTheLaneOfTheirThread) {
  EXPECT_EQ(Call(), "");
  {
    const LaneScope scope(Incoming{{kLane, "blue"}}.context());
    EXPECT_EQ(Call(), "blue");
    std::thread([this] { EXPECT_EQ(Call(), ""); }).join();
  }
  EXPECT_EQ(Call(), "");
}

TEST_F(ClientLanes, WhatTheApplicationStatesWins) {
  const LaneScope scope(Incoming{{kLane, "blue"}}.context());
  EXPECT_EQ(Call("green"), "green");
}

TEST_F(ClientLanes, TogetherWithForwardTheLaneIsThereOnce) {
  const Incoming from{{kLane, "blue"}};
  const LaneScope scope(from.context());
  grpc::ClientContext context;
  Forward(from.context(), context);
  proto::Response response;
  ASSERT_TRUE(stub_->ApiTest(&context, {}, &response).ok());
  EXPECT_EQ(response.output(), "blue");
}

// One thread makes the call, another one sends it.
TEST_F(ClientLanes, TheThreadThatMakesTheCallCounts) {
  grpc::CompletionQueue queue;
  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientAsyncResponseReader<proto::Response>> call;
  {
    const LaneScope scope(Incoming{{kLane, "blue"}}.context());
    call = stub_->PrepareAsyncApiTest(&context, {}, &queue);
  }
  const LaneScope other(Incoming{{kLane, "green"}}.context());
  call->StartCall();
  proto::Response response;
  grpc::Status status;
  call->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  ASSERT_TRUE(queue.Next(&tag, &ok));
  EXPECT_EQ(response.output(), "blue");
  queue.Shutdown();
  EXPECT_FALSE(queue.Next(&tag, &ok));
}

std::string CurrentLane() {
  const LaneScope::Metadata& current = LaneScope::Current();
  return current.empty() ? "none" : current.front().second;
}

// Calls a server with the lane blue.
grpc::Status CallInBlue(grpc::Server& server, std::string* output = nullptr) {
  const auto stub = proto::Api::NewStub(server.InProcessChannel({}));
  grpc::ClientContext context;
  context.AddMetadata(kLane, "blue");
  proto::Response response;
  grpc::Status status = stub->ApiTest(&context, {}, &response);
  if (output != nullptr) *output = response.output();
  return status;
}

class SynchronousServer final : public proto::Api::Service {
 public:
  bool throws = false;

 private:
  grpc::Status ApiTest(grpc::ServerContext* /*context*/, const proto::Request* /*request*/,
                       proto::Response* response) override {
    if (throws) throw std::runtime_error("a mistake");
    response->set_output(CurrentLane());
    return grpc::Status::OK;
  }
};

TEST(ServerLanes, ASynchronousHandlerHasTheLaneOfItsCall) {
  SynchronousServer service;
  grpc::ServerBuilder builder;
  builder.RegisterService(&service);
  ForwardLanes(builder);
  const auto server = builder.BuildAndStart();
  std::string lane;
  EXPECT_TRUE(CallInBlue(*server, &lane).ok());
  EXPECT_EQ(lane, "blue");
}

using Interceptors = std::vector<std::unique_ptr<ServerInterceptorFactoryInterface>>;

// Has `go_on` let a call that has come in go on, by Proceed.
class Between final : public ServerInterceptorFactoryInterface {
 public:
  using GoOn = std::function<void(InterceptorBatchMethods&)>;
  explicit Between(GoOn go_on) : go_on_(std::move(go_on)) {}

  Interceptor* CreateServerInterceptor(ServerRpcInfo* /*info*/) override { return new One(go_on_); }

 private:
  class One final : public Interceptor {
   public:
    explicit One(const GoOn& go_on) : go_on_(go_on) {}
    void Intercept(InterceptorBatchMethods* methods) override {
      if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::POST_RECV_INITIAL_METADATA)) {
        go_on_(*methods);
      } else {
        methods->Proceed();
      }
    }

   private:
    const GoOn& go_on_;
  };
  const GoOn go_on_;
};

// The interceptor outside sees the thread before and after the handler.
TEST(ServerLanes, NothingStaysOnTheThreadHoweverTheHandlerEnds) {
  for (const bool throws : {false, true}) {
    SynchronousServer service;
    service.throws = throws;
    std::promise<std::string> after;
    Interceptors interceptors;
    interceptors.push_back(ServerLaneInterceptors());
    interceptors.push_back(std::make_unique<Between>([&after](InterceptorBatchMethods& methods) {
      methods.Proceed();
      after.set_value(CurrentLane());
    }));
    grpc::ServerBuilder builder;
    builder.RegisterService(&service);
    builder.experimental().SetInterceptorCreators(std::move(interceptors));
    const auto server = builder.BuildAndStart();
    EXPECT_EQ(CallInBlue(*server).ok(), !throws);
    EXPECT_EQ(after.get_future().get(), "none");
  }
}

TEST(ServerLanes, AHandlerThatIsMovedToAnotherThreadHasNone) {
  SynchronousServer service;
  std::thread other;
  std::promise<std::string> after;
  Interceptors interceptors;
  interceptors.push_back(std::make_unique<Between>([&other](InterceptorBatchMethods& methods) {
    other = std::thread([&methods] { methods.Proceed(); });
  }));
  interceptors.push_back(ServerLaneInterceptors());
  interceptors.push_back(std::make_unique<Between>([&after](InterceptorBatchMethods& methods) {
    methods.Proceed();
    after.set_value(CurrentLane());
  }));
  grpc::ServerBuilder builder;
  builder.RegisterService(&service);
  builder.experimental().SetInterceptorCreators(std::move(interceptors));
  const auto server = builder.BuildAndStart();
  std::string lane;
  EXPECT_TRUE(CallInBlue(*server, &lane).ok());
  EXPECT_EQ(lane, "none");
  EXPECT_EQ(after.get_future().get(), "none") << "while the handler may still have been running";
  other.join();
}

// Says what the lane was in the function and in the reaction.
class CallbackServer final : public proto::Api::CallbackService {
 public:
  std::promise<std::string> in_reaction;

 private:
  class Reactor final : public grpc::ServerUnaryReactor {
   public:
    explicit Reactor(CallbackServer& owner) : owner_(owner) { Finish(grpc::Status::OK); }
    void OnDone() override {
      owner_.in_reaction.set_value(CurrentLane());
      delete this;
    }

   private:
    CallbackServer& owner_;
  };

  grpc::ServerUnaryReactor* ApiTest(grpc::CallbackServerContext* /*context*/,
                                    const proto::Request* /*request*/,
                                    proto::Response* response) override {
    response->set_output(CurrentLane());
    return new Reactor(*this);
  }
};

TEST(ServerLanes, ACallbackFunctionHasTheLaneAndItsReactionsHaveNone) {
  CallbackServer service;
  grpc::ServerBuilder builder;
  builder.RegisterService(&service);
  ForwardLanes(builder);
  const auto server = builder.BuildAndStart();
  std::string lane;
  EXPECT_TRUE(CallInBlue(*server, &lane).ok());
  EXPECT_EQ(lane, "blue");
  EXPECT_EQ(service.in_reaction.get_future().get(), "none");
}

TEST(ServerLanes, ACompletionQueueHasNone) {
  proto::Api::AsyncService service;
  grpc::ServerBuilder builder;
  builder.RegisterService(&service);
  ForwardLanes(builder);
  const auto queue = builder.AddCompletionQueue();
  const auto server = builder.BuildAndStart();
  grpc::ServerContext context;
  proto::Request request;
  grpc::ServerAsyncResponseWriter<proto::Response> writer(&context);
  service.RequestApiTest(&context, &request, &writer, queue.get(), queue.get(), nullptr);
  std::thread client([&server] { EXPECT_TRUE(CallInBlue(*server).ok()); });
  void* tag = nullptr;
  bool ok = false;
  ASSERT_TRUE(queue->Next(&tag, &ok) && ok);
  EXPECT_EQ(CurrentLane(), "none");
  EXPECT_EQ(LaneOf(context), "blue");
  writer.Finish({}, grpc::Status::OK, nullptr);
  ASSERT_TRUE(queue->Next(&tag, &ok));
  client.join();
  server->Shutdown();
  queue->Shutdown();
  while (queue->Next(&tag, &ok)) {
  }
}

}  // namespace
}  // namespace turnout
