#include "src/cli/demo/story.h"

#include <algorithm>
#include <csignal>
#include <set>
#include <string>
#include <utility>

#include "fmt/format.h"
#include "src/cli/waiting.h"
#include "turnout/channel.h"

namespace turnout::cli {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::seconds kPatience{10};  // for what should take milliseconds
constexpr milliseconds kPhase{1000};           // how long calls go on to show that nothing happens

// Who calls all the time: four that insist on v1, four that take any version.
const std::vector<std::string> kCallers = {"v1", "v1", "v1", "v1", "", "", "", ""};

std::chrono::nanoseconds Since(CallClock::time_point start, CallClock::time_point end) {
  return std::max(end - start, CallClock::duration::zero());
}

absl::Status Unexpected(std::string_view expected, std::string_view got) {
  return absl::InternalError(fmt::format("expected {}; got {}", expected, got));
}

void LetTimePass(milliseconds time) {
  WaitFor(time, [] { return false; });
}

// When the last call that was sent to `server` ended, or `start` if none has since then.
CallClock::time_point LastCallAt(const Calls& calls, const Server& server,
                                 CallClock::time_point start) {
  CallClock::time_point last = start;
  if (const auto answers = calls.answers.find(server.Answer()); answers != calls.answers.end()) {
    last = std::max(last, answers->second.last);
  }
  for (const Calls::Failure& failure : calls.failures) last = std::max(last, failure.at);
  return last;
}

// A caller can have at most one call under way when a server is killed. All else is our fault.
absl::Status ExpectOnlyCallsUnderWay(const Calls& calls, const Server& killed) {
  std::set<std::size_t> callers;
  for (const Calls::Failure& failure : calls.failures) {
    const bool on_killed = failure.server.ends_with(killed.address);
    if (!on_killed || !callers.insert(failure.caller).second) {
      return Unexpected("no call to fail but those under way on the killed server",
                        fmt::format("{} (sent to {})", failure.error,
                                    failure.server.empty() ? "nobody" : failure.server));
    }
  }
  return absl::OkStatus();
}

}  // namespace

void Story::Tell() {
  constexpr std::pair<const char*, absl::Status (Story::*)()> kSteps[] = {
      {"A private etcd starts", &Story::StartEtcd},
      {"Two v1 servers and a v2 server start, and register themselves", &Story::StartServers},
      {"A client asks for v1", &Story::AskForV1},
      {"A client asks for v3, which nobody serves", &Story::AskForV3InVain},
      {"Eight callers call all the time: four ask for v1, four take any version",
       &Story::BeginToCall},
      {"A v3 server joins", &Story::JoinV3},
      {"A v1 server is killed (SIGKILL)", &Story::KillOneV1},
      {"The v2 server is asked to end (SIGTERM), and drains", &Story::DrainV2},
  };
  for (const auto& [title, step] : kSteps) {
    report_.BeginStep(title);
    const absl::Status status = (this->*step)();
    if (StopSignal() != 0) return;
    if (!status.ok()) {
      const std::string problem(status.message());
      report_.Problem(problem);
      return;
    }
  }
  traffic_.reset();
}

absl::Status Story::StartEtcd() {
  auto stage = Stage::Open();
  if (!stage.ok()) return stage.status();
  stage_ = *std::move(stage);
  report_.Fact("it listens on " + stage_->etcd_address());
  return absl::OkStatus();
}

absl::Status Story::StartServers() {
  auto view = RegistryView::Open(kDemoService, stage_->registry());
  if (!view.ok()) return view.status();
  view_ = *std::move(view);
  if (auto status = stage_->StartServers({"v1", "v1", "v2"}); !status.ok()) return status;
  if (!view_->Await(kPatience, [](const Snapshot& s) { return s.members.size() == 3; })) {
    return Unexpected("three records in etcd", std::to_string(view_->latest().members.size()));
  }
  report_.Fact(fmt::format("{} has three instances, each a process of its own:", kDemoService));
  report_.Registry(view_->latest());
  return absl::OkStatus();
}

absl::Status Story::AskForV1() {
  constexpr char kInput[] = "hello from the demo";
  const absl::StatusOr<Reply> reply = stage_->AskOnce("v1", kInput);
  if (!reply.ok()) return reply.status();
  for (const Server& server : stage_->servers()) {
    if (!reply->ok || reply->text != server.Answer() || server.version != "v1") continue;
    auto printed = server.process->AwaitLine("input: ", Process::Where::kAtStart, kPatience);
    if (!printed.ok()) return printed.status();
    report_.Fact(fmt::format("the server prints \"{}\"", printed->text));
    report_.Fact(fmt::format("the client prints \"{}\"", reply->text));
    return absl::OkStatus();
  }
  return Unexpected("an answer by a v1 server", reply->text);
}

absl::Status Story::AskForV3InVain() {
  constexpr char kInput[] = "is there a v3?";
  const absl::StatusOr<Reply> reply = stage_->AskOnce("v3", kInput);
  if (!reply.ok()) return reply.status();
  if (reply->ok || !reply->text.starts_with("UNAVAILABLE: no match found conn")) {
    return Unexpected("UNAVAILABLE: no match found conn", reply->text);
  }
  for (const Server& server : stage_->servers()) {
    if (server.process->FindLine(kInput, Process::Where::kAnywhere).has_value()) {
      return Unexpected("no server to be called", "a call of " + server.Answer());
    }
  }
  report_.Fact("no server prints anything");
  report_.Fact("the client prints \"" + reply->text + "\"");
  return absl::OkStatus();
}

