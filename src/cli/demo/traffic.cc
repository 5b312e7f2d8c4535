#include "src/cli/demo/traffic.h"

#include <utility>

#include "absl/status/status.h"
#include "src/cli/waiting.h"
#include "turnout/channel.h"

namespace turnout::cli {
namespace {

constexpr std::chrono::seconds kDeadline{2};
constexpr std::chrono::seconds kLongDeadline{15};

void Prepare(grpc::ClientContext& context, const std::string& version,
             std::chrono::seconds deadline) {
  if (!version.empty()) SetVersion(context, version);
  context.set_deadline(std::chrono::system_clock::now() + deadline);
}

std::string Describe(const grpc::Status& status) {
  return absl::StatusCodeToString(static_cast<absl::StatusCode>(status.error_code())) + ": " +
         status.error_message();
}

}  // namespace

std::size_t Calls::total() const {
  std::size_t sum = failures.size();
  for (const auto& [answer, answered] : answers) sum += answered.count;
  return sum;
}

std::size_t Calls::CountOf(std::string_view answer) const {
  const auto found = answers.find(answer);
  return found == answers.end() ? 0 : found->second.count;
}

Traffic::Traffic(const std::shared_ptr<grpc::Channel>& channel,
                 const std::vector<std::string>& versions)
    : stub_(proto::Api::NewStub(channel)) {
  for (std::size_t caller = 0; caller < versions.size(); ++caller) {
    callers_.emplace_back(
        [this, caller, version = versions[caller]] { CallForEver(caller, version); });
  }
}

Traffic::~Traffic() {
  ending_ = true;
  for (std::thread& caller : callers_) caller.join();
}

Calls Traffic::Take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(calls_, {});
}

bool Traffic::HasAnswer(std::string_view answer) const {
  const std::lock_guard lock(mutex_);
  return calls_.answers.contains(answer);
}

void Traffic::CallForEver(std::size_t caller, const std::string& version) {
  proto::Request request;
  request.set_input("demo");
  while (!ending_) {
    grpc::ClientContext context;
    Prepare(context, version, kDeadline);
    proto::Response response;
    const grpc::Status status = stub_->ApiTest(&context, request, &response);
    const CallClock::time_point now = CallClock::now();
    bool news = false;
    {
      const std::lock_guard lock(mutex_);
      if (status.ok()) {
        Calls::Answers& answers = calls_.answers[response.output()];
        news = ++answers.count == 1;
        answers.last = now;
        if (!response.output().starts_with(version)) ++calls_.wrong_version;
      } else {
        news = true;
        calls_.failures.push_back({caller, now, context.peer(), Describe(status)});
      }
    }
    if (news) WakeUp();
  }
}

WaitingCall::WaitingCall(const std::shared_ptr<grpc::Channel>& channel, const std::string& version)
    : stub_(proto::Api::NewStub(channel)) {
  Prepare(context_, version, kLongDeadline);
  context_.set_wait_for_ready(true);
  thread_ = std::thread([this] {
    proto::Request request;
    request.set_input("demo");
    status_ = stub_->ApiTest(&context_, request, &response_);
    ended_at_ = CallClock::now();
    ended_ = true;
    WakeUp();
  });
}

WaitingCall::~WaitingCall() {
  context_.TryCancel();
  thread_.join();
}

}  // namespace turnout::cli
