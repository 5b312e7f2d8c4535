// Whatever a gRPC channel can do, it does on our resolver and policy.
#include <gmock/gmock.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <atomic>
#include <future>
#include <set>

#include "proto/api.grpc.pb.h"
#include "proto/test_streams.grpc.pb.h"
#include "tests/support/certificate.h"
#include "tests/support/etcd_server.h"
#include "tests/support/fixture.h"
#include "turnout/picker.h"

namespace turnout::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::Pair;

constexpr char kRetry[] = R"("methodConfig":[{"name":[{}],"retryPolicy":{"maxAttempts":2,
    "initialBackoff":"0.001s","maxBackoff":"0.001s","backoffMultiplier":1,
    "retryableStatusCodes":["UNAVAILABLE"]}}])";

grpc::Status Unavailable(grpc::ServerContextBase& /*context*/) {
  return {grpc::StatusCode::UNAVAILABLE, "refused by the server"};
}

class ChannelTest : public IntegrationTest {
 protected:
  std::string Target() const { return "etcd://" + Etcd() + "/" + Service(); }

  // A server of v1 that answers each call with UNAVAILABLE.
  std::unique_ptr<Backend> StartFailing() const {
    BackendOptions options = Options("v1");
    options.before_answer = Unavailable;
    return std::make_unique<Backend>(options);
  }
};

// Both servers of a version have answered.
bool Spreads(const std::shared_ptr<grpc::Channel>& channel) {
  std::set<std::string> answers;
  return CallUntil(channel, {}, [&](const Answer& answer) {
    EXPECT_TRUE(answer.status.ok()) << answer.ToString();
    answers.insert(answer.output);
    return answers.size() == 2;
  });
}

TEST_F(ChannelTest, AChannelOfGrpcsOwnDoesTheSame) {
  const auto v1 = Start("v1");
  const auto v2 = Start("v2");
  const auto channel = grpc::CreateChannel(Target(), grpc::InsecureChannelCredentials());
  EXPECT_THAT(CallMany(channel, 20, {.version = "v1"}).by_output,
              ElementsAre(Pair(v1->answer(), 20)));
  EXPECT_THAT(CallMany(channel, 20, {.version = "v2"}).by_output,
              ElementsAre(Pair(v2->answer(), 20)));
}

TEST_F(ChannelTest, TheDefaultClusterIsThatOfTheEnvironment) {
  setenv("TURNOUT_ETCD", Etcd().c_str(), 1);
  const auto backend = Start("v1");
  const auto channel =
      turnout::CreateChannel("etcd:///" + Service(), grpc::InsecureChannelCredentials());
  ASSERT_TRUE(channel.ok()) << channel.status();
  EXPECT_EQ(Call(*channel).ToString(), backend->answer());
  unsetenv("TURNOUT_ETCD");
}

TEST_F(ChannelTest, AsynchronousCalls) {
  const auto v1 = Start("v1");
  const auto v2 = Start("v2");
  const auto stub = proto::Api::NewStub(Channel());
  struct AsyncCall {
    grpc::ClientContext context;
    proto::Response response;
    grpc::Status status;
    std::unique_ptr<grpc::ClientAsyncResponseReader<proto::Response>> reader;
  };
  std::vector<AsyncCall> calls(20);
  grpc::CompletionQueue queue;
  for (AsyncCall& call : calls) {
    SetVersion(call.context, "v2");
    call.reader = stub->AsyncApiTest(&call.context, proto::Request(), &queue);
    call.reader->Finish(&call.response, &call.status, &call);
  }
  for (std::size_t i = 0; i < calls.size(); ++i) {
    void* tag = nullptr;
    bool ok = false;
    ASSERT_EQ(queue.AsyncNext(&tag, &ok, std::chrono::system_clock::now() + kPatience),
              grpc::CompletionQueue::GOT_EVENT);
  }
  for (const AsyncCall& call : calls) {
    EXPECT_TRUE(call.status.ok()) << call.status.error_message();
    EXPECT_EQ(call.response.output(), v2->answer());
  }
}

TEST_F(ChannelTest, CallbackCalls) {
  const auto v1 = Start("v1");
  const auto v2 = Start("v2");
  const auto stub = proto::Api::NewStub(Channel());
  grpc::ClientContext context;
  SetVersion(context, "v2");
  const proto::Request request;
  proto::Response response;
  std::promise<grpc::Status> ended;
  stub->async()->ApiTest(&context, &request, &response,
                         [&](grpc::Status status) { ended.set_value(std::move(status)); });
  const grpc::Status status = ended.get_future().get();
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.output(), v2->answer());
}

