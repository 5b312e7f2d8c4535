#include "tests/support/checked_load.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <utility>

#include "proto/api.grpc.pb.h"
#include "proto/test_streams.grpc.pb.h"
#include "tests/support/process.h"

namespace turnout::testing {
namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

std::ostream& operator<<(std::ostream& out, const LoggedCall& call) {
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(call.end - call.begin);
  out << (call.is_stream ? "stream" : "call") << " of thread " << call.thread << " to "
      << (call.answer.Address().empty() ? "nobody known" : call.answer.Address()) << ", "
      << took.count() << " ms, " << call.responses << " responses: " << call.answer.ToString();
  if (!call.answer.wrong.empty()) out << "; WRONG: " << call.answer.wrong;
  return out;
}

LoggedCall CheckedCall(const std::shared_ptr<grpc::Channel>& channel, const CallOptions& options) {
  LoggedCall call;
  call.begin = Clock::now();
  call.answer = Call(channel, options);
  call.end = Clock::now();
  if (call.ok()) call.responses = 1;
  return call;
}

LoggedCall CheckedStream(const std::shared_ptr<grpc::Channel>& channel, const CallOptions& options,
                         int length) {
  LoggedCall call;
  call.is_stream = true;
  call.begin = Clock::now();
  grpc::ClientContext context;
  Prepare(context, options);
  proto::Request request;
  request.set_input(std::string(static_cast<std::size_t>(length), 'x'));
  const auto reader = test::Streams::NewStub(channel)->Download(&context, request);
  proto::Response response;
  std::string& wrong = call.answer.wrong;
  while (reader->Read(&response)) {
    ++call.responses;
    call.answer.output = response.output();
    if (wrong.empty()) wrong = WhatIsWrong(response.output(), context.peer(), options);
  }
  call.answer.status = reader->Finish();
  call.answer.peer = context.peer();
  call.end = Clock::now();
  if (call.ok() && call.responses != length && wrong.empty()) {
    wrong = "ended after " + std::to_string(call.responses) + " responses";
  }
  return call;
}

void CallLog::Add(LoggedCall call) {
  ++(call.is_stream ? streams : unary);
  if (!call.answer.wrong.empty()) wrong.push_back(call);
  if (!call.ok()) {
    failed.push_back(std::move(call));
    return;
  }
  ++by_address[call.answer.Address()];
  if (call.is_stream) answered_streams.push_back(std::move(call));
}

int CallLog::CountFailed(bool streaming) const {
  return static_cast<int>(std::count_if(failed.begin(), failed.end(), [&](const LoggedCall& call) {
    return call.is_stream == streaming;
  }));
}

std::ostream& operator<<(std::ostream& out, const CallLog& log) {
  constexpr std::size_t kShown = 10;
  out << log.unary << " calls, " << log.CountFailed(false) << " failed; " << log.streams
      << " streams, " << log.CountFailed(true) << " failed; " << log.wrong.size() << " wrong";
  for (const auto& [address, count] : log.by_address) out << "\n  " << count << " × " << address;
  for (const auto* calls : {&log.failed, &log.wrong}) {
    for (std::size_t i = 0; i < std::min(calls->size(), kShown); ++i) out << "\n  " << (*calls)[i];
  }
  return out;
}

void ExpectOnlyCallsInFlightFailed(const CallLog& log, const std::vector<Kill>& kills) {
  constexpr int kMostOfAThread = 3;
  constexpr std::chrono::seconds kNoticed{1};
  std::map<std::pair<const Kill*, int>, int> lost;
  for (const LoggedCall& call : log.failed) {
    EXPECT_EQ(call.answer.status.error_code(), grpc::StatusCode::UNAVAILABLE) << call;
    const auto kill = std::find_if(kills.begin(), kills.end(), [&](const Kill& one) {
      return (call.answer.Address() == one.address || call.answer.Address().empty()) &&
             one.begin <= call.end && call.begin <= one.end + kNoticed;
    });
    if (kill == kills.end()) {
      ADD_FAILURE() << "not in flight on a process that was killed: " << call;
    } else {
      EXPECT_LE((++lost[{&*kill, call.thread}]), kMostOfAThread) << call;
    }
  }
}

CheckedLoad::CheckedLoad(std::shared_ptr<grpc::Channel> channel, CheckedLoadOptions options)
    : channel_(std::move(channel)), options_(std::move(options)) {
  for (int i = 0; i < options_.unary_threads + options_.stream_threads; ++i) {
    threads_.emplace_back([this, i] { Run(i); });
  }
}

void CheckedLoad::Run(int thread) {
  while (true) {
    LoggedCall call = thread < options_.unary_threads
                          ? CheckedCall(channel_, options_.call)
                          : CheckedStream(channel_, options_.call, options_.stream_length);
    call.thread = thread;
    const std::lock_guard<std::mutex> lock(mutex_);
    log_.Add(std::move(call));
    changed_.notify_all();
    if (stopped_) return;
  }
}

int CheckedLoad::Answered() const { return log_.count() - static_cast<int>(log_.failed.size()); }

void CheckedLoad::Await(const std::function<bool()>& reached) {
  std::unique_lock<std::mutex> lock(mutex_);
  EXPECT_TRUE(changed_.wait_for(lock, kPatience, [&] { return reached() || stopped_; })) << log_;
}

void CheckedLoad::AwaitAnswers(int count) {
  int wanted = 0;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    wanted = Answered() + static_cast<int>(threads_.size()) + count;
  }
  Await([&] { return Answered() >= wanted; });
}

void CheckedLoad::AwaitAnswerFrom(const std::string& address) {
  int wanted = 0;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    wanted = log_.by_address[address] + static_cast<int>(threads_.size()) + 1;
  }
  Await([&] { return log_.by_address[address] >= wanted; });
}

CallLog CheckedLoad::Stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  EXPECT_TRUE(log_.wrong.empty()) << log_;
  return log_;
}

}  // namespace turnout::testing
