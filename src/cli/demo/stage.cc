#include "src/cli/demo/stage.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <system_error>

#include "fmt/format.h"
#include "nlohmann/json.hpp"

namespace turnout::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kPatience{10};  // for a process to say that it is ready

bool IsProgram(const fs::path& path) {
  return fs::is_regular_file(path) && access(path.c_str(), X_OK) == 0;
}

std::optional<fs::path> FindOnPath(std::string_view name) {
  const char* variable = std::getenv("PATH");
  std::string_view path = variable == nullptr ? "" : variable;
  while (!path.empty()) {
    const std::string_view folder = path.substr(0, path.find(':'));
    if (const fs::path file = fs::path(folder) / name; IsProgram(file)) return file;
    path.remove_prefix(std::min(path.size(), folder.size() + 1));
  }
  return std::nullopt;
}

absl::StatusOr<fs::path> FindEtcd(const fs::path& own_folder) {
  if (const char* named = std::getenv("TURNOUT_ETCD_BINARY"); named != nullptr && *named != '\0') {
    if (IsProgram(named)) return fs::absolute(named);
    return absl::NotFoundError(
        fmt::format("TURNOUT_ETCD_BINARY names \"{}\", which is not a program", named));
  }
  if (auto found = FindOnPath("etcd")) return *found;
  const fs::path built = (own_folder / "../../deps/etcd/usr/bin/etcd").lexically_normal();
  if (IsProgram(built)) return built;
  return absl::NotFoundError(fmt::format(
      "there is no etcd, neither on PATH nor in {}. `./run demo` gets one, or name it in "
      "TURNOUT_ETCD_BINARY",
      built.parent_path().string()));
}

// A port that was free a moment ago.
absl::StatusOr<int> FreePort() {
  const int socket_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const bool bound =
      bind(socket_fd, generic, size) == 0 && getsockname(socket_fd, generic, &size) == 0;
  close(socket_fd);
  if (!bound) return absl::InternalError("no port is free on 127.0.0.1");
  return ntohs(address.sin_port);
}

absl::StatusOr<fs::path> MakeFolder() {
  std::string name = (fs::temp_directory_path() / "turnout-demo-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) {
    return absl::InternalError(fmt::format("cannot make a folder like {}", name));
  }
  return fs::path(name);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Stage>> Stage::Open() {
  std::unique_ptr<Stage> stage(new Stage);
  if (absl::Status status = stage->Prepare(); !status.ok()) return status;
  // A port that was free may be taken when etcd wants it.
  absl::Status status;
  for (int attempt = 0; attempt < 3; ++attempt) {
    status = stage->StartEtcd();
    if (status.ok()) return stage;
  }
  return status;
}

Stage::~Stage() {
  servers_.clear();
  etcd_.reset();
  std::error_code ignored;
  if (!folder_.empty()) fs::remove_all(folder_, ignored);
}

absl::Status Stage::Prepare() {
  std::error_code error;
  programs_ = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (const char* name : {"app_server", "app_client"}) {
    if (IsProgram(programs_ / name)) continue;
    return absl::NotFoundError(
        fmt::format("there is no {} in {}; `./run build` makes it", name, programs_.string()));
  }
  absl::StatusOr<fs::path> etcd = FindEtcd(programs_);
  if (!etcd.ok()) return etcd.status();
  etcd_program_ = *std::move(etcd);
  absl::StatusOr<fs::path> folder = MakeFolder();
  if (!folder.ok()) return folder.status();
  folder_ = *std::move(folder);
  return absl::OkStatus();
}

absl::Status Stage::StartEtcd() {
  const absl::StatusOr<int> port = FreePort();
  if (!port.ok()) return port.status();
  const absl::StatusOr<int> peer_port = FreePort();
  if (!peer_port.ok()) return peer_port.status();
  const std::string url = fmt::format("http://127.0.0.1:{}", *port);
  const std::string peer_url = fmt::format("http://127.0.0.1:{}", *peer_port);
  auto etcd = Process::Start(
      "etcd", {etcd_program_.string(), "--name=demo",
               fmt::format("--data-dir={}", (folder_ / fmt::format("etcd-{}", *port)).string()),
               "--listen-client-urls=" + url, "--advertise-client-urls=" + url,
               "--listen-peer-urls=" + peer_url, "--initial-advertise-peer-urls=" + peer_url,
               "--initial-cluster=demo=" + peer_url});
  if (!etcd.ok()) return etcd.status();
  auto ready =
      (*etcd)->AwaitLine("ready to serve client requests", Process::Where::kAnywhere, kPatience);
  if (!ready.ok()) return ready.status();
  etcd_ = *std::move(etcd);
  etcd_address_ = fmt::format("127.0.0.1:{}", *port);
  return absl::OkStatus();
}

std::string Stage::target() const {
  return fmt::format("etcd://{}/{}", etcd_address_, kDemoService);
}

absl::Status Stage::StartServers(const std::vector<std::string>& versions) {
  const std::size_t first = servers_.size();
  for (const std::string& version : versions) {
    auto process = Process::Start(
        fmt::format("the {} server", version),
        {(programs_ / "app_server").string(), "--etcd", etcd_address_, "--service", kDemoService,
         "--version", version, "--listen", "127.0.0.1:0", "--ttl",
         std::to_string(kLeaseTtl.count()), "--delay-ms", std::to_string(kServiceTime.count())});
    if (!process.ok()) return process.status();
    servers_.push_back({.version = version, .process = *std::move(process)});
  }
  constexpr std::string_view kRegistered = "registered ";
  for (std::size_t i = first; i < servers_.size(); ++i) {
    auto line = servers_[i].process->AwaitLine(kRegistered, Process::Where::kAtStart, kPatience);
    if (!line.ok()) return line.status();
    // "registered KEY ADDRESS"
    const std::string words = line->text.substr(kRegistered.size());
    const std::size_t blank = words.find(' ');
    servers_[i].key = words.substr(0, blank);
    servers_[i].address = blank == std::string::npos ? "" : words.substr(blank + 1);
    servers_[i].registered_at = line->at;
  }
  return absl::OkStatus();
}

Server& Stage::Find(std::string_view version) {
  return *std::find_if(servers_.begin(), servers_.end(),
                       [&](const Server& server) { return server.version == version; });
}

absl::StatusOr<Reply> Stage::AskOnce(const std::string& version, const std::string& input) {
  auto client = Process::Start(
      "app_client", {(programs_ / "app_client").string(), "--etcd", etcd_address_, "--service",
                     kDemoService, "--version", version, "--input", input, "--json"});
  if (!client.ok()) return client.status();
  auto line = (*client)->AwaitLine("{\"calls\":", Process::Where::kAtStart, kPatience);
  if (!line.ok()) return line.status();
  const auto json = nlohmann::json::parse(line->text, nullptr, /*allow_exceptions=*/false);
  for (const bool ok : {true, false}) {
    const auto replies = json.find(ok ? "by_output" : "errors");
    if (json.is_object() && replies != json.end() && replies->is_object() && !replies->empty()) {
      return Reply{.text = replies->begin().key(), .ok = ok};
    }
  }
  return absl::InternalError("app_client printed no result: " + line->text);
}

}  // namespace turnout::cli
