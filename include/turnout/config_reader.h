// Reads the parameters of a policy from its JSON object, and reports every error by its path.
//
//   int choices = config.Integer("choiceCount", {.otherwise = 2, .least = 2, .most = 10});
//   -> "picker[0].least_request.choiceCount: must be 2 to 10, got 1"
//
// Reading never stops at an error: the default is returned, and all errors are reported at the end.
// Keys that were never asked for are errors too. Not thread-safe; lives while a config is parsed.
#ifndef TURNOUT_CONFIG_READER_H_
#define TURNOUT_CONFIG_READER_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "turnout/picker.h"

namespace turnout {

template <typename T>
struct Range {
  T otherwise;  // when the key is missing
  T least;
  T most;
};

class ConfigReader {
 public:
  class Impl;
  explicit ConfigReader(std::unique_ptr<Impl> impl);
  ~ConfigReader();
  ConfigReader(const ConfigReader&) = delete;
  ConfigReader& operator=(const ConfigReader&) = delete;

  // Whole numbers may be written as 2 or 2.0: some writers of JSON know only floating point.
  std::int64_t Integer(std::string_view key, const Range<std::int64_t>& range);
  double Number(std::string_view key, const Range<double>& range);
  bool Bool(std::string_view key, bool otherwise);
  std::string String(std::string_view key, std::string_view otherwise);
  // One of `allowed`; its index.
  std::size_t Choice(std::string_view key, std::span<const std::string_view> allowed,
                     std::size_t otherwise);
  // As in all service configs: a string of seconds, "1.5s".
  std::chrono::milliseconds Duration(std::string_view key,
                                     const Range<std::chrono::milliseconds>& range);
  // Empty if it is missing.
  std::vector<std::string> Strings(std::string_view key);
  std::map<std::string, std::string> StringMap(std::string_view key);
  // An object that `read` reads; nothing if it is missing.
  void Object(std::string_view key, const std::function<void(ConfigReader&)>& read);
  // A list of objects, each of which `read` reads.
  void Objects(std::string_view key, const std::function<void(ConfigReader&)>& read);
  // A list of pickers of which the first known one is taken; `otherwise` names the default. Never
  // null: after an error it is a picker that is never used.
  std::shared_ptr<const PickerBuilder> Child(std::string_view key, std::string_view otherwise);

  // Does the object have `key`? One that is only asked about is known, and no error.
  bool Has(std::string_view key);

  // Reports a further error at `key`: "must be …, got …".
  void Error(std::string_view key, std::string_view what);

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace turnout

#endif  // TURNOUT_CONFIG_READER_H_
