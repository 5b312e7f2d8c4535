// Lanes: a wish that goes with a request through three services, of which only the first and the
// last have instances in the lane. For every kind of server, and for streams.
#include <gmock/gmock.h>
#include <grpcpp/client_context.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "proto/api.grpc.pb.h"
#include "proto/test_streams.grpc.pb.h"
#include "tests/integration/lane_hops.h"
#include "tests/support/fixture.h"

namespace turnout::testing {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

// A document of docs/examples/rules.
std::string RulesExample(const std::string& name) {
  std::ifstream file(std::string(TURNOUT_RULES_EXAMPLES) + "/" + name);
  EXPECT_TRUE(file.is_open()) << name;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Calls the first service. Thread-safe.
class Client {
 public:
  explicit Client(const std::shared_ptr<grpc::Channel>& channel)
      : api_(proto::Api::NewStub(channel)), streams_(test::Streams::NewStub(channel)) {}

  // All that came, and last the error, "UNAVAILABLE: message", if it ends with one. `lane` empty:
  // none.
  using Answers = std::vector<std::string>;
  Answers Unary(const std::string& lane) const {
    grpc::ClientContext context;
    Begin(context, lane);
    proto::Response response;
    const grpc::Status status = api_->ApiTest(&context, {}, &response);
    return Ended(status.ok() ? Answers{response.output()} : Answers{}, status);
  }
  Answers Download(const std::string& lane, int count) const {
    grpc::ClientContext context;
    Begin(context, lane);
    proto::Request request;
    request.set_input(std::string(static_cast<std::size_t>(count), 'x'));
    proto::Response response;
    Answers answers;
    const auto reader = streams_->Download(&context, request);
    while (reader->Read(&response)) answers.push_back(response.output());
    return Ended(std::move(answers), reader->Finish());
  }
  Answers Chat(const std::string& lane, int count) const {
    grpc::ClientContext context;
    Begin(context, lane);
    const auto stream = streams_->Chat(&context);
    Answers answers;
    proto::Response response;
    for (int i = 0; i < count && stream->Write({}) && stream->Read(&response); ++i) {
      answers.push_back(response.output());
    }
    stream->WritesDone();
    return Ended(std::move(answers), stream->Finish());
  }

  // Ends in the middle: handlers are waiting for the next request.
  Answers CancelledChat(const std::string& lane) const {
    grpc::ClientContext context;
    Begin(context, lane);
    const auto stream = streams_->Chat(&context);
    Answers answers;
    proto::Response response;
    if (stream->Write({}) && stream->Read(&response)) answers.push_back(response.output());
    context.TryCancel();
    return Ended(std::move(answers), stream->Finish());
  }
  Answers ChatUntilDeadline(const std::string& lane, std::chrono::milliseconds deadline) const {
    grpc::ClientContext context;
    Begin(context, lane, deadline);
    const auto stream = streams_->Chat(&context);
    Answers answers;
    proto::Response response;
    stream->Write({});
    while (stream->Read(&response)) answers.push_back(response.output());
    return Ended(std::move(answers), stream->Finish());
  }

 private:
  static void Begin(grpc::ClientContext& context, const std::string& lane,
                    std::chrono::milliseconds deadline = kPatience) {
    if (!lane.empty()) context.AddMetadata("turnout-lane", lane);
    context.set_deadline(std::chrono::system_clock::now() + deadline);
  }
  static Answers Ended(Answers answers, const grpc::Status& status) {
    if (!status.ok()) answers.push_back(Answer{.status = status}.ToString());
    return answers;
  }

  const std::unique_ptr<proto::Api::Stub> api_;
  const std::unique_ptr<test::Streams::Stub> streams_;
};

class LanesTest : public IntegrationTest, public ::testing::WithParamInterface<HopKind> {
 protected:
  // New ones for each run: of those that were there before, the process still remembers what it
  // has seen, and hears of newcomers a moment later.
  std::string ServiceOf(const std::string& place) const { return Service() + run_ + "." + place; }

  void PutRules(const std::string& place, const std::string& example) const {
    Admin().Put("/turnout/rules/" + ServiceOf(place), RulesExample(example));
  }

  // front → middle → back; the middle has no lanes, the others have `lanes` and the baseline.
  void StartChain(const std::vector<std::string>& lanes) {
    for (const char* place : {"front", "middle", "back"}) PutRules(place, "lane.json");
    StartHop("back", "", "");
    StartHop("middle", "back", "");
    StartHop("front", "middle", "");
    for (const std::string& lane : lanes) {
      StartHop("back", "", lane);
      StartHop("front", "middle", lane);
    }
    client_ = std::make_unique<Client>(ChannelTo(Etcd(), ServiceOf("front")));
  }
  const Client& client() const { return *client_; }

 private:
  void StartHop(const std::string& place, const std::string& next, const std::string& lane) {
    hops_.push_back(
        std::make_unique<HopServer>(HopOptions{.kind = GetParam(),
                                               .etcd = Etcd(),
                                               .service = ServiceOf(place),
                                               .next_service = next.empty() ? "" : ServiceOf(next),
                                               .place = place,
                                               .lane = lane}));
  }

  static std::string NextRun() {
    static int runs = 0;
    return std::to_string(++runs);
  }

  const std::string run_ = NextRun();
  std::vector<std::unique_ptr<HopServer>> hops_;
  std::unique_ptr<Client> client_;
};

INSTANTIATE_TEST_SUITE_P(Of, LanesTest,
                         ::testing::Values(HopKind::kSynchronous, HopKind::kSynchronousForward,
                                           HopKind::kCallback, HopKind::kCallbackForward,
                                           HopKind::kCompletionQueue),
                         ::testing::PrintToStringParamName());

constexpr char kBaseline[] = "front → middle → back";
constexpr char kBlue[] = "front(blue) → middle → back(blue)";
constexpr char kRed[] = "front(red) → middle → back(red)";

TEST_P(LanesTest, ALaneIsServedWhereItIsAndByTheBaselineWhereItIsNot) {
  StartChain({"blue"});
  const std::pair<std::string, std::string> expected[] = {
      {"blue", kBlue}, {"", kBaseline}, {"green", kBaseline}};
  for (int round = 0; round < 3; ++round) {
    for (const auto& [lane, answer] : expected) {
      EXPECT_THAT(client().Unary(lane), AllOf(SizeIs(1), Each(answer))) << lane;
      EXPECT_THAT(client().Download(lane, 3), AllOf(SizeIs(3), Each(answer))) << lane;
      EXPECT_THAT(client().Chat(lane, 3), AllOf(SizeIs(3), Each(answer))) << lane;
    }
  }
}

TEST_P(LanesTest, AStrictRuleFailsCallsWhoseLaneIsMissing) {
  StartChain({"blue"});
  PutRules("back", "lane-strict.json");
  const auto refused = AllOf(
      SizeIs(1), Each(AllOf(StartsWith("UNAVAILABLE: no match found conn"),
                            HasSubstr("rule \"lane-strict\""), HasSubstr(ServiceOf("back")))));
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (client().Unary("green").front() == kBaseline &&
         std::chrono::steady_clock::now() < deadline) {
  }
  EXPECT_THAT(client().Unary("green"), refused);
  EXPECT_THAT(client().Download("green", 3), refused);
  EXPECT_THAT(client().Chat("green", 3), refused);
  EXPECT_THAT(client().Unary("blue"), Each(kBlue));
  EXPECT_THAT(client().Unary(""), Each(kBaseline));
}

// Servers' threads serve one lane after another, and calls without one, and calls that end early.
TEST_P(LanesTest, LanesNeverMix) {
  constexpr int kRounds = 60;
  StartChain({"blue", "red"});
  std::atomic<int> cancelled{0};
  std::atomic<int> late{0};
  const auto call = [&](const std::string& lane, const std::string& answer) {
    for (int i = 0; i < kRounds; ++i) {
      EXPECT_THAT(client().Unary(lane), AllOf(SizeIs(1), Each(answer)));
      EXPECT_THAT(client().Download(lane, 2), AllOf(SizeIs(2), Each(answer)));
      EXPECT_THAT(client().Chat(lane, 2), AllOf(SizeIs(2), Each(answer)));
      const auto first = client().CancelledChat(lane);
      EXPECT_EQ(first.front(), answer);
      cancelled += first.back().starts_with("CANCELLED") ? 1 : 0;
      const auto until = client().ChatUntilDeadline(lane, std::chrono::milliseconds(i % 10));
      late += until.back().starts_with("DEADLINE_EXCEEDED") ? 1 : 0;
      if (until.size() > 1) {
        EXPECT_EQ(until.front(), answer);
      }
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back(call, "blue", kBlue);
    threads.emplace_back(call, "red", kRed);
    threads.emplace_back(call, "", kBaseline);
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(cancelled, 6 * kRounds);
  EXPECT_EQ(late, 6 * kRounds);
}

}  // namespace
}  // namespace turnout::testing
