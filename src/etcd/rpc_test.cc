#include "src/etcd/rpc.h"

#include <gtest/gtest.h>

#include <string>

namespace turnout::etcd {
namespace {

absl::Status Error(grpc::StatusCode code, const std::string& message) {
  const Member member{"127.0.0.1:2379", nullptr};
  return RpcError("/etcdserverpb.KV/Range", member, grpc::Status(code, message));
}

TEST(RpcError, SaysWhatWasAskedOfWhomAndWhatWentWrong) {
  const absl::Status error = Error(grpc::StatusCode::UNAVAILABLE, "connection refused");
  EXPECT_EQ(error.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(error.message(), "etcd Range on 127.0.0.1:2379: connection refused");
  EXPECT_EQ(Error(grpc::StatusCode::UNIMPLEMENTED, "").message(),
            "etcd Range on 127.0.0.1:2379: UNIMPLEMENTED (is it an etcd v3 server?)");
}

TEST(IsMembersFault, IsNotWhatTheRequestAsksFor) {
  EXPECT_TRUE(IsMembersFault(Error(grpc::StatusCode::UNAVAILABLE, "")));
  EXPECT_TRUE(IsMembersFault(Error(grpc::StatusCode::DEADLINE_EXCEEDED, "")));
  EXPECT_TRUE(IsMembersFault(Error(grpc::StatusCode::UNIMPLEMENTED, "")));
  EXPECT_FALSE(IsMembersFault(Error(grpc::StatusCode::NOT_FOUND, "")));
  EXPECT_FALSE(IsMembersFault(Error(grpc::StatusCode::OUT_OF_RANGE, "")));
  EXPECT_FALSE(IsMembersFault(Error(grpc::StatusCode::PERMISSION_DENIED, "")));
}

}  // namespace
}  // namespace turnout::etcd
