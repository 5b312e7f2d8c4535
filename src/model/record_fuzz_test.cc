// Damaged records: whatever comes in, the answer is an instance or InvalidArgument.
#include <gtest/gtest.h>

#include <random>

#include "src/model/record.h"

namespace turnout::model {
namespace {

constexpr std::string_view kGood =
    R"({"node":{"name":"app","path":"/hwholiday/srv/app","id":"app-1","version":"v1",)"
    R"("address":"10.1.2.3:8089"},"metadata":{"turnout.weight":"7","é\n":"\u00e9"},)"
    R"("endpoints":{"ApiTest":{"online":true,"limiting_switch":false,"limiting":10,"fuse":false,)"
    R"("defaults":"AP8="}}})";

// True if it was taken for a record. One that was must survive being written and read again.
bool Check(std::string_view value) {
  const auto parsed = ParseRecord("hwholiday.srv.app", "app-1", value);
  if (!parsed.ok()) {
    EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_LT(parsed.status().message().size(), 400);
    return false;
  }
  const auto again = ParseRecord("hwholiday.srv.app", "app-1", FormatRecord(*parsed));
  EXPECT_TRUE(again.ok()) << again.status() << "\n" << value;
  if (again.ok()) {
    EXPECT_EQ(again->addresses, parsed->addresses);
    EXPECT_EQ(again->version, parsed->version);
    EXPECT_EQ(again->methods, parsed->methods);
  }
  return true;
}

TEST(RecordFuzz, EveryTruncationIsRefused) {
  ASSERT_TRUE(Check(kGood));
  for (std::size_t length = 0; length < kGood.size(); ++length) {
    EXPECT_FALSE(Check(kGood.substr(0, length))) << length;
  }
}

TEST(RecordFuzz, BytesThatFlipped) {
  std::mt19937 random(20220401);
  int taken = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string value(kGood);
    for (unsigned flips = 1 + random() % 4; flips > 0; --flips) {
      value[random() % value.size()] ^= static_cast<char>(1U << (random() % 8));
    }
    taken += Check(value) ? 1 : 0;
  }
  EXPECT_GT(taken, 100);  // else this would test nothing but the JSON parser
}

TEST(RecordFuzz, PiecesThatMoved) {
  std::mt19937 random(7);
  for (int round = 0; round < 5'000; ++round) {
    std::string value(kGood);
    const std::size_t from = random() % value.size();
    const std::string piece = value.substr(from, random() % 40);
    value.erase(from, piece.size());
    value.insert(random() % (value.size() + 1), piece);
    Check(value);
  }
}

}  // namespace
}  // namespace turnout::model
