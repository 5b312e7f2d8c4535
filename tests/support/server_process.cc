#include "tests/support/server_process.h"

#include <gtest/gtest.h>

#include <utility>

namespace turnout::testing {
namespace {

std::vector<std::string> CommandOf(const ServerProcessOptions& options) {
  std::vector<std::string> command = {Program(options.program),
                                      "--etcd",
                                      options.etcd,
                                      "--service",
                                      options.service,
                                      "--version",
                                      options.version,
                                      "--listen",
                                      options.listen,
                                      "--ttl",
                                      std::to_string(options.ttl_s)};
  if (options.quiet) command.push_back("--quiet");
  if (!options.id.empty()) command.insert(command.end(), {"--id", options.id});
  command.insert(command.end(), options.more.begin(), options.more.end());
  return command;
}

}  // namespace

ServerProcess::ServerProcess(ServerProcessOptions options)
    : options_(std::move(options)), process_(CommandOf(options_)) {}

// `registered KEY ADDRESS`
bool ServerProcess::AwaitRegistered() {
  const std::string line = process_.ReadLine().value_or("");
  const std::size_t before_key = line.find(' ');
  const std::size_t before_address = line.rfind(' ');
  const bool registered = line.substr(0, before_key) == "registered" && before_key < before_address;
  EXPECT_TRUE(registered) << options_.program << " says `" << line << "`";
  if (!registered) return false;
  key_ = line.substr(before_key + 1, before_address - before_key - 1);
  address_ = line.substr(before_address + 1);
  return true;
}

bool ServerProcess::AwaitCall() {
  const std::string line = process_.ReadLine().value_or("");
  EXPECT_EQ(line.rfind("input: ", 0), 0) << options_.program << " says `" << line << "`";
  return !::testing::Test::HasFailure();
}

Kill ServerProcess::Kill() {
  testing::Kill kill{.address = address_, .begin = std::chrono::steady_clock::now()};
  process_.Signal(SIGKILL);
  EXPECT_EQ(process_.Wait(), -SIGKILL);
  kill.end = std::chrono::steady_clock::now();
  return kill;
}

void ServerProcess::Drain() {
  process_.Signal(SIGTERM);
  EXPECT_EQ(process_.Wait(), 0);
}

std::vector<std::unique_ptr<ServerProcess>> StartAll(std::vector<ServerProcessOptions> options) {
  std::vector<std::unique_ptr<ServerProcess>> servers;
  servers.reserve(options.size());
  for (ServerProcessOptions& one : options) {
    servers.push_back(std::make_unique<ServerProcess>(std::move(one)));
  }
  for (const auto& server : servers) {
    if (!server->AwaitRegistered()) break;
  }
  return servers;
}

}  // namespace turnout::testing
