#include "tests/support/caller.h"

#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>

#include <ostream>
#include <utility>

#include "proto/api.grpc.pb.h"
#include "tests/support/process.h"

namespace turnout::testing {
namespace {

std::string CodeName(grpc::StatusCode code) {
  return absl::StatusCodeToString(static_cast<absl::StatusCode>(code));
}

}  // namespace

std::string Answer::ToString() const {
  return status.ok() ? output : CodeName(status.error_code()) + ": " + status.error_message();
}

Answer Call(const std::shared_ptr<grpc::Channel>& channel, const CallOptions& options) {
  grpc::ClientContext context;
  if (options.version.has_value()) SetVersion(context, *options.version);
  context.set_deadline(std::chrono::system_clock::now() + options.timeout);
  context.set_wait_for_ready(options.wait_for_ready);
  proto::Request request;
  request.set_input("hello");
  proto::Response response;
  Answer answer;
  answer.status = proto::Api::NewStub(channel)->ApiTest(&context, request, &response);
  answer.output = response.output();
  answer.peer = context.peer();
  return answer;
}

void Tally::Add(const Answer& answer) {
  ++calls;
  if (answer.status.ok()) ++ok;
  ++(answer.status.ok() ? by_output : errors)[answer.ToString()];
}

std::ostream& operator<<(std::ostream& out, const Tally& tally) {
  out << tally.ok << " of " << tally.calls << " answered";
  for (const auto& [output, count] : tally.by_output) out << "\n  " << count << " × " << output;
  for (const auto& [error, count] : tally.errors) out << "\n  " << count << " × " << error;
  return out;
}

Tally CallMany(const std::shared_ptr<grpc::Channel>& channel, int count,
               const CallOptions& options) {
  Tally tally;
  for (int i = 0; i < count; ++i) tally.Add(Call(channel, options));
  return tally;
}

bool CallUntil(const std::shared_ptr<grpc::Channel>& channel, const CallOptions& options,
               const std::function<bool(const Answer&)>& wanted) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < deadline) {
    if (wanted(Call(channel, options))) return true;
  }
  return false;
}

bool CallUntilAnswered(const std::shared_ptr<grpc::Channel>& channel, const CallOptions& options,
                       const std::string& output, int times) {
  return CallUntil(channel, options, [&, in_a_row = 0](const Answer& answer) mutable {
    in_a_row = answer.ToString() == output ? in_a_row + 1 : 0;
    return in_a_row == times;
  });
}

Load::Load(std::shared_ptr<grpc::Channel> channel, CallOptions options, int threads)
    : channel_(std::move(channel)), options_(std::move(options)) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
}

void Load::Run() {
  while (true) {
    const Answer answer = Call(channel_, options_);
    const std::lock_guard<std::mutex> lock(mutex_);
    tally_.Add(answer);
    changed_.notify_all();
    if (stopped_) return;
  }
}

void Load::WaitForCalls(int count) {
  std::unique_lock<std::mutex> lock(mutex_);
  // Those that are under way began before now.
  const int wanted = tally_.calls + static_cast<int>(threads_.size()) + count;
  const bool in_time =
      changed_.wait_for(lock, kPatience, [&] { return tally_.calls >= wanted || stopped_; });
  EXPECT_TRUE(in_time) << tally_;
}

Tally Load::Stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  return tally_;
}

std::shared_ptr<grpc::Channel> ChannelTo(const std::string& etcd, const std::string& service,
                                         const ChannelOptions& options) {
  auto channel =
      CreateChannel("etcd://" + etcd + "/" + service, grpc::InsecureChannelCredentials(), options);
  if (channel.ok()) return *std::move(channel);
  ADD_FAILURE() << channel.status();
  return grpc::CreateChannel("unix:/nonexistent", grpc::InsecureChannelCredentials());
}

}  // namespace turnout::testing
