#include "examples/call_report.h"

#include <gtest/gtest.h>

#include <chrono>

namespace app {
namespace {

using std::chrono::microseconds;

TEST(CallReportTest, CountsByAnswerAndByError) {
  CallReport first, second;
  for (int us = 1; us <= 100; ++us) first.Add(grpc::Status::OK, "v1 a:1", microseconds(us));
  second.Add(grpc::Status::OK, "v2 b:2", microseconds(1000));
  second.Add({grpc::StatusCode::UNAVAILABLE, "no match found conn"}, "", microseconds(9999));
  first.Merge(second);
  EXPECT_EQ(first.Json(),
            R"({"calls":102,"ok":101,"errors":{"UNAVAILABLE: no match found conn":1},)"
            R"("by_output":{"v1 a:1":100,"v2 b:2":1},)"
            R"("latency_us":{"p50":51,"p99":100,"max":1000}})");
  EXPECT_TRUE(first.all_answered(101));
  EXPECT_FALSE(first.all_answered(102));
  EXPECT_EQ(first.Table(),
            "102 calls, 101 answered, 1 failed\n"
            "answered by\n"
            "       100  v1 a:1\n"
            "         1  v2 b:2\n"
            "errors\n"
            "         1  UNAVAILABLE: no match found conn\n"
            "latency: median 51 µs, 99th percentile 100 µs, longest 1000 µs\n");
}

TEST(CallReportTest, MayBeEmpty) {
  EXPECT_EQ(CallReport().Json(), R"({"calls":0,"ok":0,"errors":{},"by_output":{},)"
                                 R"("latency_us":{"p50":0,"p99":0,"max":0}})");
  EXPECT_EQ(CallReport().Table(), "0 calls, 0 answered, 0 failed\n");
}

TEST(CallReportTest, AnswersNeedNotBeUtf8) {
  CallReport report;
  report.Add(grpc::Status::OK, "\xff", microseconds(1));
  EXPECT_NE(report.Json().find("\"by_output\":{\"\xef\xbf\xbd\":1}"), std::string::npos);
}

}  // namespace
}  // namespace app
