#include "src/etcd/rpc.h"

#include "absl/strings/str_cat.h"

namespace turnout::etcd {

absl::Status RpcError(std::string_view method, const Member& member, const grpc::Status& status) {
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  std::string_view remark;
  if (code == absl::StatusCode::kUnimplemented) remark = " (is it an etcd v3 server?)";
  if (code == absl::StatusCode::kDeadlineExceeded) remark = " (no answer in time)";
  const std::string name(method.substr(method.rfind('/') + 1));
  return absl::Status(code, absl::StrCat("etcd ", name, " on ", member.endpoint, ": ",
                                         status.error_message(), std::string(remark)));
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
