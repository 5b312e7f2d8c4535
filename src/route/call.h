// What rules know of a call, and of who makes it.
#ifndef TURNOUT_SRC_ROUTE_CALL_H_
#define TURNOUT_SRC_ROUTE_CALL_H_

#include <optional>
#include <string>
#include <string_view>

namespace turnout::route {

class CallFacts {
 public:
  virtual std::string_view path() const = 0;  // `/package.Service/Method`

  // The values of a repeated key are joined by commas. What is returned stays valid as long as this
  // object.
  virtual std::optional<std::string_view> Metadata(const std::string& key) const = 0;

 protected:
  ~CallFacts() = default;
};

}  // namespace turnout::route

#endif  // TURNOUT_SRC_ROUTE_CALL_H_