TEST_F(ChannelTest, Streams) {
  const auto v1 = Start("v1");
  const auto v2 = Start("v2");
  const auto stub = test::Streams::NewStub(Channel());
  proto::Request request;
  request.set_input("abc");
  proto::Response response;
  {
    grpc::ClientContext context;
    SetVersion(context, "v1");
    const auto download = stub->Download(&context, request);
    int answers = 0;
    for (; download->Read(&response); ++answers) EXPECT_EQ(response.output(), v1->answer());
    EXPECT_TRUE(download->Finish().ok());
    EXPECT_EQ(answers, 3);
  }
  {
    grpc::ClientContext context;
    SetVersion(context, "v2");
    const auto upload = stub->Upload(&context, &response);
    EXPECT_TRUE(upload->Write(request));
    EXPECT_TRUE(upload->WritesDone());
    EXPECT_TRUE(upload->Finish().ok());
    EXPECT_EQ(response.output(), v2->answer());
  }
  grpc::ClientContext context;
  SetVersion(context, "v1");
  const auto chat = stub->Chat(&context);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(chat->Write(request));
    EXPECT_TRUE(chat->Read(&response));
    EXPECT_EQ(response.output(), v1->answer());
  }
  EXPECT_TRUE(chat->WritesDone());
  EXPECT_TRUE(chat->Finish().ok());
}

// A stream stays where it is while its server's record goes.
TEST_F(ChannelTest, AStreamOutlivesTheRecordOfItsServer) {
  BackendOptions unregistered;
  const Backend backend(unregistered);
  const GoRecord record{Service(), "app-1", "v1", backend.address()};
  Admin().Put(record.key(), record.value());
  const auto channel = Channel();
  const auto stub = test::Streams::NewStub(channel);
  grpc::ClientContext context;
  const auto chat = stub->Chat(&context);
  const proto::Request request;
  proto::Response response;
  EXPECT_TRUE(chat->Write(request) && chat->Read(&response));
  Admin().Retire(record.key());
  EXPECT_TRUE(CallUntil(channel, {}, [](const Answer& answer) { return !answer.status.ok(); }));
  EXPECT_TRUE(chat->Write(request) && chat->Read(&response));
  EXPECT_TRUE(chat->WritesDone());
  EXPECT_TRUE(chat->Finish().ok());
}

TEST_F(ChannelTest, WaitForReadyWaitsForTheFirstServer) {
  const auto channel = Channel();
  EXPECT_EQ(Call(channel).status.error_code(), grpc::StatusCode::UNAVAILABLE);
  auto waiting = std::async(std::launch::async, [&] {
    return Call(channel, {.version = "v1", .timeout = kPatience, .wait_for_ready = true});
  });
  const auto other = Start("v2");  // not what it waits for
  EXPECT_TRUE(CallUntilAnswered(channel, {.version = "v2"}, other->answer()));
  EXPECT_EQ(waiting.wait_for(milliseconds(0)), std::future_status::timeout);
  const auto wanted = Start("v1");
  EXPECT_EQ(waiting.get().ToString(), wanted->answer());
}

// Without `loadBalancingConfig` gRPC would choose pick_first, which knows no versions.
TEST_F(ChannelTest, AServiceConfigOfRetriesAloneKeepsVersionsAndFindsTheGoodInstance) {
  const auto failing = StartFailing();
  const auto good = Start("v1");
  const auto other = Start("v2");
  const std::string config = std::string("{") + kRetry + "}";
  const auto channel = Channel(config);
  ASSERT_TRUE(CallUntilAnswered(channel, {.version = "v1"}, good->answer()));  // it is connected
  const Tally tally = CallMany(channel, 100, {.version = "v1"});
  EXPECT_THAT(tally.by_output, ElementsAre(Pair(good->answer(), 100))) << tally;
  EXPECT_GT(failing->calls(), 0);  // else nothing had to be retried
  EXPECT_EQ(other->calls(), 0);

  grpc::ChannelArguments arguments;
  arguments.SetServiceConfigJSON(config);
  const auto plain =
      grpc::CreateCustomChannel(Target(), grpc::InsecureChannelCredentials(), arguments);
  ASSERT_TRUE(CallUntilAnswered(plain, {.version = "v1"}, good->answer()));
  const Tally plain_tally = CallMany(plain, 100, {.version = "v1"});
  EXPECT_THAT(plain_tally.by_output, ElementsAre(Pair(good->answer(), 100))) << plain_tally;
}

TEST_F(ChannelTest, EachRetryGoesToAnInstanceNotTriedYet) {
  std::vector<std::unique_ptr<Backend>> failing;
  for (int i = 0; i < 4; ++i) failing.push_back(StartFailing());
  const auto good = Start("v1");
  std::string config = std::string("{") + kRetry + "}";
  config.replace(config.find("\"maxAttempts\":2"), 15, "\"maxAttempts\":5");
  const auto channel = Channel(config);
  ASSERT_TRUE(CallUntilAnswered(channel, {.version = "v1"}, good->answer()));  // it is connected
  const Tally tally = CallMany(channel, 60, {.version = "v1"});
  EXPECT_THAT(tally.by_output, ElementsAre(Pair(good->answer(), 60))) << tally;
}

