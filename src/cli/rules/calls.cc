#include "src/cli/rules/calls.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "fmt/format.h"
#include "src/balance/metadata_key.h"
#include "src/cli/text.h"
#include "src/model/names.h"
#include "src/model/text.h"

namespace turnout::cli {
namespace {

absl::Status Wrong(std::string_view what, std::string_view wanted, std::string_view found) {
  return absl::InvalidArgumentError(
      model::Concat({what, ": must be ", wanted, ", got ", model::Quoted(found)}));
}

absl::Status AddPair(std::string key, std::string value, route::GivenCall& call) {
  if (!balance::IsTextKey(key)) {
    return absl::InvalidArgumentError(model::Concat({"metadata: ", balance::NotATextKey(key)}));
  }
  const auto [place, added] = call.metadata.try_emplace(std::move(key), value);
  if (!added) place->second += "," + value;
  return absl::OkStatus();
}

std::optional<std::pair<std::string, std::string>> SplitPair(std::string_view text) {
  const auto equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) return std::nullopt;
  return std::pair(std::string(text.substr(0, equals)), std::string(text.substr(equals + 1)));
}

// One line of a recording.
class LineReader {
 public:
  explicit LineReader(const Json& line) : line_(line) {}

  absl::StatusOr<CountedCall> Read() {
    CountedCall counted;
    if (!line_.is_object()) return absl::InvalidArgumentError("must be a JSON object");
    for (const auto& [key, value] : line_.items()) {
      if (absl::Status status = ReadField(key, value, counted); !status.ok()) return status;
    }
    if (counted.call.path.empty()) return absl::InvalidArgumentError("method: missing");
    return counted;
  }

 private:
  static absl::Status ReadField(const std::string& key, const Json& value, CountedCall& counted) {
    if (key == "service") return absl::OkStatus();
    if (key == "method" && value.is_string()) {
      auto path = ParseMethod(value.get<std::string>());
      if (!path.ok()) return path.status();
      counted.call.path = *std::move(path);
      return absl::OkStatus();
    }
    if (key == "count" && value.is_number_integer() && value.get<std::int64_t>() > 0) {
      counted.count = value.get<std::int64_t>();
      return absl::OkStatus();
    }
    if (key == "metadata" && IsTexts(value)) {
      for (const auto& [name, text] : value.items()) {
        absl::Status status = AddPair(name, text.get<std::string>(), counted.call);
        if (!status.ok()) return status;
      }
      return absl::OkStatus();
    }
    if (key == "caller" && value.is_object()) return ReadCaller(value, counted.call.caller);
    return absl::InvalidArgumentError(fmt::format(
        "{}: unknown, or not as it should be: caller {{service, version, labels}}, method, "
        "metadata {{}}, count (1 or more)",
        key));
  }

  static absl::Status ReadCaller(const Json& value, Caller& caller) {
    for (const auto& [key, field] : value.items()) {
      if (key == "service" && field.is_string()) {
        caller.service = field.get<std::string>();
      } else if (key == "version" && field.is_string()) {
        caller.version = field.get<std::string>();
      } else if (key == "labels" && IsTexts(field)) {
        caller.labels = field.get<std::map<std::string, std::string>>();
      } else {
        return absl::InvalidArgumentError(
            fmt::format("caller.{}: must be service, version (text) or labels", key));
      }
    }
    return absl::OkStatus();
  }

  static bool IsTexts(const Json& value) {
    return value.is_object() && std::all_of(value.begin(), value.end(),
                                            [](const Json& each) { return each.is_string(); });
  }

  const Json& line_;
};

auto Order(const route::GivenCall& call) {
  return std::tie(call.caller.service, call.caller.version, call.caller.labels, call.path,
                  call.metadata);
}

struct Earlier {
  bool operator()(const route::GivenCall& a, const route::GivenCall& b) const {
    return Order(a) < Order(b);
  }
};

bool IsForAnother(const Json& line, std::string_view service) {
  if (!line.is_object() || service.empty()) return false;
  const auto found = line.find("service");
  return found != line.end() && found->is_string() && found->get<std::string>() != service;
}

}  // namespace

