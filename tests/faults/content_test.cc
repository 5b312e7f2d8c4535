#include "tests/faults/content.h"

#include <gmock/gmock.h>

#include "tests/support/records.h"

namespace turnout::faults {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(Registered, ReadsARecord) {
  const testing::GoRecord record{
      .service = "a.b", .id = "b-1", .version = "v1", .address = "127.0.0.1:80"};
  const auto read = Registered::Parse(record.key(), record.value(), 7, 9);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->id, "b-1");
  EXPECT_EQ(read->version, "v1");
  EXPECT_EQ(read->address, "127.0.0.1:80");
  EXPECT_EQ(read->create_revision, 7);
  EXPECT_EQ(read->lease, 9);
  EXPECT_FALSE(read->draining);
  EXPECT_FALSE(Registered::Parse("/a/b/c", "none", 1).has_value());
}

TEST(Registered, ReadsThatItDrains) {
  testing::GoRecord record{.service = "a.b", .id = "b-1", .version = "v1", .address = "h:1"};
  record.metadata = R"({"turnout.state":"draining"})";
  EXPECT_TRUE(Registered::Parse(record.key(), record.value(), 7).value().draining);
  record.metadata = R"({"turnout.zone":"draining"})";
  EXPECT_FALSE(Registered::Parse(record.key(), record.value(), 7).value().draining);
}

TEST(Visible, TheNewestRecordOfAnAddressCounts) {
  EXPECT_THAT(
      Visible({{"old", "v1", "h:1", 3}, {"new", "v2", "h:1", 5}, {"apart", "v1", "h:2", 4}}, {}),
      ElementsAre(Pair("apart", Seen{"registered", "v1", "h:2"}),
                  Pair("new", Seen{"registered", "v2", "h:1"})));
}

TEST(Visible, RegistrarsAndOperatorsMakeItDrain) {
  const Registered marked{
      .id = "marked", .version = "v1", .address = "h:1", .create_revision = 1, .draining = true};
  EXPECT_THAT(Visible({marked, {"decided", "v1", "h:2", 2}}, {{"decided", "draining"}}),
              ElementsAre(Pair("decided", Seen{"draining", "v1", "h:2"}),
                          Pair("marked", Seen{"draining", "v1", "h:1"})));
}

TEST(Visible, WhoIsRemovedIsNot) {
  EXPECT_THAT(Visible({{"a", "v1", "h:1", 1}}, {{"a", "removed"}}), IsEmpty());
}

TEST(Describe, SaysAllThatCounts) {
  EXPECT_EQ(Describe("a", {"registered", "v1", "h:1"}), "a (registered, v1, h:1)");
}

TEST(Difference, SaysWhatIsMissingAndWhatIsTooMany) {
  EXPECT_EQ(Difference({"a", "b"}, {"a", "b"}), "");
  EXPECT_EQ(Difference({"a", "b", "c"}, {"b", "d"}), "missing: a, c; too many: d");
}

}  // namespace
}  // namespace turnout::faults
