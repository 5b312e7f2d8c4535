// `turnout drain`, `turnout remove`, `turnout restore`: what an operator does to one instance.
#include "turnout/operate.h"

#include "fmt/chrono.h"
#include "fmt/format.h"
#include "src/cli/commands.h"
#include "src/cli/connection.h"
#include "src/cli/describe.h"
#include "src/cli/failure.h"

namespace turnout::cli {
namespace {

using Action = OperateCommand::Action;

absl::Status Perform(const OperateCommand& command) {
  const OperateOptions options{.registry = command.registry,
                               .expiry = std::chrono::seconds(command.expiry_seconds),
                               .timeout = command.timeout};
  switch (command.action) {
    case Action::kDrain:
      return DrainInstance(command.service, command.id, options);
    case Action::kRemove:
      return RemoveInstance(command.service, command.id, options);
    case Action::kRestore:
      break;
  }
  return RestoreInstance(command.service, command.id, options);
}

std::string_view State(Action action) {
  switch (action) {
    case Action::kDrain:
      return "draining";
    case Action::kRemove:
      return "removed";
    case Action::kRestore:
      break;
  }
  return "restored";
}

// Counted from now, as etcd began to a moment ago.
std::time_t End(const OperateCommand& command) {
  return std::chrono::system_clock::to_time_t(std::chrono::system_clock::now() +
                                              std::chrono::seconds(command.expiry_seconds));
}

std::string Sentence(const OperateCommand& command) {
  const std::string instance = fmt::format("{} of {}", command.id, command.service);
  if (command.action == Action::kRestore) {
    return fmt::format(
        "{} is neither drained nor removed any more; its process registers it, if it lives",
        instance);
  }
  const std::string until = command.expiry_seconds == 0 ? "until it is restored"
                                                        : fmt::format("until {:%Y-%m-%d %H:%M:%S}",
                                                                      fmt::localtime(End(command)));
  return fmt::format("{} {} {}; undo: turnout restore {} {}{}", instance,
                     command.action == Action::kDrain ? "drains" : "is removed", until,
                     command.service, command.id, ConnectionFlags(command.registry));
}

Json Outcome(const OperateCommand& command) {
  Json json = {{"service", command.service},
               {"id", command.id},
               {"state", std::string(State(command.action))},
               {"until", nullptr}};
  if (command.action != Action::kRestore && command.expiry_seconds != 0) {
    json["until"] = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(End(command)));
  }
  return json;
}

}  // namespace

int RunOperate(const OperateCommand& command) {
  if (absl::Status status = Perform(command); !status.ok()) {
    if (!absl::IsNotFound(status)) return ReportFailure(status);
    return ReportFailure(absl::NotFoundError(
        fmt::format("{}. `turnout ls` shows all services", std::string{status.message()})));
  }
  fmt::print("{}\n", command.json ? Dump(Outcome(command)) : Sentence(command));
  return kOk;
}

}  // namespace turnout::cli
