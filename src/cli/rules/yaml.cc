#include "src/cli/rules/yaml.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "fmt/format.h"

namespace turnout::cli {
namespace {

constexpr int kMostNodes = 100'000;  // aliases can make billions of a few lines
constexpr int kMostDepth = 60;

// Thrown and caught in here only.
struct Fault {
  YAML::Mark mark;
  std::string what;
};

absl::Status At(const YAML::Mark& mark, std::string_view what) {
  if (mark.is_null()) return absl::InvalidArgumentError(std::string(what));
  return absl::InvalidArgumentError(fmt::format("{}:{}: {}", mark.line + 1, mark.column + 1, what));
}

bool IsDigits(std::string_view text, std::string_view digits = "0123456789") {
  return !text.empty() && text.find_first_not_of(digits) == std::string_view::npos;
}

std::optional<std::int64_t> ParseInteger(std::string_view text, int base) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number, base);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

// [0-9]+ ("." [0-9]*)? | "." [0-9]+, then ([eE] [-+]? [0-9]+)?
bool IsDecimal(std::string_view text) {
  if (const auto exponent = text.find_first_of("eE"); exponent != std::string_view::npos) {
    std::string_view digits = text.substr(exponent + 1);
    if (digits.starts_with('-') || digits.starts_with('+')) digits.remove_prefix(1);
    if (!IsDigits(digits)) return false;
    text = text.substr(0, exponent);
  }
  const auto point = text.find('.');
  if (point == std::string_view::npos) return IsDigits(text);
  const std::string_view whole = text.substr(0, point);
  const std::string_view fraction = text.substr(point + 1);
  return (whole.empty() || IsDigits(whole)) && (fraction.empty() || IsDigits(fraction)) &&
         !(whole.empty() && fraction.empty());
}

Json Number(const YAML::Node& node, std::string_view text) {
  const bool negative = text.starts_with('-');
  std::string_view digits = text;
  if (negative || text.starts_with('+')) digits.remove_prefix(1);
  std::optional<std::int64_t> integer;
  if (text.starts_with("0x")) {
    integer = ParseInteger(text.substr(2), 16);
  } else if (text.starts_with("0o")) {
    integer = ParseInteger(text.substr(2), 8);
  } else if (IsDigits(digits)) {
    integer = ParseInteger(negative ? text : digits, 10);
  } else {
    return std::stod(std::string(text));
  }
  if (!integer.has_value()) throw Fault{node.Mark(), fmt::format("{} is too large a number", text)};
  return *integer;
}

bool IsNumber(std::string_view text) {
  if (text.starts_with("0x")) return IsDigits(text.substr(2), "0123456789abcdefABCDEF");
  if (text.starts_with("0o")) return IsDigits(text.substr(2), "01234567");
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return IsDecimal(text);
}

bool IsNotFinite(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  const auto is = [text](auto... words) { return ((text == words) || ...); };
  return is(".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN");
}

Json Scalar(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  const std::string& tag = node.Tag();
  if (tag == "!" || tag == "tag:yaml.org,2002:str") return text;  // quoted
  if (tag != "?" && !tag.empty()) {
    throw Fault{node.Mark(), fmt::format("the tag {} means nothing here", tag)};
  }
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  if (IsNotFinite(text)) throw Fault{node.Mark(), fmt::format("{} is no number in JSON", text)};
  if (IsNumber(text)) return Number(node, text);
  return text;
}

class Converter {
 public:
  Json Convert(const YAML::Node& node, int depth = 0) {
    if (++nodes_ > kMostNodes) throw Fault{node.Mark(), "is too large"};
    if (depth > kMostDepth) throw Fault{node.Mark(), "is nested too deeply"};
    switch (node.Type()) {
      case YAML::NodeType::Scalar:
        return Scalar(node);
      case YAML::NodeType::Sequence: {
        Json list = Json::array();
        for (const YAML::Node& each : node) list.push_back(Convert(each, depth + 1));
        return list;
      }
      case YAML::NodeType::Map:
        return ConvertMap(node, depth);
      default:
        return nullptr;
    }
  }

 private:
  Json ConvertMap(const YAML::Node& node, int depth) {
    Json object = Json::object();
    for (const auto& entry : node) {
      const YAML::Node& key = entry.first;
      if (!key.IsScalar()) throw Fault{key.Mark(), "a key must be a word"};
      const std::string& name = key.Scalar();
      if (object.contains(name)) {
        throw Fault{key.Mark(), fmt::format("the key {} stands twice in one object", name)};
      }
      object[name] = Convert(entry.second, depth + 1);
    }
    return object;
  }

  int nodes_ = 0;
};

}  // namespace

absl::StatusOr<Json> ParseYaml(std::string_view text) {
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(text));
    if (documents.size() > 1) return At(documents[1].Mark(), "only one document is wanted");
    if (documents.empty()) return Json();
    Json value = Converter().Convert(documents.front());
    value.dump();  // throws where text is no UTF-8
    return value;
  } catch (const Fault& fault) {
    return At(fault.mark, fault.what);
  } catch (const YAML::Exception& error) {
    return At(error.mark, error.msg);
  } catch (const nlohmann::json::exception&) {
    return absl::InvalidArgumentError("must be UTF-8");
  } catch (const std::out_of_range&) {
    return absl::InvalidArgumentError("has a number beyond the range of a double");
  }
}

}  // namespace turnout::cli
