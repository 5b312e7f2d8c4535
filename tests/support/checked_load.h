// Calls all the time, unary ones and streams, and says of each call when it was and where it went:
// also of one that failed, unless its deadline ended it. Every answer is checked, as in caller.h.
#ifndef TURNOUT_TESTS_SUPPORT_CHECKED_LOAD_H_
#define TURNOUT_TESTS_SUPPORT_CHECKED_LOAD_H_

#include <chrono>
#include <condition_variable>
#include <functional>
#include <iosfwd>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/caller.h"

namespace turnout::testing {

struct LoggedCall {
  using Time = std::chrono::steady_clock::time_point;

  int thread = 0;
  bool is_stream = false;
  Time begin;
  Time end;
  Answer answer;      // of a stream: its last, but the first thing that was wrong
  int responses = 0;  // that have come

  bool ok() const { return answer.status.ok(); }
};
std::ostream& operator<<(std::ostream& out, const LoggedCall& call);

// One call of `proto.Api/ApiTest`, or of `turnout.test.Streams/Download` with so many answers.
LoggedCall CheckedCall(const std::shared_ptr<grpc::Channel>& channel, const CallOptions& options);
LoggedCall CheckedStream(const std::shared_ptr<grpc::Channel>& channel, const CallOptions& options,
                         int length);

// What came of many calls.
struct CallLog {
  int unary = 0;
  int streams = 0;
  std::map<std::string, int> by_address;  // of those that were answered
  std::vector<LoggedCall> failed;
  std::vector<LoggedCall> wrong;
  std::vector<LoggedCall> answered_streams;

  void Add(LoggedCall call);
  int count() const { return unary + streams; }
  int CountFailed(bool streaming) const;
};
std::ostream& operator<<(std::ostream& out, const CallLog& log);

// The end of a server's process without a word.
struct Kill {
  std::string address;
  LoggedCall::Time begin;
  LoggedCall::Time end;  // then the kernel has closed its connections
};

// The test has failed unless every call that failed was sent to a process that was being killed,
// and failed UNAVAILABLE. gRPC fails a connection's calls a moment before it stops sending others
// over it, if a write is under way: of each thread a few may fail, within a second.
void ExpectOnlyCallsInFlightFailed(const CallLog& log, const std::vector<Kill>& kills);

struct CheckedLoadOptions {
  CallOptions call;
  int unary_threads = 2;
  int stream_threads = 0;
  int stream_length = 5;
};

class CheckedLoad {
 public:
  CheckedLoad(std::shared_ptr<grpc::Channel> channel, CheckedLoadOptions options);
  ~CheckedLoad() { Stop(); }
  CheckedLoad(const CheckedLoad&) = delete;
  CheckedLoad& operator=(const CheckedLoad&) = delete;

  // Until so many calls that begin from now on have been answered. The test has failed if that
  // takes longer than kPatience.
  void AwaitAnswers(int count);
  // The same, of those from one address.
  void AwaitAnswerFrom(const std::string& address);

  // What has come of the calls that have ended; the rest end first. Wrong answers fail the test.
  CallLog Stop();

 private:
  void Run(int thread);
  void Await(const std::function<bool()>& reached);
  int Answered() const;

  const std::shared_ptr<grpc::Channel> channel_;
  const CheckedLoadOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  CallLog log_;
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace turnout::testing

#endif  // TURNOUT_TESTS_SUPPORT_CHECKED_LOAD_H_
