#include "tests/faults/client_process.h"

#include <csignal>
#include <utility>

#include "absl/strings/str_join.h"
#include "tests/faults/fleet.h"
#include "tests/support/process.h"

namespace turnout::faults {

ClientProcess::ClientProcess(const std::vector<std::string>& etcd, const std::string& folder,
                             const std::string& name, int threads) {
  const std::vector<std::string> command = {SelfPath(),  "client",
                                            "--etcd",    absl::StrJoin(etcd, ","),
                                            "--threads", std::to_string(threads),
                                            "--cache",   folder + "/cache",
                                            "--log",     folder + "/" + name + ".log"};
  // The thread that starts a process must live as long: see Process.
  thread_ =
      std::thread([this, command, file = folder + "/" + name + ".tsv"] { Run(command, file); });
}

void ClientProcess::Stop() {
  stopped_ = true;
  if (thread_.joinable()) thread_.join();
}

void ClientProcess::Run(const std::vector<std::string>& command, const std::string& events_file) {
  testing::Process process(command);
  pid_ = process.pid();
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> copy(std::fopen(events_file.c_str(), "ae"),
                                                             &std::fclose);
  while (!stopped_) {
    const auto line = process.ReadLine(std::chrono::milliseconds(50));
    if (!line.has_value()) {
      if (process.Wait(std::chrono::milliseconds(0)).has_value()) break;
      continue;
    }
    if (copy != nullptr) std::fprintf(copy.get(), "%s\n", line->c_str());
    if (auto event = ParseEvent(*line)) Add(*std::move(event));
  }
  has_ended_ = !stopped_;
  process.Signal(SIGTERM);
  process.ReadAll();
}

void ClientProcess::Add(Event event) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (auto* const view = std::get_if<View>(&event)) {
    views_[view->service] = std::move(*view);
  } else {
    Call& call = std::get<Call>(event);
    if (call.ok()) ++answered_;
    calls_.push_back(std::move(call));
  }
}

std::vector<Call> ClientProcess::TakeCalls() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(calls_, {});
}

std::map<std::string, View> ClientProcess::views() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return views_;
}

}  // namespace turnout::faults
