// What the library logs and tells its observer, from now until this object goes.
#ifndef TURNOUT_TESTS_SUPPORT_REPORTS_H_
#define TURNOUT_TESTS_SUPPORT_REPORTS_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace turnout::testing {

// One at a time. Thread-safe.
class Reports {
 public:
  Reports();
  ~Reports();
  Reports(const Reports&) = delete;
  Reports& operator=(const Reports&) = delete;

  // Until a log entry contains `text`. False if none does within kPatience.
  bool WaitForLog(const std::string& text);
  // How many log entries until now contain `text`. `severity`: "warning", or any if empty.
  int CountLogs(const std::string& text, const std::string& severity = "") const;

  // Until the record at `key` has been rejected; the reason, or nothing after kPatience.
  std::string WaitForRejection(const std::string& key);
  int CountRejections(const std::string& key) const;

  // Until the instance `id` has lapsed. False if it does not within kPatience.
  bool WaitForLapse(const std::string& id);

  std::string AllLogs() const;

 private:
  class State;
  const std::shared_ptr<State> state_;
};

}  // namespace turnout::testing

#endif  // TURNOUT_TESTS_SUPPORT_REPORTS_H_
