// What the demonstration takes place on: an etcd and servers, each a process of its own, and a
// folder for their files. All of it is gone when the Stage is.
#ifndef TURNOUT_SRC_CLI_DEMO_STAGE_H_
#define TURNOUT_SRC_CLI_DEMO_STAGE_H_

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "src/cli/demo/process.h"
#include "turnout/registry.h"

namespace turnout::cli {

inline constexpr char kDemoService[] = "hwholiday.srv.app";

// How long the record of a server that was killed stays.
inline constexpr std::chrono::seconds kLeaseTtl{3};

// How long a server takes to answer: long enough for calls to be under way when it is killed.
inline constexpr std::chrono::milliseconds kServiceTime{2};

struct Server {
  std::string version;
  std::string address;
  std::string key;
  Process::Clock::time_point registered_at;  // when it said so
  std::unique_ptr<Process> process;

  std::string Answer() const { return version + " " + address; }  // to every call
};

struct Reply {
  std::string text;  // what the client was answered, or the error
  bool ok = false;
};

class Stage {
 public:
  // Starts etcd on free ports of the loopback interface. The error says what is missing.
  static absl::StatusOr<std::unique_ptr<Stage>> Open();
  ~Stage();
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  const std::string& etcd_address() const { return etcd_address_; }
  RegistryOptions registry() const { return {.endpoints = {etcd_address_}}; }
  std::string target() const;

  // One server for each version, all at once; returns when they are registered.
  absl::Status StartServers(const std::vector<std::string>& versions);
  std::vector<Server>& servers() { return servers_; }
  Server& Find(std::string_view version);  // the first of that version; there is one

  // One call by the program app_client.
  absl::StatusOr<Reply> AskOnce(const std::string& version, const std::string& input);

 private:
  Stage() = default;
  absl::Status Prepare();
  absl::Status StartEtcd();

  std::filesystem::path programs_;  // the folder of app_server and app_client
  std::filesystem::path etcd_program_;
  std::filesystem::path folder_;
  std::string etcd_address_;
  std::unique_ptr<Process> etcd_;
  std::vector<Server> servers_;
};

}  // namespace turnout::cli

#endif  // TURNOUT_SRC_CLI_DEMO_STAGE_H_