TEST_F(ChannelTest, Tls) {
  BackendOptions options = Options("v1");
  options.registration.service = kCertifiedService;
  grpc::SslServerCredentialsOptions server_tls;
  server_tls.pem_key_cert_pairs.push_back({kPrivateKey, kCertificate});
  options.credentials = grpc::SslServerCredentials(server_tls);
  const Backend backend(options);
  grpc::SslCredentialsOptions client_tls;
  client_tls.pem_root_certs = kCertificate;
  const auto credentials = grpc::SslCredentials(client_tls);

  // The service's name is what the certificate has to be for.
  const auto channel = turnout::CreateChannel(
      std::string("etcd://") + Etcd() + "/" + kCertifiedService, credentials);
  ASSERT_TRUE(channel.ok()) << channel.status();
  EXPECT_EQ(Call(*channel, {.version = "v1"}).ToString(), backend.answer());
  const GoRecord elsewhere{Service(), "app-1", "v1", backend.address()};
  Admin().Put(elsewhere.key(), elsewhere.value());
  const auto wrong = turnout::CreateChannel(Target(), credentials);
  ASSERT_TRUE(wrong.ok());
  EXPECT_EQ(Call(*wrong).status.error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(ChannelTest, StockRoundRobin) {
  auto first = Start("v1");
  auto second = Start("v2");
  const auto channel = Channel(R"({"loadBalancingConfig":[{"round_robin":{}}]})");
  EXPECT_TRUE(Spreads(channel));
  const auto third = Start("v3");
  EXPECT_TRUE(CallUntilAnswered(channel, {}, third->answer()));
  first->Drain();
  second->Drain();
  EXPECT_TRUE(CallUntilAnswered(channel, {}, third->answer(), 30));
}

TEST_F(ChannelTest, StockPickFirst) {
  auto first = Start("v1");
  auto second = Start("v1");
  const auto channel = Channel(R"({"loadBalancingConfig":[{"pick_first":{}}]})");
  const Tally tally = CallMany(channel, 30);
  EXPECT_TRUE(tally.all_ok()) << tally;
  ASSERT_EQ(tally.by_output.size(), 1) << tally;
  const bool was_first = tally.by_output.contains(first->answer());
  (was_first ? first : second)->Drain();
  EXPECT_TRUE(CallUntilAnswered(channel, {}, (was_first ? second : first)->answer()));
}

TEST_F(ChannelTest, OutlierDetectionEjectsBelowItselfAndAboveUs) {
  const auto failing = StartFailing();
  const auto good = Start("v1");
  const auto other = Start("v2");
  const auto channel = Channel(R"({"loadBalancingConfig":[{"outlier_detection_experimental":{
      "interval":"0.1s","baseEjectionTime":"60s","maxEjectionPercent":50,
      "failurePercentageEjection":{"threshold":50,"enforcementPercentage":100,
                                   "minimumHosts":1,"requestVolume":5},
      "childPolicy":[{"turnout":{}}]}}]})");
  EXPECT_EQ(Call(channel, {.version = "v2"}).ToString(), other->answer());
  EXPECT_TRUE(CallUntilAnswered(channel, {.version = "v1"}, good->answer(), 50))
      << "it was called " << failing->calls() << " times";
  EXPECT_EQ(Call(channel, {.version = "v2"}).ToString(), other->answer());
}