absl::Status Story::ExpectNoFailure(const Calls& calls) const {
  if (calls.wrong_version > 0) {
    return Unexpected("every answer by the version that was asked for",
                      fmt::format("{} by others", calls.wrong_version));
  }
  if (calls.failures.empty()) return absl::OkStatus();
  return Unexpected("no call to fail",
                    fmt::format("{} failures of {} calls, the first: {}", calls.failures.size(),
                                calls.total(), calls.failures.front().error));
}

absl::Status Story::BeginToCall() {
  auto channel = turnout::CreateChannel(stage_->target(), grpc::InsecureChannelCredentials());
  if (!channel.ok()) return channel.status();
  channel_ = *std::move(channel);
  traffic_ = std::make_unique<Traffic>(channel_, kCallers);
  for (const Server& server : stage_->servers()) {
    if (!WaitFor(kPatience, [&] { return traffic_->HasAnswer(server.Answer()); })) {
      return Unexpected("answers by " + server.Answer(), "none");
    }
  }
  LetTimePass(kPhase);
  Calls calls = traffic_->Take();
  if (auto status = ExpectNoFailure(calls); !status.ok()) return status;
  report_.Fact(fmt::format("all three servers answer; {} calls, none failed", calls.total()));
  report_.AddCalls("AT FIRST", std::move(calls));
  return absl::OkStatus();
}

absl::Status Story::JoinV3() {
  const WaitingCall waiting(channel_, "v3");
  if (auto status = stage_->StartServers({"v3"}); !status.ok()) return status;
  const Server& v3 = stage_->Find("v3");
  WaitFor(kPatience, [&] { return waiting.ended(); });
  if (!waiting.ended() || !waiting.status().ok() || waiting.answer() != v3.Answer()) {
    return Unexpected(
        "v3 to answer the call that waited for it",
        waiting.ended() ? waiting.status().error_message() + waiting.answer() : "nothing");
  }
  report_.Fact("a call that had been waiting for v3 is answered: " + waiting.answer());
  if (!WaitFor(kPatience, [&] { return traffic_->HasAnswer(v3.Answer()); })) {
    return Unexpected("callers that take any version to reach v3", "no answer by it");
  }
  LetTimePass(kPhase);
  Calls calls = traffic_->Take();
  if (auto status = ExpectNoFailure(calls); !status.ok()) return status;
  report_.Fact(fmt::format("callers that take any version reach it too; none of {} calls failed",
                           calls.total()));
  report_.AddReaction("v3 joined", Since(v3.registered_at, waiting.ended_at()),
                      fmt::format("from its word that it is registered to its first answer, which "
                                  "takes it {} ms",
                                  kServiceTime.count()));
  report_.AddCalls("V3 JOINED", std::move(calls));
  return absl::OkStatus();
}

absl::Status Story::KillOneV1() {
  const Server& killed = stage_->servers()[0];
  const Server& other = stage_->servers()[1];
  const auto start = CallClock::now();
  killed.process->Signal(SIGKILL);
  if (!view_->Await(kLeaseTtl + kPatience, [&](const Snapshot& snapshot) {
        return !HasAddress(snapshot, killed.address);
      })) {
    return Unexpected("its record to leave etcd with its lease", "it is still there");
  }
  const auto record_gone = CallClock::now();
  Calls calls = traffic_->Take();
  if (auto status = ExpectOnlyCallsUnderWay(calls, killed); !status.ok()) return status;
  if (calls.CountOf(other.Answer()) == 0) {
    return Unexpected("calls for v1 to go on at " + other.Answer(), "no answer by it");
  }
  report_.Fact(fmt::format("{} calls were under way on {} and failed; no other of {} calls did",
                           calls.failures.size(), killed.Answer(), calls.total()));
  report_.Fact(
      fmt::format("calls for v1 go on at {}: {}", other.Answer(), calls.CountOf(other.Answer())));
  report_.AddReaction("v1 killed", Since(start, LastCallAt(calls, killed, start)),
                      "from SIGKILL to the end of the last call that was sent there");
  report_.AddReaction(
      "its record gone", Since(start, record_gone),
      fmt::format("from SIGKILL until its lease of {} s had run out in etcd", kLeaseTtl.count()));
  report_.AddCalls("V1 KILLED", std::move(calls));
  return absl::OkStatus();
}

absl::Status Story::DrainV2() {
  const Server& drained = stage_->Find("v2");
  const auto start = CallClock::now();
  drained.process->Signal(SIGTERM);
  if (auto status = drained.process->AwaitSuccess(kPatience); !status.ok()) return status;
  LetTimePass(kPhase);
  Calls calls = traffic_->Take();
  if (auto status = ExpectNoFailure(calls); !status.ok()) return status;
  if (HasAddress(view_->latest(), drained.address)) {
    return Unexpected("its record to be gone", "it is still in etcd");
  }
  report_.Fact(
      fmt::format("not one of {} calls failed; its process ended with status 0", calls.total()));
  report_.Fact("its record is gone; what etcd holds now:");
  report_.Registry(view_->latest());
  report_.AddReaction("v2 drained", Since(start, LastCallAt(calls, drained, start)),
                      "from SIGTERM to its last answer");
  report_.AddCalls("V2 DRAINED", std::move(calls));
  return absl::OkStatus();
}

}  // namespace turnout::cli
