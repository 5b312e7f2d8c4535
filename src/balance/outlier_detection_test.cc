#include "src/balance/outlier_detection.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "src/balance/policy_config.h"
#include "turnout/service_config.h"

namespace turnout::balance {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

json Parsed(const std::string& service_config) { return json::parse(service_config); }

std::string ErrorOf(const std::string& service_config) {
  return std::string{CheckServiceConfig(service_config).message()};
}

std::string Detecting(const std::string& fields) {
  return R"({"loadBalancingConfig":[{"outlier_detection_experimental":{"childPolicy":[{"turnout":)"
         R"({}}],)" +
         fields + "}}]}";
}

TEST(WithOutlierDetectionTest, TheDefaultsAreTheGrfcs) {
  EXPECT_EQ(Parsed(WithOutlierDetection("{}")), Parsed(R"({"loadBalancingConfig":[
      {"outlier_detection_experimental":{
        "interval":"10s","baseEjectionTime":"30s","maxEjectionTime":"300s","maxEjectionPercent":10,
        "successRateEjection":{"stdevFactor":1900,"enforcementPercentage":100,"minimumHosts":5,
                               "requestVolume":100},
        "failurePercentageEjection":{"threshold":85,"enforcementPercentage":100,"minimumHosts":5,
                                     "requestVolume":50},
        "childPolicy":[{"turnout":{}}]}}]})"));
  EXPECT_EQ(WithOutlierDetection(""), WithOutlierDetection("{}"));
  EXPECT_EQ(ErrorOf(WithOutlierDetection("{}")), "");
}

TEST(WithOutlierDetectionTest, WritesWhatIsAskedFor) {
  const OutlierDetectionOptions options{
      .interval = milliseconds(1500),
      .base_ejection_time = milliseconds(1),
      .max_ejection_time = milliseconds(2000),
      .max_ejection_percent = 50,
      .success_rate = std::nullopt,
      .failure_percentage = {
          {.threshold = 1, .enforcement_percentage = 2, .minimum_hosts = 3, .request_volume = 4}}};
  const json config = Parsed(WithOutlierDetection("{}", options));
  EXPECT_EQ(config["loadBalancingConfig"][0]["outlier_detection_experimental"], Parsed(R"({
      "interval":"1.5s","baseEjectionTime":"0.001s","maxEjectionTime":"2s","maxEjectionPercent":50,
      "failurePercentageEjection":{"threshold":1,"enforcementPercentage":2,"minimumHosts":3,
                                   "requestVolume":4},
      "childPolicy":[{"turnout":{}}]})"));
}

TEST(WithOutlierDetectionTest, WhatWasThereStays) {
  const json config = Parsed(WithOutlierDetection(
      R"({"loadBalancingConfig":[{"x":{}},{"version":{"key":"v"}}],"methodConfig":[]})"));
  EXPECT_EQ(config["methodConfig"], json::array());
  EXPECT_EQ(config["loadBalancingConfig"].size(), 1);
  EXPECT_EQ(config["loadBalancingConfig"][0]["outlier_detection_experimental"]["childPolicy"],
            Parsed(R"([{"x":{}},{"version":{"key":"v"}}])"));
}

TEST(WithOutlierDetectionTest, WhatIsNotAnObjectComesBack) {
  EXPECT_EQ(WithOutlierDetection("{"), "{");
  EXPECT_EQ(WithOutlierDetection("[1]"), "[1]");
}

TEST(CheckOutlierDetectionTest, AnAlgorithmThatNeverEjectsIsAnError) {
  constexpr char kWhy[] =
      ".enforcementPercentage: must be given: without it gRPC 1.51 ejects nothing, where the "
      "default is meant to be 100";
  const std::string path = "loadBalancingConfig[0].outlier_detection_experimental.";
  EXPECT_EQ(ErrorOf(Detecting(R"("successRateEjection":{})")), path + "successRateEjection" + kWhy);
  EXPECT_EQ(ErrorOf(Detecting(R"("failurePercentageEjection":{"threshold":50})")),
            path + "failurePercentageEjection" + kWhy);
  EXPECT_EQ(ErrorOf(Detecting(R"("failurePercentageEjection":{"enforcementPercentage":0})")), "");
  EXPECT_EQ(ErrorOf(Detecting(R"("maxEjectionPercent":10)")), "");
}

TEST(CheckOutlierDetectionTest, AnIntervalHasALength) {
  EXPECT_EQ(ErrorOf(Detecting(R"("interval":"0s")")),
            "loadBalancingConfig[0].outlier_detection_experimental.interval: must be at least "
            "0.001s, got \"0s\"");
  EXPECT_EQ(ErrorOf(Detecting(R"("interval":"0.001s")")), "");
}

}  // namespace
}  // namespace turnout::balance
