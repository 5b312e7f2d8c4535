#include "src/etcd/rpc.h"

#include <grpc/support/time.h>

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace turnout::etcd {
namespace {

using std::chrono::milliseconds;

gpr_timespec ToGprDeadline(milliseconds left) {
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_millis(left.count(), GPR_TIMESPAN));
}

}  // namespace

absl::Status RpcError(std::string_view method, const Member& member, const grpc::Status& status) {
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  const std::string name(method.substr(method.rfind('/') + 1));
  std::string message = absl::StrCat("etcd ", name, " on ", member.endpoint, ": ");
  absl::StrAppend(&message, status.error_message().empty() ? absl::StatusCodeToString(code)
                                                           : status.error_message());
  if (code == absl::StatusCode::kUnimplemented) message += " (is it an etcd v3 server?)";
  return absl::Status(code, message);
}

bool IsMembersFault(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:       // cannot be reached, or has no leader
    case absl::StatusCode::kDeadlineExceeded:  // does not answer
    case absl::StatusCode::kUnimplemented:     // something else than etcd
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kCancelled:
      return true;
    default:
      return false;
  }
}

// What etcd means by an error that is about who we are.
std::string Caller::Advice(const grpc::Status& status, const std::vector<Grant>& needed) const {
  if (status.error_code() == grpc::StatusCode::PERMISSION_DENIED) {
    const std::string certified = cluster_.transport().CertifiedUser();
    const std::string who =
        !username_.empty()   ? absl::StrCat("user \"", absl::CHexEscape(username_), "\"")
        : !certified.empty() ? absl::StrCat("the user that our certificate names (\"",
                                            absl::CHexEscape(certified), "\")")
                             : "who gives no user name";
    return absl::StrCat(who, " may not do that: one of the user's roles needs ", ToText(needed));
  }
  if (log_in_ == nullptr && absl::StrContains(status.error_message(), "user name is empty")) {
    return "it wants to know who asks: set username, and password or password_file "
           "(TURNOUT_ETCD_USER, TURNOUT_ETCD_PASSWORD, TURNOUT_ETCD_PASSWORD_FILE)";
  }
  return {};
}

void Caller::Conclude(std::string_view method, const Member& member, const grpc::Status& status,
                      const std::vector<Grant>& needed,
                      std::function<void(const absl::Status&)> then) {
  const std::string advice = Advice(status, needed);
  const grpc::Status shown =
      advice.empty() ? status
                     : grpc::Status(status.error_code(),
                                    absl::StrCat(advice, " (", status.error_message(), ")"));
  const absl::Status error = RpcError(method, member, shown);
  if (!IsMembersFault(error)) return then(error);
  cluster_.Failed(member, error);
  cluster_.Explain(member, [method = std::string(method), &member, error,
                            then = std::move(then)](const absl::Status& cause) {
    if (cause.ok()) return then(error);
    then(RpcError(method, member, {grpc::StatusCode::UNAVAILABLE, std::string{cause.message()}}));
  });
}

void Caller::Refuse(std::string_view method, const Member& member, const absl::Status& refusal,
                    std::function<void(const absl::Status&)> then) {
  const absl::Status error =
      RpcError(method, member, {grpc::StatusCode::UNAVAILABLE, std::string{refusal.message()}});
  cluster_.Failed(member, error);
  EventLoop::Get().Post([error, then = std::move(then)] { then(error); });
}

Caller::Attempt::Attempt(Caller& caller, std::string method)
    : caller_(caller), method_(std::move(method)), deadline_(Clock::now() + caller.timeout_) {}

void Caller::Attempt::Begin() {
  if (caller_.log_in_ == nullptr) return Send("");
  const auto left = std::chrono::ceil<milliseconds>(deadline_ - Clock::now());
  caller_.log_in_->GetToken(std::max(left, milliseconds(0)),
                            [this](const absl::StatusOr<std::string>& token) {
                              if (!token.ok()) return Finish(token.status());
                              Send(*token);
                            });
}

void Caller::Attempt::Send(const std::string& token) {
  token_ = token;
  member_ = &caller_.cluster_.current();
  if (absl::Status refusal = caller_.cluster_.Refusal(*member_); !refusal.ok()) {
    return caller_.Refuse(method_, *member_, refusal,
                          [this](const absl::Status& error) { Finish(error); });
  }
  context_.emplace();
  context_->set_deadline(ToGprDeadline(std::chrono::ceil<milliseconds>(deadline_ - Clock::now())));
  if (!token_.empty()) context_->AddMetadata("token", token_);
  Start(*context_, member_->channel, method_);
}

void Caller::Attempt::Done(bool /*ok*/) {
  if (status_.ok()) {
    caller_.cluster_.Worked(*member_);
    return Finish(absl::OkStatus());
  }
  if (caller_.log_in_ != nullptr && !made_twice_ && LogIn::ConcernsToken(status_)) {
    made_twice_ = true;
    caller_.log_in_->Reject(token_);
    return Begin();
  }
  caller_.Conclude(method_, *member_, status_, Needed(),
                   [this](const absl::Status& error) { Finish(error); });
}

void Caller::Attempt::Finish(const absl::Status& status) {
  const std::unique_ptr<Attempt> self(this);
  Deliver(status);
}

}  // namespace turnout::etcd
