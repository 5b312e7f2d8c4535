// What the demonstration shows: for people line by line as it happens, for programs as one JSON
// object at the end.
#ifndef TURNOUT_SRC_CLI_DEMO_REPORT_H_
#define TURNOUT_SRC_CLI_DEMO_REPORT_H_

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "src/cli/demo/traffic.h"
#include "src/cli/describe.h"
#include "src/cli/text.h"
#include "turnout/snapshot.h"

namespace turnout::cli {

class Report {
 public:
  explicit Report(bool json);

  void BeginStep(std::string_view title);
  void Fact(std::string_view fact);         // something came out as it should
  void Problem(std::string_view problem);   // something did not; the demonstration has failed
  void Registry(const Snapshot& snapshot);  // as `turnout ls` shows it

  // What became of the calls in a part of the demonstration.
  void AddCalls(std::string phase, Calls calls);
  // How long a change took to reach the client.
  void AddReaction(std::string change, std::chrono::nanoseconds took, std::string measured);

  // The summary. The exit status.
  int End();

 private:
  struct Reaction {
    std::string change;
    std::chrono::nanoseconds took;
    std::string measured;  // from what to what
  };

  void Print(std::string_view line) const;
  Table AnswersTable() const;
  Table ReactionsTable() const;
  Json CallsJson() const;
  Json ToJson() const;

  const bool json_;
  const Paint paint_;
  const CallClock::time_point started_ = CallClock::now();
  bool ok_ = true;
  Json steps_ = Json::array();
  std::vector<std::pair<std::string, Calls>> phases_;
  std::vector<Reaction> reactions_;
};

}  // namespace turnout::cli

#endif  // TURNOUT_SRC_CLI_DEMO_REPORT_H_
