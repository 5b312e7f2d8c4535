#include "tests/faults/scene.h"

#include <algorithm>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "turnout/operate.h"

namespace turnout::faults {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPoll{50};
constexpr std::chrono::seconds kPatience{40};  // longer than any limit, to measure what exceeds it

// A call that begins so long after a process was killed can still meet the connection that nobody
// has looked at since.
constexpr milliseconds kNoticing{1000};

// Until a decision has come from etcd to a client's pickers, on a loaded machine.
constexpr milliseconds kObeyed{1000};

// What is right must stay so: records whose leases nobody keeps alive would be gone by then.
constexpr std::chrono::seconds kStays = kTtl + std::chrono::seconds(2);

double Seconds(Clock::duration time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

void Scene::Say(const std::string& choice) {
  absl::StrAppend(&choices_, choices_.empty() ? "" : ", ", choice);
}

Fleet::Place Scene::AnyPlace() {
  const Fleet::Place place = random_.Below(fleet().size());
  Say(absl::StrCat("server ", place));
  return place;
}

Fleet::Place Scene::AnyPlaceOf(const Role& role, std::optional<Fleet::Place> other) {
  std::vector<Fleet::Place> places;
  for (Fleet::Place place = 0; place < kFleet.size(); ++place) {
    const Role& usual = kFleet[place];
    if (std::string(usual.service) == role.service && std::string(usual.version) == role.version &&
        place != other) {
      places.push_back(place);
    }
  }
  const Fleet::Place place = places[random_.Below(places.size())];
  Say(absl::StrCat("server ", place));
  return place;
}

testing::Relay::Mode Scene::AnyMode() {
  const bool cut = random_.Coin();
  Say(cut ? "connections cut" : "connections silent");
  return cut ? testing::Relay::Mode::kCut : testing::Relay::Mode::kSilent;
}

void Scene::Pass(milliseconds time) { std::this_thread::sleep_for(time); }

void Scene::Kill(Fleet::Place place) {
  const auto now = Clock::now();
  fleet().Kill(place);
  rules_.allowances.push_back({.from = now,
                               .until = Clock::now() + kNoticing,
                               .address = fleet().address(place),
                               .even_with_retries = false});
}

void Scene::Drain(Fleet::Place place) {
  const auto status = fleet().Drain(place);
  if (status == 0) return;
  Violate(status ? absl::StrCat("a server that drains ends with status ", *status)
                 : "a server that drains does not end");
}

void Scene::Freeze(Fleet::Place place) {
  AllowFailures(fleet().address(place), kSilentUntilExpiry);
  fleet().Freeze(place);
}

void Scene::AllowFailures(const std::string& address, Clock::duration time) {
  const auto now = Clock::now();
  rules_.allowances.push_back(
      {.from = now, .until = now + time, .address = address, .even_with_retries = true});
}

void Scene::Decide(Fleet::Place place, Decision decision) {
  const std::string address = fleet().address(place);
  for (Ban& ban : rules_.bans) {
    if (ban.address == address) ban.until = std::min(ban.until, Clock::now());
  }
  OperateOptions options;
  options.registry.endpoints = etcd().endpoints();
  const auto decide = decision == Decision::kNone       ? &RestoreInstance
                      : decision == Decision::kDraining ? &DrainInstance
                                                        : &RemoveInstance;
  const ServerSpec& spec = fleet().spec(place);
  const absl::Status status = decide(spec.service, spec.id, options);
  if (!status.ok()) Violate(absl::StrCat("an operator cannot decide: ", status.ToString()));
  fleet().Note(place, decision);
  if (decision == Decision::kNone) return;
  rules_.bans.push_back(
      {.from = Clock::now() + kObeyed, .until = Clock::time_point::max(), .address = address});
}

void Scene::StartAnew(Fleet::Place place) {
  fleet().Start(place, fleet().Usual(place));
  fleet().AwaitRegistered(place);
  AwaitKnown(place);
}

void Scene::AwaitKnown(Fleet::Place place) {
  const ServerSpec& spec = fleet().spec(place);
  const auto deadline = Clock::now() + kPatience;
  while (!stage_.IsKnown(spec.service, spec.id)) {
    if (Clock::now() > deadline) {
      Violate(absl::StrCat("a client never gets to know ", spec.id));
      return;
    }
    std::this_thread::sleep_for(milliseconds(5));
  }
}

void Scene::Recover(Clock::duration limit) {
  if (!recovery_begin_.has_value()) recovery_begin_ = Clock::now();
  recovery_ = std::max(recovery_.value_or(Clock::duration::zero()), AwaitRight(limit));
}

void Scene::Settle() { AwaitRight(kRegistrationLimit); }

Clock::duration Scene::AwaitRight(Clock::duration registration_limit) {
  const auto begin = Clock::now();
  auto registrations_wrong = begin, view_wrong = begin;  // seen last
  for (auto now = begin; now - view_wrong < kStays || now - registrations_wrong < kStays;
       now = Clock::now()) {
    const Stage::Difference difference = stage_.Compare();
    if (!difference.registrations.empty()) registrations_wrong = Clock::now();
    if (!difference.views.empty()) view_wrong = Clock::now();
    if (now - begin > kPatience) {
      Violate(absl::StrFormat("not right after %.0f s: registrations %s; views %s",
                              Seconds(kPatience), difference.registrations, difference.views));
      return now - begin;
    }
    Pass(kPoll);
  }
  if (registrations_wrong - begin > registration_limit) {
    Violate(absl::StrFormat("registrations are right after %.1f s, must be after %.0f s",
                            Seconds(registrations_wrong - begin), Seconds(registration_limit)));
  }
  const auto behind = view_wrong - registrations_wrong;
  if (behind > kViewLimit) {
    Violate(absl::StrFormat("views are right %.1f s after registrations, must be within %.0f s",
                            Seconds(behind), Seconds(kViewLimit)));
  }
  return std::max(view_wrong, registrations_wrong) - begin;
}

}  // namespace turnout::faults
