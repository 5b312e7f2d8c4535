// One pick: what a policy knows of a call, what it says, and what it hears of the call's end.
//
// Threads: all of it runs on the threads of the calls, many at once, on the path of every call:
// neither Pick nor finish callbacks may block.
#ifndef TURNOUT_PICK_H_
#define TURNOUT_PICK_H_

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "turnout/endpoint.h"
#include "turnout/load_report.h"

namespace turnout {

namespace route {
struct Decision;
}  // namespace route

// How one attempt of a call ended. Valid during the callback only.
struct CallOutcome {
  absl::Status status;
  std::chrono::nanoseconds duration{};  // of the attempt; a stream's is its lifetime

  // Until the first response (headers or message); `duration` where there was none. Missing for a
  // stream if the channel's `streamLatency` is `none`.
  std::optional<std::chrono::nanoseconds> latency;

  // What the server said of its load with this call; null if it said nothing.
  const LoadReport* load = nullptr;
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

  // What the service's traffic rules decided, once for all attempts of the call. Null: there are no
  // rules. Not for policies: when they are asked, it has been obeyed.
  virtual const route::Decision* decision() const { return nullptr; }
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

  // Connects those of `endpoints` that are idle, too; for policies that let a call wait for any of
  // several, or want more connections than this call needs. They live as long as the picker.
  PickResult& Connect(std::span<const Endpoint* const> endpoints) &;
  PickResult&& Connect(std::span<const Endpoint* const> endpoints) && {
    return std::move(Connect(endpoints));
  }
  std::span<const Endpoint* const> connect() const {
    if (additions_ == nullptr) return {};
    return additions_->connect;
  }

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
    std::span<const Endpoint* const> connect;
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

}  // namespace turnout

#endif  // TURNOUT_PICK_H_
