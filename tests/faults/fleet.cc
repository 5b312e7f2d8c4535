#include "tests/faults/fleet.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/faults/roles.h"

namespace turnout::faults {
namespace {

constexpr std::chrono::seconds kPatienceWithServers{60};

[[noreturn]] void Die(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::abort();
}

}  // namespace

std::string SelfPath() { return std::filesystem::read_symlink("/proc/self/exe"); }

Fleet::Fleet(std::vector<std::string> etcd, std::string folder)
    : etcd_(std::move(etcd)), folder_(std::move(folder)) {
  places_.reserve(kFleet.size());
  for (const Role& usual : kFleet) {
    places_.push_back(std::make_unique<Placed>());
    places_.back()->usual = usual;
  }
}

ServerSpec Fleet::Usual(Place place) {
  const Role& usual = places_[place]->usual;
  return {usual.service, usual.version, absl::StrCat("s", next_id_++, "-at-", place), ""};
}

void Fleet::Start(Place place, ServerSpec spec) {
  Placed& placed = *places_[place];
  const std::string log = absl::StrCat(folder_, "/server-", place, ".log");
  std::vector<std::string> command = {
      SelfPath(),    "server",
      "--etcd",      absl::StrJoin(etcd_, ","),
      "--service",   spec.service,
      "--version",   spec.version,
      "--id",        spec.id,
      "--listen",    placed.port.address(),
      "--advertise", spec.advertise.empty() ? placed.port.address() : spec.advertise,
      "--log",       log};
  placed.process = std::make_unique<testing::Process>(command);
  if (spec.id != placed.spec.id) placed.decision = Decision::kNone;
  placed.spec = std::move(spec);
  placed.frozen = placed.ending = false;
  if (placed.process->ReadLine(kPatienceWithServers) != kServingLine) {
    Die(absl::StrCat("the server at ", placed.port.address(), " does not serve"));
  }
}

void Fleet::AwaitRegistered(Place place) {
  if (places_[place]->process->ReadLine(kPatienceWithServers) != kRegisteredLine) {
    Die(absl::StrCat("the server at ", address(place), " does not register"));
  }
}

void Fleet::Kill(Place place) { places_[place]->process.reset(); }

void Fleet::Freeze(Place place) {
  places_[place]->frozen = true;
  places_[place]->process->Signal(SIGSTOP);
}

void Fleet::Thaw(Place place) {
  places_[place]->frozen = false;
  places_[place]->process->Signal(SIGCONT);
}

void Fleet::BeginDrain(Place place) {
  places_[place]->ending = true;
  places_[place]->process->Signal(SIGTERM);
}

std::optional<int> Fleet::AwaitEnd(Place place) {
  const auto status = places_[place]->process->Wait(kPatienceWithServers);
  places_[place]->process.reset();
  return status;
}

std::optional<int> Fleet::Drain(Place place) {
  BeginDrain(place);
  return AwaitEnd(place);
}

std::vector<Fleet::Registration> Fleet::Registrations() const {
  std::vector<Registration> registrations;
  for (const auto& placed : places_) {
    if (placed->process == nullptr || placed->frozen || placed->ending) continue;
    if (placed->decision == Decision::kRemoved) continue;
    const ServerSpec& spec = placed->spec;
    registrations.push_back({spec, spec.advertise.empty() ? placed->port.address() : spec.advertise,
                             placed->decision == Decision::kDraining});
  }
  return registrations;
}

}  // namespace turnout::faults