TEST_F(ChannelTest, ADeadlineEndsACallWhereverItIs) {
  std::promise<void> release;
  BackendOptions options = Options("v1");
  const std::shared_future<void> released = release.get_future().share();
  options.before_answer = [=](grpc::ServerContextBase&) {
    released.wait();
    return grpc::Status::OK;
  };
  const Backend backend(options);
  const CallOptions brief{.version = "v1", .timeout = milliseconds(300)};
  // At the server.
  EXPECT_EQ(Call(Channel(), brief).status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  // While there is nobody to send it to.
  const CallOptions brief_wait{
      .version = "v2", .timeout = milliseconds(100), .wait_for_ready = true};
  EXPECT_EQ(Call(Channel(), brief_wait).status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  // While etcd has not answered: nothing listens there.
  const ReservedPort nobody;
  EXPECT_EQ(Call(ChannelTo(nobody.address(), Service()), brief).status.error_code(),
            grpc::StatusCode::DEADLINE_EXCEEDED);
  release.set_value();
}

TEST_F(ChannelTest, ACallWithoutAVersionGoesToAny) {
  const auto v1 = Start("v1");
  const auto v2 = Start("v2");
  EXPECT_TRUE(Spreads(Channel()));
}

TEST_F(ChannelTest, AVersionThatIsSetTwiceMatchesNothing) {
  const auto backend = Start("v1");
  const auto channel = Channel();
  grpc::ClientContext context;
  SetVersion(context, "v1");
  SetVersion(context, "v1");
  proto::Response response;
  const auto status = proto::Api::NewStub(channel)->ApiTest(&context, proto::Request(), &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), ::testing::HasSubstr("no match found conn"));
}

TEST_F(ChannelTest, ChannelsComeAndGoAlone) {
  const auto backend = Start("v1");
  auto first = Channel();
  const auto second = Channel();
  EXPECT_EQ(Call(first).ToString(), backend->answer());
  EXPECT_EQ(Call(second).ToString(), backend->answer());
  first.reset();
  const auto joined = Start("v2");
  EXPECT_TRUE(CallUntilAnswered(second, {.version = "v2"}, joined->answer()));
  EXPECT_EQ(Call(Channel(), {.version = "v2"}).ToString(), joined->answer());
}

TEST_F(ChannelTest, AChannelMayGoWhileItResolves) {
  const ReservedPort nobody;
  for (int i = 0; i < 50; ++i) {
    const auto channel = i % 2 == 0 ? ChannelTo(nobody.address(), Service()) : Channel();
    channel->GetState(/*try_to_connect=*/true);
  }
  for (int i = 0; i < 20; ++i) {
    EXPECT_FALSE(Call(Channel(), {.timeout = milliseconds(i % 4)}).status.ok());
  }
}

TEST_F(ChannelTest, AnIdleChannelComesBack) {
  const auto backend = Start("v1");
  grpc::ChannelArguments arguments;
  arguments.SetInt("grpc.client_idle_timeout_ms", 50);
  const auto channel = ChannelTo(Etcd(), Service(), {.arguments = &arguments});
  EXPECT_EQ(Call(channel, {.version = "v1"}).ToString(), backend->answer());
  auto state = channel->GetState(false);
  const auto deadline = std::chrono::system_clock::now() + kPatience;
  while (state != GRPC_CHANNEL_IDLE) {
    ASSERT_TRUE(channel->WaitForStateChange(state, deadline)) << "not idle";
    state = channel->GetState(false);
  }
  const auto joined = Start("v2");  // while it was away
  EXPECT_EQ(Call(channel, {.version = "v2", .wait_for_ready = true}).ToString(), joined->answer());
  EXPECT_EQ(Call(channel, {.version = "v1"}).ToString(), backend->answer());
}

// A policy of one's own: always the instance whose id sorts last.
class LastPickerBuilder final : public ChoosingPickerBuilder {
  class LastPicker final : public Picker {
   public:
    explicit LastPicker(std::span<const Endpoint* const> ready)
        : last_(*std::max_element(ready.begin(), ready.end(), [](const auto* a, const auto* b) {
            return a->instance().id < b->instance().id;
          })) {}
    PickResult Pick(const PickArgs& /*args*/) const override { return PickResult::To(*last_); }

   private:
    const Endpoint* const last_;
  };

  std::unique_ptr<const Picker> BuildChoice(const EndpointGroup& group) const override {
    return std::make_unique<LastPicker>(group.candidates());
  }
};

TEST_F(ChannelTest, APolicyOfTheUsersOwn) {
  ASSERT_TRUE(RegisterPickerBuilder("last", std::make_shared<LastPickerBuilder>()).ok());
  EXPECT_EQ(RegisterPickerBuilder("last", std::make_shared<LastPickerBuilder>()).code(),
            absl::StatusCode::kAlreadyExists);
  std::vector<std::unique_ptr<Backend>> backends;
  for (const std::string id : {"b", "c", "a"}) {
    BackendOptions options = Options("v1");
    options.registration.id = id;
    backends.push_back(std::make_unique<Backend>(options));
  }
  const auto channel = Channel(
      R"({"loadBalancingConfig":[{"turnout":{"picker":[{"unknown":{}},
          {"version":{"child":[{"last":{}}]}}]}}]})");
  EXPECT_TRUE(CallUntilAnswered(channel, {.version = "v1"}, backends[1]->answer(), 30));
  EXPECT_EQ(Call(channel, {.version = "v2"}).status.error_code(), grpc::StatusCode::UNAVAILABLE);
  backends[1]->Drain();
  EXPECT_TRUE(CallUntilAnswered(channel, {.version = "v1"}, backends[0]->answer(), 30));
}

}  // namespace
}  // namespace turnout::testing
