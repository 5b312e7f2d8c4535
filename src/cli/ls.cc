// `turnout ls`: what is registered at the moment.
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/status/statusor.h"
#include "fmt/format.h"
#include "src/cli/commands.h"
#include "src/cli/connection.h"
#include "src/cli/describe.h"
#include "src/cli/failure.h"
#include "src/cli/rules/document.h"
#include "src/model/names.h"
#include "turnout/discovery.h"
#include "turnout/operate.h"

namespace turnout::cli {
namespace {

using Decisions = std::vector<OperatorDecision>;

void PrintServices(const std::vector<Snapshot>& services, const Decisions& decisions,
                   const Paint& paint) {
  if (services.empty()) {
    fmt::print("No service is registered.\n");
  } else {
    fmt::print("{}", ServiceTable(services, decisions, paint));
  }
}

void PrintService(const Snapshot& service, const Decisions& decisions, const ListOptions& options,
                  const Paint& paint) {
  if (service.members.empty() && service.rejected.empty()) {
    fmt::print("{} has no record; `turnout ls` shows all services.\n", service.service);
  } else {
    fmt::print("{}", InstanceTable(service, paint));
  }
  if (!decisions.empty()) fmt::print("\n{}", DecisionTable(decisions, paint));
  if (service.rules != nullptr) {
    fmt::print("\n{}  revision {}, {}: turnout rules get {}{}\n", paint.Dim("RULES"),
               service.rules_revision, CountedRules(*service.rules), service.service,
               ConnectionFlags(options.registry));
  }
}

// Those whose instances are all removed have no records.
void AddServicesOf(const Decisions& decisions, std::vector<Snapshot>& services) {
  for (const OperatorDecision& decision : decisions) {
    const auto place = std::lower_bound(
        services.begin(), services.end(), decision.service,
        [](const Snapshot& s, const std::string& name) { return s.service < name; });
    if (place != services.end() && place->service == decision.service) continue;
    Snapshot without_records;
    without_records.service = decision.service;
    services.insert(place, std::move(without_records));
  }
}

Decisions About(const std::string& service, const Decisions& all) {
  Decisions result;
  std::copy_if(all.begin(), all.end(), std::back_inserter(result),
               [&](const OperatorDecision& decision) { return decision.service == service; });
  return result;
}

Json ListJson(const std::vector<Snapshot>& services, const Decisions& decisions) {
  Json list = Json::array();
  for (const Snapshot& service : services) {
    Json json = ToJson(service);
    json["rules"] = nullptr;
    if (service.rules != nullptr) {
      json["rules"] = {{"revision", service.rules_revision},
                       {"count", service.rules->rules().size()}};
    }
    json["decisions"] = Json::array();
    for (const OperatorDecision& decision : About(service.service, decisions)) {
      json["decisions"].push_back(ToJson(decision));
    }
    list.push_back(std::move(json));
  }
  return {{"services", std::move(list)}};
}

}  // namespace

int RunList(const ListOptions& options) {
  if (!options.service.empty()) {
    if (absl::Status status = model::CheckServiceName(options.service); !status.ok()) {
      return ReportFailure(status);
    }
  }
  absl::StatusOr<std::vector<Snapshot>> services = List(options.registry, options.timeout);
  if (!services.ok()) return ReportFailure(services.status());
  const absl::StatusOr<Decisions> decisions = ListDecisions(options.registry, options.timeout);
  if (!decisions.ok()) return ReportFailure(decisions.status());
  AddServicesOf(*decisions, *services);
  if (!options.service.empty()) {
    std::erase_if(*services, [&](const Snapshot& s) { return s.service != options.service; });
  }

  const Paint paint(WantsColour(STDOUT_FILENO));
  if (options.json) {
    fmt::print("{}\n", Dump(ListJson(*services, *decisions)));
  } else if (options.service.empty()) {
    PrintServices(*services, *decisions, paint);
  } else {
    Snapshot service;
    service.service = options.service;
    if (!services->empty()) service = std::move(services->front());
    PrintService(service, About(options.service, *decisions), options, paint);
  }
  return kOk;
}

}  // namespace turnout::cli
