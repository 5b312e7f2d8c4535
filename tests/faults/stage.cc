#include "tests/faults/stage.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/faults/content.h"
#include "tests/support/records.h"

namespace turnout::faults {
namespace {

constexpr std::chrono::seconds kPatienceWithStart{60};

std::unique_ptr<testing::Relay> MakeRelay(StageKind kind, const testing::EtcdCluster& etcd) {
  if (kind != StageKind::kRelayed) return nullptr;
  return std::make_unique<testing::Relay>(etcd.endpoints().front());
}

std::vector<std::string> EndpointsFor(const testing::EtcdCluster& etcd,
                                      const std::unique_ptr<testing::Relay>& relay) {
  if (relay != nullptr) return {relay->endpoint()};
  return etcd.endpoints();
}

struct Content {
  std::vector<Registered> records;
  Decisions decisions;
};

// Nothing if etcd does not answer.
std::optional<Content> Read(testing::EtcdCluster& etcd, const std::string& service) {
  const auto records = etcd.TryList(testing::RecordKey(service, ""));
  const auto decisions = etcd.TryList("/turnout/state/" + service + "/");
  if (!records.has_value() || !decisions.has_value()) return std::nullopt;
  Content content;
  for (const auto& entry : records->entries) {
    auto record = Registered::Parse(entry.key, entry.value, entry.create_revision, entry.lease);
    if (record.has_value()) content.records.push_back(*std::move(record));
  }
  for (const auto& entry : decisions->entries) {
    content.decisions[entry.key.substr(entry.key.rfind('/') + 1)] = entry.value;
  }
  return content;
}

Seen SeenAs(bool draining, const std::string& version, const std::string& address) {
  return {draining ? "draining" : "registered", version, address};
}

// How the records differ from those of the servers that serve.
std::string CompareRecords(const std::vector<Registered>& records, const std::string& service,
                           const Fleet& fleet, const std::set<std::int64_t>& disregarded) {
  std::set<std::string> wanted, found;
  for (const auto& [spec, address, draining] : fleet.Registrations()) {
    if (spec.service != service) continue;
    wanted.insert(Describe(spec.id, SeenAs(draining, spec.version, address)));
  }
  for (const Registered& record : records) {
    const Seen seen = SeenAs(record.draining, record.version, record.address);
    const bool counts = !disregarded.contains(record.lease);
    found.insert(Describe(record.id, seen) + (counts ? "" : " under its old lease"));
  }
  return Difference(wanted, found);
}

// How a client's view differs from what it should see. What has lapsed is in etcd no more.
std::string CompareView(const std::map<std::string, Seen>& visible, const View& view) {
  std::set<std::string> wanted, found;
  for (const auto& [id, seen] : visible) wanted.insert(Describe(id, seen));
  for (const auto& [id, seen] : view.members) {
    if (seen.status != "lapsed") found.insert(Describe(id, seen));
  }
  return Difference(wanted, found);
}

}  // namespace

Stage::Stage(StageKind kind, std::string folder)
    : kind_(kind),
      folder_(std::move(folder)),
      etcd_(kind == StageKind::kThreeMembers ? 3 : 1),
      servers_relay_(MakeRelay(kind, etcd_)),
      clients_relay_(MakeRelay(kind, etcd_)),
      fleet_(EndpointsFor(etcd_, servers_relay_), folder_) {
  for (Fleet::Place place = 0; place < fleet_.size(); ++place) {
    fleet_.Start(place, fleet_.Usual(place));
  }
  for (Fleet::Place place = 0; place < fleet_.size(); ++place) fleet_.AwaitRegistered(place);
  for (std::size_t i = 0; i < clients_.size(); ++i) StartClient(i);
  AwaitAllWell();
}

void Stage::AwaitAllWell() {
  const auto well = [this](const Difference& difference) {
    return difference.registrations.empty() && difference.views.empty() &&
           std::all_of(clients_.begin(), clients_.end(),
                       [](const auto& one) { return one->answered() > 2 * kAsked.size(); });
  };
  const auto deadline = Clock::now() + kPatienceWithStart;
  for (Difference difference = Compare(); !well(difference); difference = Compare()) {
    if (Clock::now() > deadline || AClientHasEnded()) {
      std::fprintf(stderr, "the stage cannot be set: %s %s\n", difference.registrations.c_str(),
                   difference.views.c_str());
      std::abort();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

void Stage::StartClient(std::size_t index) {
  constexpr std::array kThreads = {4, 1};
  clients_[index] =
      std::make_unique<ClientProcess>(EndpointsFor(etcd_, clients_relay_), folder_,
                                      absl::StrCat("client-", index), kThreads[index]);
}

void Stage::StopOtherClient() {
  clients_[1]->Stop();
  const std::vector<Call> calls = clients_[1]->TakeCalls();
  calls_.insert(calls_.end(), calls.begin(), calls.end());
  clients_[1].reset();
}

std::vector<Call> Stage::TakeCalls() {
  std::vector<Call> calls = std::exchange(calls_, {});
  for (const auto& client : clients_) {
    if (client == nullptr) continue;
    const std::vector<Call> made = client->TakeCalls();
    calls.insert(calls.end(), made.begin(), made.end());
  }
  return calls;
}

bool Stage::AClientHasEnded() const {
  return std::any_of(clients_.begin(), clients_.end(),
                     [](const auto& client) { return client != nullptr && client->has_ended(); });
}

bool Stage::IsKnown(const std::string& service, const std::string& id) const {
  return std::all_of(clients_.begin(), clients_.end(), [&](const auto& client) {
    return client == nullptr || client->views()[service].members.contains(id);
  });
}

void Stage::DisregardLeases() {
  for (const std::string service : kServices) {
    const auto content = Read(etcd_, service);
    if (!content.has_value()) continue;
    for (const Registered& record : content->records) disregarded_leases_.insert(record.lease);
  }
}

Stage::Difference Stage::Compare() {
  std::array<std::map<std::string, View>, std::tuple_size_v<decltype(clients_)>> views;
  for (std::size_t i = 0; i < views.size(); ++i) {
    if (clients_[i] != nullptr) views[i] = clients_[i]->views();
  }
  Difference difference;
  for (const std::string service : kServices) {
    const auto content = Read(etcd_, service);
    if (!content.has_value()) return {"etcd does not answer", "etcd does not answer"};
    difference.registrations +=
        CompareRecords(content->records, service, fleet_, disregarded_leases_);
    const auto visible = Visible(content->records, content->decisions);
    for (std::size_t i = 0; i < views.size(); ++i) {
      if (clients_[i] == nullptr) continue;
      const std::string view = CompareView(visible, views[i][service]);
      if (!view.empty()) absl::StrAppend(&difference.views, "client ", i, ": ", view, "; ");
    }
  }
  return difference;
}

std::map<std::string, int> Stage::CountLogLines() const {
  std::map<std::string, int> counts;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    if (entry.path().extension() != ".log") continue;
    std::ifstream file(entry.path());
    int lines = 0;
    for (std::string line; std::getline(file, line);) ++lines;
    counts[entry.path().stem()] = lines;
  }
  return counts;
}

}  // namespace turnout::faults
