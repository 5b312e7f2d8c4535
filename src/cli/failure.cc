#include "src/cli/failure.h"

#include <cstdio>
#include <string>

#include "fmt/format.h"
#include "src/cli/commands.h"
#include "src/cli/text.h"

namespace turnout::cli {

void PrintError(std::string_view message) {
  fmt::print(stderr, "turnout: {}\n", Printable(message));
}

int ReportFailure(const absl::Status& status) {
  std::string message(status.message());
  if (absl::IsInvalidArgument(status)) {
    PrintError(message);
    return kUsage;
  }
  if (absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status)) {
    message +=
        ". Is etcd running there? Name its members with --etcd HOST:PORT[,HOST:PORT] or "
        "TURNOUT_ETCD";
  }
  PrintError(message);
  return kFailed;
}

}  // namespace turnout::cli
