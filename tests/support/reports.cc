#include "tests/support/reports.h"

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>

#include "tests/support/process.h"
#include "turnout/log.h"
#include "turnout/observer.h"

namespace turnout::testing {

class Reports::State final : public Observer {
 public:
  struct Line {
    std::string severity;
    std::string message;
  };
  struct Rejection {
    std::string key;
    std::string reason;
  };

  void Log(const LogEntry& entry) {
    const std::lock_guard<std::mutex> lock(mutex);
    lines.push_back({std::string(ToString(entry.severity)), std::string(entry.message)});
    changed.notify_all();
  }
  void OnRecordRejected(const std::string& key, const std::string& reason) override {
    const std::lock_guard<std::mutex> lock(mutex);
    rejections.push_back({key, reason});
    changed.notify_all();
  }
  void OnInstanceLapsed(std::shared_ptr<const Instance> instance) override {
    const std::lock_guard<std::mutex> lock(mutex);
    lapsed.insert(instance->id);
    changed.notify_all();
  }

  int CountLines(const std::string& text, const std::string& severity) const {
    return static_cast<int>(std::count_if(lines.begin(), lines.end(), [&](const Line& line) {
      return line.message.find(text) != std::string::npos &&
             (severity.empty() || line.severity == severity);
    }));
  }
  std::vector<Rejection>::const_iterator Find(const std::string& key) const {
    return std::find_if(rejections.begin(), rejections.end(),
                        [&](const Rejection& rejection) { return rejection.key == key; });
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Line> lines;
  std::vector<Rejection> rejections;
  std::set<std::string> lapsed;
};

Reports::Reports() : state_(std::make_shared<State>()) {
  SetLogSink([state = state_](const LogEntry& entry) { state->Log(entry); }, LogSeverity::kDebug);
  SetObserver(state_);
}

Reports::~Reports() {
  SetLogSink(nullptr);
  SetObserver(nullptr);
}

bool Reports::WaitForLog(const std::string& text) {
  std::unique_lock<std::mutex> lock(state_->mutex);
  return state_->changed.wait_for(lock, kPatience,
                                  [&] { return state_->CountLines(text, "") > 0; });
}

int Reports::CountLogs(const std::string& text, const std::string& severity) const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->CountLines(text, severity);
}

std::string Reports::WaitForRejection(const std::string& key) {
  std::unique_lock<std::mutex> lock(state_->mutex);
  const auto found = [&] { return state_->Find(key) != state_->rejections.end(); };
  if (!state_->changed.wait_for(lock, kPatience, found)) return "";
  return state_->Find(key)->reason;
}

int Reports::CountRejections(const std::string& key) const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  return static_cast<int>(
      std::count_if(state_->rejections.begin(), state_->rejections.end(),
                    [&](const State::Rejection& rejection) { return rejection.key == key; }));
}

bool Reports::WaitForLapse(const std::string& id) {
  std::unique_lock<std::mutex> lock(state_->mutex);
  return state_->changed.wait_for(lock, kPatience, [&] { return state_->lapsed.contains(id); });
}

std::string Reports::AllLogs() const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  std::string text;
  for (const State::Line& line : state_->lines) text += line.severity + " " + line.message + "\n";
  return text;
}

}  // namespace turnout::testing
