#include "src/registry/check_options.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace turnout::registry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Case {
  std::string name;
  std::function<void(RegistrarOptions&)> change;
  std::string message;  // empty: allowed
  int port = 80;
};

class CheckOptionsTest : public ::testing::TestWithParam<Case> {};

TEST_P(CheckOptionsTest, SaysWhatIsWrong) {
  RegistrarOptions options{.service = "srv.app"};
  GetParam().change(options);
  const absl::Status status = CheckOptions(options, GetParam().port);
  EXPECT_EQ(std::string(status.message()), GetParam().message);
  EXPECT_EQ(status.ok(), GetParam().message.empty());
}

using O = RegistrarOptions;
INSTANTIATE_TEST_SUITE_P(
    All, CheckOptionsTest,
    ::testing::Values(
        Case{"Defaults", [](O&) {}, ""},
        Case{"NoService", [](O& o) { o.service = ""; },
             "service: must be a name of 1 to 256 bytes, got \"\""},
        Case{"BadService", [](O& o) { o.service = "srv..app"; },
             "service: must be components of [A-Za-z0-9_-] joined by dots, got \"srv..app\""},
        Case{"ReservedService", [](O& o) { o.service = "turnout.app"; },
             "service: must be a name whose first component is not the reserved `turnout`, got "
             "\"turnout.app\""},
        Case{"NoVersion", [](O& o) { o.version = ""; },
             "version: must be 1 to 256 bytes without control characters, got \"\""},
        Case{"BadId", [](O& o) { o.id = "a/b"; },
             "id: must be 1 to 256 of [A-Za-z0-9._-], got \"a/b\""},
        Case{"OwnMetadata",
             [](O& o) {
               o.metadata = {{"turnout.zone", "a"}};
             },
             "metadata: keys that begin with \"turnout.\" are the library's own, got "
             "\"turnout.zone\""},
        Case{"NamelessMetadata",
             [](O& o) {
               o.metadata = {{"", "a"}};
             },
             "metadata: has an empty key"},
        Case{"MostWeight", [](O& o) { o.weight = 65535; }, ""},
        Case{"Weight", [](O& o) { o.weight = 65536; }, "weight: must be 0 to 65535, got 65536"},
        Case{"LeastTtl", [](O& o) { o.lease_ttl = seconds(2); }, ""},
        Case{"ShortTtl", [](O& o) { o.lease_ttl = seconds(1); },
             "lease_ttl: must be 2 to 3600 s, got 1 s"},
        Case{"LongTtl", [](O& o) { o.lease_ttl = seconds(3601); },
             "lease_ttl: must be 2 to 3600 s, got 3601 s"},
        Case{"NoDelay", [](O& o) { o.drain_delay = milliseconds(0); }, ""},
        Case{"NegativeDelay", [](O& o) { o.drain_delay = milliseconds(-1); },
             "drain_delay: must be 0 to 60000 ms, got -1 ms"},
        Case{"LongDelay", [](O& o) { o.drain_delay = milliseconds(60001); },
             "drain_delay: must be 0 to 60000 ms, got 60001 ms"},
        Case{"NoPort", [](O&) {}, "port: must be 1 to 65535, got 0", 0},
        Case{"BigPort", [](O&) {}, "port: must be 1 to 65535, got 65536", 65536}),
    [](const auto& test) { return test.param.name; });

Instance MakeInstance() {
  Instance instance;
  instance.service = "srv.app";
  instance.id = "one";
  instance.version = "v1";
  instance.addresses = {"10.0.0.1:80"};
  return instance;
}

TEST(CheckRecordTest, TextMustBeUtf8) {
  Instance instance = MakeInstance();
  EXPECT_TRUE(CheckRecord(instance, {}).ok());
  instance.metadata = {{"k", "\xff"}};
  EXPECT_EQ(CheckRecord(instance, {}).message(), "metadata: must be UTF-8");
  instance.metadata = {{"\xff", "v"}};
  EXPECT_EQ(CheckRecord(instance, {}).message(), "metadata: must be UTF-8");
  instance.metadata = {};
  instance.locality.zone = "\xff";
  EXPECT_EQ(CheckRecord(instance, {}).message(), "locality: must be UTF-8");
  instance.version = "\xff";
  EXPECT_EQ(CheckRecord(instance, {}).message(), "version: must be UTF-8");
}

TEST(CheckRecordTest, ARecordMustFitItsLimit) {
  Instance instance = MakeInstance();
  instance.metadata = {{"k", std::string(65536, 'x')}};
  EXPECT_EQ(CheckRecord(instance, {}).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace turnout::registry
