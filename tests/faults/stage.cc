#include "tests/faults/stage.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
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

// As texts, to compare: an id that is there with another version or address is another one.
std::string Describe(const std::string& id, const std::string& version,
                     const std::string& address) {
  return absl::StrCat(id, " (", version, " ", address, ")");
}

}  // namespace

Stage::Stage(StageKind kind, std::string folder)
    : kind_(kind),
      folder_(std::move(folder)),
      etcd_(kind == StageKind::kThreeMembers ? 3 : 1),
      servers_relay_(MakeRelay(kind, etcd_)),
      client_relay_(MakeRelay(kind, etcd_)),
      fleet_(EndpointsFor(etcd_, servers_relay_), folder_) {
  for (Fleet::Place place = 0; place < fleet_.size(); ++place) {
    fleet_.Start(place, fleet_.Usual(place));
  }
  for (Fleet::Place place = 0; place < fleet_.size(); ++place) fleet_.AwaitRegistered(place);
  client_ = std::make_unique<ClientProcess>(EndpointsFor(etcd_, client_relay_), folder_);
  const auto deadline = Clock::now() + kPatienceWithStart;
  Difference difference = Compare();
  while (!difference.registrations.empty() || !difference.view.empty() ||
         client_->answered() < 4 * kAsked.size()) {
    if (Clock::now() > deadline || client_->has_ended()) {
      std::fprintf(stderr, "the stage cannot be set: %s %s\n", difference.registrations.c_str(),
                   difference.view.c_str());
      std::abort();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    difference = Compare();
  }
}

Stage::Difference Stage::Compare() {
  Difference difference;
  const auto views = client_ == nullptr ? std::map<std::string, View>() : client_->views();
  const auto registrations = fleet_.Registrations();
  for (const std::string service : kServices) {
    const auto content = etcd_.TryList(testing::RecordKey(service, ""));
    if (!content.has_value()) {
      difference.registrations = difference.view = "etcd does not answer";
      return difference;
    }
    std::vector<Registered> records;
    std::set<std::string> wanted, found, seen;
    for (const auto& entry : content->entries) {
      const auto record = Registered::Parse(entry.key, entry.value, entry.create_revision);
      if (!record.has_value()) continue;
      records.push_back(*record);
      found.insert(Describe(record->id, record->version, record->address));
    }
    for (const auto& [spec, address] : registrations) {
      if (spec.service == service) wanted.insert(Describe(spec.id, spec.version, address));
    }
    if (const auto view = views.find(service); view != views.end()) {
      for (const auto& [id, status] : view->second.members) {
        if (status != "lapsed") seen.insert(id);
      }
    }
    difference.registrations += faults::Difference(wanted, found);
    difference.view += faults::Difference(VisibleIds(records), seen);
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
