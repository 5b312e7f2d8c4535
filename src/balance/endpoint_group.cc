#include <algorithm>
#include <cstdint>
#include <iterator>

#include "src/balance/text.h"
#include "src/base/random.h"
#include "src/model/text.h"
#include "turnout/picker.h"

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

EndpointGroup::EndpointGroup(std::string_view service, Members members)
    : service_(service), members_(std::move(members)) {
  InstanceStatus best = InstanceStatus::kLapsed;
  std::size_t ready = 0;  // of status `best`
  for (const Endpoint* const member : members_) {
    switch (member->state) {
      case ConnectionState::kReady:
        if (member->member.status < best) {
          best = member->member.status;
          ready = 0;
        }
        if (member->member.status == best) ++ready;
        break;
      case ConnectionState::kConnecting:
        connecting_ = true;
        break;
      case ConnectionState::kIdle:
        ++idle_;
        break;
      case ConnectionState::kFailing:
        failing_ = member;
        break;
    }
  }
  candidates_.reserve(ready);
  std::copy_if(members_.begin(), members_.end(), std::back_inserter(candidates_),
               [best](const Endpoint* member) {
                 return member->state == ConnectionState::kReady && member->member.status == best;
               });
}

PickResult EndpointGroup::Unavailable() const {
  if (connecting_) return PickResult::Queue();
  if (idle_ > 0) {
    std::uint64_t skip = base::ThreadRandom().Below(idle_);
    const auto chosen = std::find_if(members_.begin(), members_.end(), [&](const Endpoint* member) {
      return member->state == ConnectionState::kIdle && skip-- == 0;
    });
    return PickResult::To(**chosen);
  }
  if (failing_ != nullptr) {
    return PickResult::Fail(absl::UnavailableError(Explain(service_, members_.size(), *failing_)));
  }
  // Members that are all READY have candidates; whoever asks all the same has nothing to wait for.
  return PickResult::Fail(absl::UnavailableError(
      model::Concat({"no match found conn: no instance of ", service_, " is registered"})));
}

}  // namespace turnout
