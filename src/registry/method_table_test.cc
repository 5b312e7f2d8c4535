#include "src/registry/method_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proto/api.pb.h"

namespace turnout::registry {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// The descriptors are there only if the linker keeps their file.
const bool kLinked = !proto::Request::descriptor()->full_name().empty();

TEST(MethodTableTest, HasTheMethodsWithTheSettingsOfANewRecord) {
  ASSERT_TRUE(kLinked);
  const auto table = MethodTable({"proto.Api"});
  ASSERT_TRUE(table.ok()) << table.status();
  ASSERT_EQ(table->size(), 1U);
  const MethodSettings& settings = table->at("ApiTest");
  EXPECT_TRUE(settings.online);
  EXPECT_FALSE(settings.limiting_switch);
  EXPECT_EQ(settings.limiting, 10);
  EXPECT_FALSE(settings.fuse);
  EXPECT_EQ(settings.defaults, std::nullopt);
}

TEST(MethodTableTest, IsEmptyWithoutServices) { EXPECT_THAT(*MethodTable({}), IsEmpty()); }

TEST(MethodTableTest, NamesTheServiceThatIsNotLinkedAndThoseThatAre) {
  const auto table = MethodTable({"proto.Api", "proto.Apt"});
  EXPECT_EQ(table.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(table.status().message()),
              StartsWith("methods_of[1]: must be a protobuf service linked into this process ("));
  EXPECT_THAT(std::string(table.status().message()), HasSubstr("proto.Api"));
  EXPECT_THAT(std::string(table.status().message()), HasSubstr("got \"proto.Apt\""));
}

}  // namespace
}  // namespace turnout::registry
