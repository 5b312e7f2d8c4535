// `turnout ls`: what is registered at the moment.
#include <unistd.h>

#include <algorithm>

#include "absl/status/statusor.h"
#include "fmt/format.h"
#include "src/cli/commands.h"
#include "src/cli/describe.h"
#include "src/cli/failure.h"
#include "turnout/discovery.h"

namespace turnout::cli {
namespace {

void PrintServices(const std::vector<Snapshot>& services, const Paint& paint) {
  if (services.empty()) {
    fmt::print("No service is registered.\n");
  } else {
    fmt::print("{}", ServiceTable(services, paint));
  }
}

void PrintService(const std::string& name, const std::vector<Snapshot>& services,
                  const Paint& paint) {
  if (services.empty()) {
    fmt::print("{} has no record; `turnout ls` shows all services.\n", name);
  } else {
    fmt::print("{}", InstanceTable(services.front(), paint));
  }
}

// The library checks a name when it is asked to follow it, which does not take etcd.
absl::Status CheckService(const ListOptions& options) {
  return Watch(options.service, options.registry, {.on_snapshot = [](const auto&) {}}).status();
}

}  // namespace

int RunList(const ListOptions& options) {
  if (!options.service.empty()) {
    if (absl::Status status = CheckService(options); !status.ok()) return ReportFailure(status);
  }
  absl::StatusOr<std::vector<Snapshot>> services = List(options.registry, options.timeout);
  if (!services.ok()) return ReportFailure(services.status());
  if (!options.service.empty()) {
    std::erase_if(*services, [&](const Snapshot& s) { return s.service != options.service; });
  }

  if (options.json) {
    Json list = Json::array();
    for (const Snapshot& service : *services) list.push_back(ToJson(service));
    fmt::print("{}\n", Dump({{"services", std::move(list)}}));
    return kOk;
  }
  const Paint paint(WantsColour(STDOUT_FILENO));
  if (options.service.empty()) {
    PrintServices(*services, paint);
  } else {
    PrintService(options.service, *services, paint);
  }
  return kOk;
}

}  // namespace turnout::cli
