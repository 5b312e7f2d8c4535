// Balancing policies of one's own.
//
//   Endpoint        one instance as a channel sees it: its record, connection state, statistics
//   EndpointGroup   the endpoints a picker may choose among
//   PickerBuilder   makes a Picker from an EndpointGroup; made once for each configuration
//   Picker          sends each call to an endpoint; immutable, replaced whenever something changes
//   PickResult      an endpoint, or a verdict: queue, fail, drop
//
// Builders nest: one that selects (`version`) divides its group and builds a child for each part;
// one that chooses (`random`) is a leaf. Most leaves derive from ChoosingPickerBuilder, which deals
// with everything but the choice itself.
//
// Threads: Build runs on one thread at a time for each channel, and must not block. Pick and finish
// callbacks run on the threads of the calls, many at once, on the path of every call: they must
// not block. Objects handed to them live at least as long as the Picker.
#ifndef TURNOUT_PICKER_H_
#define TURNOUT_PICKER_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "turnout/endpoint.h"

namespace turnout {

class ConfigReader;

// How one call ended.
struct CallOutcome {
  absl::Status status;
  std::chrono::nanoseconds duration{};  // of this attempt; a stream's is its lifetime, not latency
};

// What is known of the call at the moment of a pick. Valid during Pick only.
class PickArgs {
 public:
  virtual ~PickArgs() = default;

  virtual std::string_view path() const = 0;  // `/package.Service/Method`
  std::string_view method() const;            // `Method`

  // The call's metadata; the values of a repeated key are joined by commas.
  virtual std::optional<std::string_view> Metadata(std::string_view key) const = 0;

  // 0 for a call's first attempt, 1 for its first retry, ...
  virtual int attempt() const = 0;

  // Has an earlier attempt of this call gone to `endpoint`?
  virtual bool Tried(const Endpoint& endpoint) const = 0;
};

// Move-only, and cheap for what most picks return.
class PickResult {
 public:
  enum class Kind { kEndpoint, kQueue, kFail, kDrop };
  using FinishCallback = std::function<void(const CallOutcome&)>;

  // Send the call to `endpoint`, one of the group's. One that is not READY is connected, and the
  // call waits as with Queue.
  static PickResult To(const Endpoint& endpoint) {
    PickResult result(Kind::kEndpoint);
    result.endpoint_ = &endpoint;
    return result;
  }
  // Wait until something changes.
  static PickResult Queue() { return PickResult(Kind::kQueue); }
  // The attempt fails with `status`: wait_for_ready calls wait, retry policies retry. Use
  // UNAVAILABLE: gRPC turns the codes that belong to applications into INTERNAL (gRFC A54).
  static PickResult Fail(absl::Status status);
  // The call ends with `status`, whatever its settings.
  static PickResult Drop(absl::Status status);

  Kind kind() const { return kind_; }
  const Endpoint* endpoint() const { return endpoint_; }
  const absl::Status& status() const { return status_; }

  // Metadata to add to the call on its way to the endpoint.
  PickResult& AddMetadata(std::string key, std::string value) &;
  PickResult&& AddMetadata(std::string key, std::string value) && {
    return std::move(AddMetadata(std::move(key), std::move(value)));
  }
  std::span<const std::pair<std::string, std::string>> metadata() const {
    if (additions_ == nullptr) return {};
    return additions_->metadata;
  }

  // Called once when the attempt has ended; never if it is abandoned before its outcome is known.
  // The picker may be gone by then. Several are called in the order in which they were added.
  PickResult& OnFinish(FinishCallback callback) &;
  PickResult&& OnFinish(FinishCallback callback) && {
    return std::move(OnFinish(std::move(callback)));
  }
  FinishCallback TakeFinishCallback() {
    return additions_ == nullptr ? nullptr : std::exchange(additions_->on_finish, nullptr);
  }

 private:
  // Apart, because most calls have none of it and every call pays for the size of its result.
  struct Additions {
    std::vector<std::pair<std::string, std::string>> metadata;
    FinishCallback on_finish;
  };

  explicit PickResult(Kind kind) : kind_(kind) {}
  Additions& additions();

  Kind kind_;
  const Endpoint* endpoint_ = nullptr;
  absl::Status status_;
  std::unique_ptr<Additions> additions_;
};

class Picker {
 public:
  virtual ~Picker() = default;
  virtual PickResult Pick(const PickArgs& args) const = 0;
};

// Endpoints that match a call, in all states, and what follows from those states: see "Rules that
// decide a call" in docs/architecture.md. Cheap to move, costs a vector to copy.
class EndpointGroup {
 public:
  using Members = std::vector<const Endpoint*>;

  // `service` names it in messages.
  EndpointGroup(std::string_view service, Members members);

  std::string_view service() const { return service_; }
  std::span<const Endpoint* const> members() const { return members_; }

  // Those that calls should go to now: READY, and of the best status that a READY one has.
  std::span<const Endpoint* const> candidates() const { return candidates_; }

  // What calls get while there is no candidate: Queue while one is connecting; else one that is
  // idle, to connect it; else Fail with a connection error, or with `no match found conn`.
  //
  // Among several idle ones it takes any at random, so that neither the clients of a fleet nor the
  // calls of a burst all wait for the same instance.
  PickResult Unavailable() const;

  // A part of the group.
  EndpointGroup With(Members members) const { return {service_, std::move(members)}; }

 private:
  std::string_view service_;  // lives as long as the endpoints
  Members members_;
  Members candidates_;
  bool connecting_ = false;            // is any member?
  std::size_t idle_ = 0;               // how many members are
  const Endpoint* failing_ = nullptr;  // one of them
};

class PickerBuilder {
 public:
  virtual ~PickerBuilder() = default;

  // A builder with the parameters that `config` holds. Report what is wrong through `config`, which
  // also refuses every key that was not asked for. The default takes no parameters.
  // Runs when a service config is parsed. Null means "this one".
  virtual std::shared_ptr<const PickerBuilder> Configure(ConfigReader& config) const;

  // Never null. The group's endpoints outlive the picker.
  virtual std::unique_ptr<const Picker> Build(EndpointGroup group) const = 0;
};

// For leaves: chooses among endpoints that can take the call now. Calls for which there is none are
// queued or failed by the rules, and a retry goes to an endpoint that its call has not tried, if
// one is left: the choice is asked again a few times, then an untried one is taken without it (and
// without the metadata and finish callback that it would have given).
class ChoosingPickerBuilder : public PickerBuilder {
 public:
  std::unique_ptr<const Picker> Build(EndpointGroup group) const final;

 protected:
  // `ready` is never empty and outlives the picker, which must return one of them or a verdict.
  virtual std::unique_ptr<const Picker> BuildChoice(
      std::span<const Endpoint* const> ready) const = 0;
};

// Makes `builder` available as `{"name": {…}}` inside `{"turnout":{"picker":[…]}}`. Call it before
// the first channel that names it. Thread-safe. InvalidArgument for a name that is not snake_case,
// AlreadyExists for one that is taken.
absl::Status RegisterPickerBuilder(std::string_view name,
                                   std::shared_ptr<const PickerBuilder> builder);

}  // namespace turnout

#endif  // TURNOUT_PICKER_H_
