#include "src/cli/rules/document.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "fmt/format.h"
#include "src/balance/text.h"
#include "src/cli/describe.h"
#include "src/cli/rules/yaml.h"

namespace turnout::cli {
namespace {

constexpr std::size_t kMostBytes = std::size_t{64} * 1024 * 1024;

absl::Status In(const std::string& file, const absl::Status& status) {
  return {status.code(), fmt::format("{}: {}", InputName(file), std::string{status.message()})};
}

bool IsJson(const std::string& file, std::string_view text) {
  if (file.ends_with(".yaml") || file.ends_with(".yml")) return false;
  const auto first = text.find_first_not_of(" \t\r\n");
  return file.ends_with(".json") || (first != std::string_view::npos && text[first] == '{');
}

}  // namespace

std::string InputName(const std::string& file) { return file == "-" ? "standard input" : file; }

absl::StatusOr<std::string> ReadInput(const std::string& file) {
  const auto close = [](std::FILE* stream) { return stream == stdin ? 0 : std::fclose(stream); };
  const std::unique_ptr<std::FILE, decltype(close)> stream(
      file == "-" ? stdin : std::fopen(file.c_str(), "re"), close);
  std::string text;
  if (stream != nullptr) {
    char buffer[64 * 1024];
    while (const std::size_t count = std::fread(buffer, 1, sizeof buffer, stream.get())) {
      text.append(buffer, count);
      if (text.size() > kMostBytes) {
        return In(file, absl::InvalidArgumentError("must have at most 64 MiB"));
      }
    }
  }
  if (stream == nullptr || std::ferror(stream.get()) != 0) {
    return In(file,
              absl::InvalidArgumentError(fmt::format("cannot be read: {}", std::strerror(errno))));
  }
  return text;
}

absl::StatusOr<std::shared_ptr<const route::RuleSet>> ReadDocument(const std::string& file) {
  absl::StatusOr<std::string> text = ReadInput(file);
  if (!text.ok()) return text.status();
  if (!IsJson(file, *text)) {
    const absl::StatusOr<Json> value = ParseYaml(*text);
    if (!value.ok()) return In(file, value.status());
    text = value->dump();
  }
  auto rules = route::RuleSet::Parse(*text);
  if (!rules.ok()) return In(file, rules.status());
  return rules;
}

std::string Pretty(const std::string& document) {
  const Json value = Json::parse(document, nullptr, /*allow_exceptions=*/false);
  if (!value.is_discarded()) {
    return value.dump(2, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace) + '\n';
  }
  return document.ends_with('\n') ? document : document + '\n';
}

std::string CountedRules(const route::RuleSet& rules) {
  const auto& all = rules.rules();
  const bool has_default = !all.empty() && all.back().name == route::RuleSet::kDefaultName;
  const std::size_t count = all.size() - (has_default ? 1 : 0);
  if (count == 0) return has_default ? "a default" : "no rules";
  return balance::Counted(count, "rule") + (has_default ? " and a default" : "");
}

}  // namespace turnout::cli
