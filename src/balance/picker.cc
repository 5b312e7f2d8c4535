#include "turnout/picker.h"

namespace turnout {

std::string_view ToString(ConnectionState state) {
  switch (state) {
    case ConnectionState::kIdle:
      return "idle";
    case ConnectionState::kConnecting:
      return "connecting";
    case ConnectionState::kReady:
      return "ready";
    case ConnectionState::kFailing:
      return "failing";
    case ConnectionState::kUnhealthy:
      return "unhealthy";
  }
  return "unknown";
}

std::string_view PickArgs::method() const {
  const std::string_view whole = path();
  return whole.substr(whole.rfind('/') + 1);  // npos + 1 is 0: a path without a slash is all method
}

namespace {

// gRPC would take a verdict that is OK for a bug of its own and end the process.
absl::Status NotOk(absl::Status status) {
  if (!status.ok()) return status;
  return absl::InternalError("a picker refused a call with status OK");
}

}  // namespace

PickResult PickResult::Fail(absl::Status status) {
  PickResult result(Kind::kFail);
  result.status_ = NotOk(std::move(status));
  return result;
}

PickResult PickResult::Drop(absl::Status status) {
  PickResult result(Kind::kDrop);
  result.status_ = NotOk(std::move(status));
  return result;
}

PickResult::Additions& PickResult::additions() {
  if (additions_ == nullptr) additions_ = std::make_unique<Additions>();
  return *additions_;
}

PickResult& PickResult::Connect(std::span<const Endpoint* const> endpoints) & {
  if (!endpoints.empty()) additions().connect = endpoints;
  return *this;
}

PickResult& PickResult::AddMetadata(std::string key, std::string value) & {
  additions().metadata.emplace_back(std::move(key), std::move(value));
  return *this;
}

PickResult& PickResult::OnFinish(FinishCallback callback) & {
  if (callback == nullptr) return *this;
  FinishCallback& on_finish = additions().on_finish;
  if (on_finish == nullptr) {
    on_finish = std::move(callback);
  } else {
    on_finish = [first = std::move(on_finish),
                 second = std::move(callback)](const CallOutcome& outcome) {
      first(outcome);
      second(outcome);
    };
  }
  return *this;
}

bool Picker::Wants(const Endpoint&) const { return true; }

std::shared_ptr<const PickerBuilder> PickerBuilder::Configure(ConfigReader&) const {
  return nullptr;
}

std::optional<std::chrono::milliseconds> PickerBuilder::rebuild_period() const {
  return std::nullopt;
}

}  // namespace turnout
