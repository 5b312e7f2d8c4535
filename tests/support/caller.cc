#include "tests/support/caller.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>

#include <ostream>
#include <utility>

#include "absl/strings/str_replace.h"
#include "proto/api.grpc.pb.h"
#include "tests/support/process.h"

namespace turnout::testing {
namespace {

std::string CodeName(grpc::StatusCode code) {
  return absl::StatusCodeToString(static_cast<absl::StatusCode>(code));
}

// "ipv4:127.0.0.1:40001" → "127.0.0.1:40001", "ipv6:%5B::1%5D:40001" → "[::1]:40001"; what is no
// peer's address yet → ""
std::string AddressOf(const std::string& peer) {
  if (!peer.starts_with("ipv4:") && !peer.starts_with("ipv6:")) return "";
  return absl::StrReplaceAll(peer.substr(peer.find(':') + 1), {{"%5B", "["}, {"%5D", "]"}});
}

}  // namespace

std::string Answer::Address() const { return AddressOf(peer); }

std::string Answer::ToString() const {
  return status.ok() ? output : CodeName(status.error_code()) + ": " + status.error_message();
}

void Prepare(grpc::ClientContext& context, const CallOptions& options) {
  if (options.version.has_value()) SetVersion(context, *options.version);
  context.set_deadline(std::chrono::system_clock::now() + options.timeout);
  context.set_wait_for_ready(options.wait_for_ready);
}

// `VERSION ADDRESS` must name the version asked for and the address that the call went to.
std::string WhatIsWrong(const std::string& output, const std::string& peer,
                        const CallOptions& options) {
  const std::size_t space = output.find(' ');
  if (space == std::string::npos) return "the answer `" + output + "` is no server's";
  if (options.version.has_value() && output.substr(0, space) != *options.version) {
    return "asked for " + *options.version + ", answered by `" + output + "`";
  }
  if (output.substr(space + 1) != AddressOf(peer)) {
    return "sent to " + peer + ", answered by `" + output + "`";
  }
  return "";
}

Answer Call(const std::shared_ptr<grpc::Channel>& channel, const CallOptions& options) {
  grpc::ClientContext context;
  Prepare(context, options);
  proto::Request request;
  request.set_input("hello");
  proto::Response response;
  Answer answer;
  answer.status = proto::Api::NewStub(channel)->ApiTest(&context, request, &response);
  answer.output = response.output();
  answer.peer = context.peer();
  if (answer.status.ok() && options.checked) {
    answer.wrong = WhatIsWrong(answer.output, answer.peer, options);
    EXPECT_EQ(answer.wrong, "");
  }
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
