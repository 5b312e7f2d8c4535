// Calls that somebody has given or recorded. Pure.
#ifndef TURNOUT_SRC_CLI_RULES_CALLS_H_
#define TURNOUT_SRC_CLI_RULES_CALLS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "src/cli/describe.h"
#include "src/route/explain.h"

namespace turnout::cli {

struct CountedCall {
  route::GivenCall call;
  std::int64_t count = 1;
};

// InvalidArgument says what is wrong, and what it should look like, in all of these.

// "hwholiday.srv.app@v2", "hwholiday.srv.app", "@v2", "": not known.
absl::StatusOr<Caller> ParseCaller(std::string_view text);
// "/pkg.Service/Method", or the same without the first slash.
absl::StatusOr<std::string> ParseMethod(std::string_view text);
// "key=value"; values of a key that is there already are joined by a comma, as gRPC does.
absl::Status AddMetadata(std::string_view text, route::GivenCall& call);
// "label=value"
absl::Status AddLabel(std::string_view text, Caller& caller);

// "app@v2 /pkg.Service/Method key=value …"
absl::StatusOr<CountedCall> ParseCall(std::string_view text);

// Lines as StartRecordingCalls writes them, all fields but `method` optional; those that name
// another service than `service` are left out. Equal calls are counted together.
absl::StatusOr<std::vector<CountedCall>> ParseRecordedCalls(std::string_view lines,
                                                            std::string_view service);

std::string CallerText(const Caller& caller);            // "app@v2 zone=a"
std::string MetadataText(const route::GivenCall& call);  // "user=17 lane=blue"
Json ToJson(const Caller& caller);

}  // namespace turnout::cli

#endif  // TURNOUT_SRC_CLI_RULES_CALLS_H_
