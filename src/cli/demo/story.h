// The steps of the demonstration, and what is expected of each.
#ifndef TURNOUT_SRC_CLI_DEMO_STORY_H_
#define TURNOUT_SRC_CLI_DEMO_STORY_H_

#include <memory>

#include "absl/status/status.h"
#include "grpcpp/grpcpp.h"
#include "src/cli/demo/registry_view.h"
#include "src/cli/demo/report.h"
#include "src/cli/demo/stage.h"
#include "src/cli/demo/traffic.h"

namespace turnout::cli {

class Story {
 public:
  explicit Story(Report& report) : report_(report) {}

  // Tells all of it, up to the first thing that does not come out as it should, or the signal to
  // stop.
  void Tell();

 private:
  // An error says what was expected and what came.
  absl::Status StartEtcd();
  absl::Status StartServers();
  absl::Status AskForV1();
  absl::Status AskForV3InVain();
  absl::Status BeginToCall();
  absl::Status JoinV3();
  absl::Status KillOneV1();
  absl::Status DrainV2();

  absl::Status ExpectNoFailure(const Calls& calls) const;

  Report& report_;
  // Later ones use those before them.
  std::unique_ptr<Stage> stage_;
  std::unique_ptr<RegistryView> view_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<Traffic> traffic_;
};

}  // namespace turnout::cli

#endif  // TURNOUT_SRC_CLI_DEMO_STORY_H_
