// A client's process, and all that it has told until now.
//
// Thread-safe; a thread of its own reads what the client prints.
#ifndef TURNOUT_TESTS_FAULTS_CLIENT_PROCESS_H_
#define TURNOUT_TESTS_FAULTS_CLIENT_PROCESS_H_

#include <sys/types.h>

#include <atomic>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/faults/event.h"

namespace turnout::faults {

class ClientProcess {
 public:
  // Its events and its log go to `folder`, as NAME.tsv and NAME.log. So do snapshots of what it
  // knows, for those that come later.
  ClientProcess(const std::vector<std::string>& etcd, const std::string& folder,
                const std::string& name, int threads);
  ~ClientProcess() { Stop(); }
  ClientProcess(const ClientProcess&) = delete;
  ClientProcess& operator=(const ClientProcess&) = delete;

  // Ends it, without the calls that are under way. What it has told can still be taken.
  void Stop();

  // The calls that have ended since this was asked last, in the order in which they ended.
  std::vector<Call> TakeCalls();
  // Calls that have been answered since the client began.
  std::size_t answered() const { return answered_; }

  // The newest of each service.
  std::map<std::string, View> views() const;

  pid_t pid() const { return pid_; }
  bool has_ended() const { return has_ended_; }  // though nobody has told it to

 private:
  void Run(const std::vector<std::string>& command, const std::string& events_file);
  void Add(Event event);

  std::atomic<bool> stopped_{false};
  std::atomic<bool> has_ended_{false};
  std::atomic<pid_t> pid_{-1};
  std::atomic<std::size_t> answered_{0};
  mutable std::mutex mutex_;
  std::vector<Call> calls_;
  std::map<std::string, View> views_;
  std::thread thread_;
};

}  // namespace turnout::faults

#endif  // TURNOUT_TESTS_FAULTS_CLIENT_PROCESS_H_
