#include "src/balance/record_weights.h"

#include <gtest/gtest.h>

#include "src/balance/testing.h"

namespace turnout::balance {
namespace {

using Weights = std::vector<std::uint32_t>;

Weights Read(const Weights& of_records) {
  std::vector<Endpoint> endpoints;
  endpoints.reserve(of_records.size());
  for (const std::uint32_t weight : of_records) {
    endpoints.push_back(testing::MakeEndpoint({.weight = weight}));
  }
  return RecordWeights(testing::GroupOf(endpoints).candidates());
}

TEST(RecordWeightsTest, AreThoseOfTheRecords) {
  EXPECT_EQ(Read({}), Weights{});
  EXPECT_EQ(Read({3, 0, 65'535}), (Weights{3, 0, 65'535}));
}

TEST(RecordWeightsTest, AllZeroMeansAllAlike) { EXPECT_EQ(Read({0, 0, 0}), (Weights{1, 1, 1})); }

TEST(RecordWeightsTest, NoneIsAboveTheRecordsRange) {
  EXPECT_EQ(Read({1, 4'000'000'000}), (Weights{1, 65'535}));
}

TEST(RecordWeightsTest, AllEqual) {
  EXPECT_TRUE(AllEqual(Weights{}));
  EXPECT_TRUE(AllEqual(Weights{4}));
  EXPECT_TRUE(AllEqual(Weights{4, 4, 4}));
  EXPECT_FALSE(AllEqual(Weights{4, 4, 5}));
}

}  // namespace
}  // namespace turnout::balance
