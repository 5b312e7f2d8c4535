// The commands of `turnout`, but for those about rules (rules/commands.h). Each returns the exit
// status.
#ifndef TURNOUT_SRC_CLI_COMMANDS_H_
#define TURNOUT_SRC_CLI_COMMANDS_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "turnout/registry.h"

namespace turnout::cli {

inline constexpr int kOk = 0;
inline constexpr int kFailed = 1;     // something went wrong at run time
inline constexpr int kUsage = 2;      // the command line is wrong
inline constexpr int kStopped = 128;  // plus the signal's number

struct ListOptions {
  RegistryOptions registry;
  std::string service;  // empty: all
  std::chrono::milliseconds timeout{5000};
  bool json = false;
};
int RunList(const ListOptions& options);

struct WatchOptions {
  RegistryOptions registry;
  std::string service;
  std::optional<std::chrono::milliseconds> duration;  // none: until a signal
  std::optional<int> changes;                         // none: any number
  bool json = false;
};
int RunWatch(const WatchOptions& options);

struct OperateCommand {
  enum class Action { kDrain, kRemove, kRestore };
  Action action = Action::kDrain;
  RegistryOptions registry;
  std::string service;
  std::string id;
  std::int64_t expiry_seconds = std::int64_t{24} * 3600;  // 0: never
  std::chrono::milliseconds timeout{5000};
  bool json = false;
};
int RunOperate(const OperateCommand& command);

struct DemoOptions {
  bool json = false;
};
int RunDemo(const DemoOptions& options);

struct SimulateOptions {
  std::string scenario;  // a file, or the name of one that comes with the command; empty: list them
  std::string policies;  // empty: all that are worth comparing
  std::vector<double> loads = {0.8};
  std::uint64_t seed = 1;
  std::int64_t calls = 0;  // measured; 0: the scenario's
  std::string plot;        // the file; empty: none
  bool json = false;
};
int RunSimulate(const SimulateOptions& options);

}  // namespace turnout::cli

#endif  // TURNOUT_SRC_CLI_COMMANDS_H_
