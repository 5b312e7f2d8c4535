#include "turnout/instance.h"

#include <gtest/gtest.h>

#include "turnout/snapshot.h"

namespace turnout {
namespace {

TEST(Instance, ServesWhatIsNotSwitchedOff) {
  const Instance instance{
      .methods = {{"Off", {.online = false}}, {"On", {.online = true, .fuse = true}}}};
  EXPECT_TRUE(instance.Serves("On"));
  EXPECT_FALSE(instance.Serves("Off"));
  EXPECT_TRUE(instance.Serves("Missing"));
  EXPECT_TRUE(Instance().Serves("Any"));
}

TEST(InstanceStatus, Words) {
  EXPECT_EQ(ToString(InstanceStatus::kRegistered), "registered");
  EXPECT_EQ(ToString(InstanceStatus::kDraining), "draining");
  EXPECT_EQ(ToString(InstanceStatus::kLapsed), "lapsed");
}

}  // namespace
}  // namespace turnout
