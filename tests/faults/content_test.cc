#include "tests/faults/content.h"

#include <gmock/gmock.h>

#include "tests/support/records.h"

namespace turnout::faults {
namespace {

using ::testing::ElementsAre;

TEST(Registered, ReadsARecord) {
  const testing::GoRecord record{
      .service = "a.b", .id = "b-1", .version = "v1", .address = "127.0.0.1:80"};
  const auto read = Registered::Parse(record.key(), record.value(), 7);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->id, "b-1");
  EXPECT_EQ(read->version, "v1");
  EXPECT_EQ(read->address, "127.0.0.1:80");
  EXPECT_EQ(read->create_revision, 7);
  EXPECT_FALSE(Registered::Parse("/a/b/c", "none", 1).has_value());
}

TEST(VisibleIds, TheNewestRecordOfAnAddressCounts) {
  EXPECT_THAT(
      VisibleIds({{"old", "v1", "h:1", 3}, {"new", "v2", "h:1", 5}, {"apart", "v1", "h:2", 4}}),
      ElementsAre("apart", "new"));
}

TEST(Difference, SaysWhatIsMissingAndWhatIsTooMany) {
  EXPECT_EQ(Difference({"a", "b"}, {"a", "b"}), "");
  EXPECT_EQ(Difference({"a", "b", "c"}, {"b", "d"}), "missing: a, c; too many: d");
}

}  // namespace
}  // namespace turnout::faults
