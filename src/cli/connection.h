// How a command reaches etcd: options of the command line, and the environment.
#ifndef TURNOUT_SRC_CLI_CONNECTION_H_
#define TURNOUT_SRC_CLI_CONNECTION_H_

#include <string>

#include "CLI/CLI.hpp"
#include "turnout/registry.h"

namespace turnout::cli {

// `registry` must live until the command line has been parsed.
void AddConnectionOptions(CLI::App& command, RegistryOptions& registry);

// What cannot stand on a command line, because `ps` would show it. After parsing.
void TakePasswordFromEnvironment(RegistryOptions& registry);

// The options of `registry` that were given, to be repeated in another command: " --etcd h:p". None
// of them is secret.
std::string ConnectionFlags(const RegistryOptions& registry);

}  // namespace turnout::cli

#endif  // TURNOUT_SRC_CLI_CONNECTION_H_