absl::StatusOr<Caller> ParseCaller(std::string_view text) {
  const auto at = text.find('@');
  Caller caller;
  caller.service = text.substr(0, at);
  if (at != std::string_view::npos) caller.version = text.substr(at + 1);
  if (!caller.service.empty() && !model::CheckServiceName(caller.service).ok()) {
    return Wrong("caller", "SERVICE@VERSION, like hwholiday.srv.app@v2", text);
  }
  return caller;
}

absl::StatusOr<std::string> ParseMethod(std::string_view text) {
  std::string path(text);
  if (!path.starts_with('/')) path.insert(0, "/");
  if (std::ranges::count(path, '/') != 2 || path.ends_with('/')) {
    return Wrong("method", "like /pkg.Service/Method", text);
  }
  return path;
}

absl::Status AddMetadata(std::string_view text, route::GivenCall& call) {
  auto pair = SplitPair(text);
  if (!pair.has_value()) return Wrong("metadata", "KEY=VALUE", text);
  return AddPair(std::move(pair->first), std::move(pair->second), call);
}

absl::Status AddLabel(std::string_view text, Caller& caller) {
  auto pair = SplitPair(text);
  if (!pair.has_value()) return Wrong("caller label", "LABEL=VALUE", text);
  caller.labels[pair->first] = pair->second;
  return absl::OkStatus();
}

absl::StatusOr<CountedCall> ParseCall(std::string_view text) {
  std::vector<std::string_view> words = model::Split(text, ' ');
  std::erase(words, "");
  if (words.size() < 2) {
    return Wrong("call", "like \"app@v2 /pkg.Service/Method key=value\" (caller @ if not known)",
                 text);
  }
  CountedCall counted;
  auto caller = ParseCaller(words[0]);
  if (!caller.ok()) return caller.status();
  counted.call.caller = *std::move(caller);
  auto path = ParseMethod(words[1]);
  if (!path.ok()) return path.status();
  counted.call.path = *std::move(path);
  for (std::size_t i = 2; i < words.size(); ++i) {
    if (absl::Status status = AddMetadata(words[i], counted.call); !status.ok()) return status;
  }
  return counted;
}

absl::StatusOr<std::vector<CountedCall>> ParseRecordedCalls(std::string_view lines,
                                                            std::string_view service) {
  std::map<route::GivenCall, std::int64_t, Earlier> counts;
  int number = 0;
  for (const std::string_view text : model::Split(lines, '\n')) {
    ++number;
    if (model::Trimmed(text).empty()) continue;
    const Json line = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (IsForAnother(line, service)) continue;
    auto counted = LineReader(line).Read();
    if (!counted.ok()) {
      return absl::InvalidArgumentError(
          fmt::format("line {}: {}", number, std::string{counted.status().message()}));
    }
    counts[std::move(counted->call)] += counted->count;
  }
  std::vector<CountedCall> calls;
  calls.reserve(counts.size());
  for (auto& [call, count] : counts) calls.push_back({.call = call, .count = count});
  return calls;
}

std::string CallerText(const Caller& caller) {
  std::string text = caller.service;
  if (!caller.version.empty()) text += "@" + caller.version;
  for (const auto& [label, value] : caller.labels) text += fmt::format(" {}={}", label, value);
  return text.empty() ? "not known" : Printable(text);
}

std::string MetadataText(const route::GivenCall& call) {
  std::string text;
  for (const auto& [key, value] : call.metadata) {
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", key, value);
  }
  return Printable(text);
}

Json ToJson(const Caller& caller) {
  return {{"service", caller.service}, {"version", caller.version}, {"labels", caller.labels}};
}

}  // namespace turnout::cli
