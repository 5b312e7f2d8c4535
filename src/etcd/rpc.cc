#include "src/etcd/rpc.h"

#include "absl/strings/str_cat.h"

namespace turnout::etcd {

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

absl::Status Caller::Conclude(std::string_view method, const Member& member,
                              const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  absl::Status error = RpcError(method, member, status);
  if (IsMembersFault(error)) cluster_.Failed(member, error);
  return error;
}

}  // namespace turnout::etcd
