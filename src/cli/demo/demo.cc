// `turnout demo`: the whole path, with real processes, in half a minute.
#include <csignal>
#include <cstdlib>

#include "src/cli/commands.h"
#include "src/cli/demo/report.h"
#include "src/cli/demo/story.h"
#include "src/cli/failure.h"
#include "src/cli/waiting.h"

namespace turnout::cli {

int RunDemo(const DemoOptions& options) {
  CatchStopSignals();
  // Who reads our output may leave; we still have to clean up.
  std::signal(SIGPIPE, SIG_IGN);
  // All of it happens on this machine.
  for (const char* proxy : {"grpc_proxy", "https_proxy", "http_proxy"}) unsetenv(proxy);

  Report report(options.json);
  Story(report).Tell();
  if (StopSignal() != 0) {
    PrintError("interrupted; everything that was started has been ended");
    return kStopped + StopSignal();
  }
  return report.End();
}

}  // namespace turnout::cli
