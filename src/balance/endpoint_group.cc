#include "turnout/endpoint_group.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "src/balance/text.h"
#include "src/model/text.h"

namespace turnout {
namespace {

// A connection error of gRPC lists every address and cause.
constexpr std::size_t kMostErrorBytes = 500;

std::string Explain(std::string_view service, std::size_t members, const Endpoint& failing) {
  const absl::string_view error = failing.last_error.message();
  const std::string who =
      members == 1 ? "the only matching instance of "
                   : model::Concat({"all ", std::to_string(members), " matching instances of "});
  return model::Concat({who, service, members == 1 ? " is" : " are", " failing; last error of ",
                        failing.instance().id, " (", failing.instance().address(), "): ",
                        error.empty()
                            ? "none is known"
                            : balance::Printable({error.data(), error.size()}, kMostErrorBytes)});
}

}  // namespace

EndpointGroup::EndpointGroup(std::string_view service, std::string key, Members members,
                             bool ignores_health)
    : service_(service),
      key_(std::move(key)),
      ignores_health_(ignores_health),
      members_(std::move(members)) {
  InstanceStatus best = InstanceStatus::kLapsed;
  std::size_t taking = 0;  // of status `best`
  for (const Endpoint* const member : members_) {
    if (Takes(*member)) {
      if (member->member.status < best) {
        best = member->member.status;
        taking = 0;
      }
      if (member->member.status == best) ++taking;
      continue;
    }
    switch (member->state) {
      case ConnectionState::kConnecting:
        connecting_ = true;
        break;
      case ConnectionState::kIdle:
        idle_.push_back(member);
        break;
      case ConnectionState::kReady:
      case ConnectionState::kFailing:
      case ConnectionState::kUnhealthy:
        failing_ = member;
        break;
    }
  }
  candidates_.reserve(taking);
  std::copy_if(members_.begin(), members_.end(), std::back_inserter(candidates_),
               [this, best](const Endpoint* member) {
                 return Takes(*member) && member->member.status == best;
               });
}

bool EndpointGroup::Takes(const Endpoint& member) const {
  return member.state == ConnectionState::kReady ||
         (ignores_health_ && member.state == ConnectionState::kUnhealthy);
}

PickResult EndpointGroup::Unavailable() const {
  if (connecting_ || !idle_.empty()) return PickResult::Queue().Connect(idle_);
  if (failing_ != nullptr) {
    return PickResult::Fail(absl::UnavailableError(Explain(service_, members_.size(), *failing_)));
  }
  // Members that are all READY have candidates; whoever asks all the same has nothing to wait for.
  return PickResult::Fail(absl::UnavailableError(
      model::Concat({"no match found conn: no instance of ", service_, " is registered"})));
}

EndpointGroup EndpointGroup::With(Members members, std::string_view name) const {
  return {service_, model::Concat({key_, "/", name}), std::move(members), ignores_health_};
}

EndpointGroup EndpointGroup::IgnoringHealth() && {
  return {service_, std::move(key_), std::move(members_), true};
}

}  // namespace turnout
