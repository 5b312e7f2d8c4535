#include "examples/primary_replica.h"

#include <algorithm>
#include <atomic>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "turnout/config_reader.h"

namespace {

using turnout::CallOutcome;
using turnout::Endpoint;
using turnout::EndpointGroup;
using turnout::PickArgs;
using turnout::PickResult;
using Clock = turnout::InstanceStats::Clock;
using std::chrono::milliseconds;

// What we remember of a replica, for as long as this process knows the instance.
struct Trouble {
  std::atomic<Clock::time_point> until{Clock::time_point::min()};
};

// A leaf: of the replicas that can take the call, the least busy one that is not in trouble.
class LeastBusy final : public turnout::Picker {
 public:
  LeastBusy(const EndpointGroup& group, milliseconds rest) : rest_(rest) {
    for (const Endpoint* const endpoint : group.candidates()) {
      replicas_.push_back({endpoint, endpoint->stats().Attached<Trouble>()});
    }
  }

  PickResult Pick(const PickArgs&) const override {
    const auto how_busy = [now = Clock::now()](const Replica& replica) {
      const turnout::InstanceStats& stats = replica.endpoint->stats();
      return std::tuple(replica.trouble->until.load() > now, stats.in_flight(), stats.finished());
    };
    const Replica& best = *std::ranges::min_element(replicas_, {}, how_busy);
    return PickResult::To(*best.endpoint)
        .OnFinish([trouble = best.trouble, rest = rest_](const CallOutcome& outcome) {
          const bool overloaded = outcome.load != nullptr && outcome.load->main_utilization() > 0.9;
          const bool slow = outcome.latency > std::chrono::seconds(1);
          if (overloaded || slow || turnout::IsServerFault(outcome.status.code())) {
            trouble->until = Clock::now() + rest;
          }
        });
  }

 private:
  struct Replica {
    const Endpoint* endpoint;
    std::shared_ptr<Trouble> trouble;
  };
  const milliseconds rest_;
  std::vector<Replica> replicas_;
};

class LeastBusyBuilder final : public turnout::ChoosingPickerBuilder {
 public:
  explicit LeastBusyBuilder(milliseconds rest) : rest_(rest) {}

 protected:
  std::unique_ptr<const turnout::Picker> BuildChoice(const EndpointGroup& group) const override {
    return std::make_unique<LeastBusy>(group, rest_);
  }

 private:
  const milliseconds rest_;
};

// A parent: writes go to the primaries, reads to the replicas, `x-debug: ID` to that instance.
class PrimaryReplicaPicker final : public turnout::Picker {
 public:
  PrimaryReplicaPicker(const PrimaryReplicaOptions& options, const EndpointGroup& group)
      : writes_(options.writes) {
    EndpointGroup::Members primaries;
    EndpointGroup::Members replicas;
    for (const Endpoint* const endpoint : group.members()) {
      const turnout::Instance& instance = endpoint->instance();
      by_id_.emplace(instance.id, endpoint);
      const auto role = instance.metadata.find("role");
      const bool primary = role != instance.metadata.end() && role->second == "primary";
      (primary ? primaries : replicas).push_back(endpoint);
    }
    if (!primaries.empty()) {
      primaries_ = options.primaries->Build(group.With(std::move(primaries), "primary"));
    }
    replicas_ = LeastBusyBuilder(options.rest).Build(group.With(std::move(replicas), "replica"));
  }

  PickResult Pick(const PickArgs& args) const override {
    if (const auto id = args.Metadata("x-debug")) return PickById(*id);
    if (!IsWrite(args.method())) return replicas_->Pick(args);
    // Between two primaries there is none for a while: the call waits until its deadline.
    return primaries_ != nullptr ? primaries_->Pick(args) : PickResult::Queue();
  }

 private:
  bool IsWrite(std::string_view method) const {
    return std::ranges::any_of(
        writes_, [method](const std::string& prefix) { return method.starts_with(prefix); });
  }

  PickResult PickById(std::string_view id) const {
    const auto found = by_id_.find(id);
    if (found == by_id_.end()) {
      return PickResult::Drop(absl::UnavailableError("x-debug: no instance " + std::string(id)));
    }
    const Endpoint& endpoint = *found->second;
    if (endpoint.state == turnout::ConnectionState::kFailing) {
      return PickResult::Fail(absl::UnavailableError(endpoint.last_error.message()));
    }
    return PickResult::To(endpoint);
  }

  const std::vector<std::string> writes_;
  std::unordered_map<std::string_view, const Endpoint*> by_id_;
  std::unique_ptr<const turnout::Picker> primaries_;  // null: no instance is one
  std::unique_ptr<const turnout::Picker> replicas_;
};

class PrimaryReplicaBuilder final : public turnout::PickerBuilder {
 public:
  explicit PrimaryReplicaBuilder(PrimaryReplicaOptions options) : options_(std::move(options)) {}

  std::shared_ptr<const PickerBuilder> Configure(turnout::ConfigReader& config) const override {
    PrimaryReplicaOptions options;
    if (auto writes = config.Strings("writes"); !writes.empty()) options.writes = std::move(writes);
    options.rest = config.Duration(
        "rest",
        {.otherwise = options.rest, .least = milliseconds(0), .most = std::chrono::minutes(1)});
    options.primaries = config.Child("primaries", "random");
    return MakePrimaryReplica(std::move(options));
  }

  std::unique_ptr<const turnout::Picker> Build(EndpointGroup group) const override {
    return std::make_unique<PrimaryReplicaPicker>(options_, group);
  }

  std::optional<milliseconds> rebuild_period() const override {
    return options_.primaries->rebuild_period();
  }

 private:
  const PrimaryReplicaOptions options_;
};

}  // namespace

std::shared_ptr<const turnout::PickerBuilder> MakePrimaryReplica(PrimaryReplicaOptions options) {
  return std::make_shared<PrimaryReplicaBuilder>(std::move(options));
}
