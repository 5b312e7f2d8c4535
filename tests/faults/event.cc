#include "tests/faults/event.h"

#include <algorithm>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace turnout::faults {
namespace {

constexpr std::size_t kCallFields = 11;
constexpr std::size_t kViewFields = 4;

std::int64_t ToMicroseconds(Clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}

std::optional<Clock::time_point> ToTime(const std::string& text) {
  std::int64_t microseconds = 0;
  if (!absl::SimpleAtoi(text, &microseconds)) return std::nullopt;
  return Clock::time_point(std::chrono::microseconds(microseconds));
}

std::string OneField(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\t' || c == '\n' || c == '\r'; }, ' ');
  return text;
}

std::optional<Event> ParseCall(const std::vector<std::string>& fields) {
  if (fields.size() != kCallFields) return std::nullopt;
  const auto begin = ToTime(fields[1]);
  const auto end = ToTime(fields[2]);
  Call call;
  if (!begin || !end || !absl::SimpleAtoi(fields[8], &call.code) ||
      !absl::SimpleAtoi(fields[9], &call.answers)) {
    return std::nullopt;
  }
  call.begin = *begin;
  call.end = *end;
  call.stream = fields[3] == "stream";
  call.retries = fields[4] == "retries";
  call.service = fields[5];
  call.version = fields[6];
  call.peer = fields[7];
  call.text = fields[10];
  return call;
}

std::optional<Event> ParseView(const std::vector<std::string>& fields) {
  if (fields.size() != kViewFields) return std::nullopt;
  const auto time = ToTime(fields[1]);
  if (!time) return std::nullopt;
  View view{.time = *time, .service = fields[2], .members = {}};
  for (const auto& member : absl::StrSplit(fields[3], ',', absl::SkipEmpty())) {
    const std::vector<std::string> words = absl::StrSplit(member, ' ');
    if (words.size() != 4) return std::nullopt;
    view.members[words[0]] = {words[1], words[2], words[3]};
  }
  return view;
}

}  // namespace

std::string Answer::ToString() const {
  return absl::StrCat(version, " ", address, " ", service, " ", id, " ", picked);
}

std::optional<Answer> Answer::Parse(const std::string& text) {
  const std::vector<std::string> words = absl::StrSplit(text, ' ');
  if (words.size() != 5) return std::nullopt;
  return Answer{words[0], words[1], words[2], words[3], words[4]};
}

std::string Format(const Call& call) {
  return absl::StrCat("C\t", ToMicroseconds(call.begin), "\t", ToMicroseconds(call.end), "\t",
                      call.stream ? "stream" : "unary", "\t", call.retries ? "retries" : "plain",
                      "\t", call.service, "\t", call.version, "\t", call.peer, "\t", call.code,
                      "\t", call.answers, "\t", OneField(call.text));
}

std::string Format(const View& view) {
  return absl::StrCat("V\t", ToMicroseconds(view.time), "\t", view.service, "\t",
                      absl::StrJoin(view.members, ",", [](std::string* out, const auto& member) {
                        const auto& [id, seen] = member;
                        absl::StrAppend(out, id, " ", seen.status, " ", seen.version, " ",
                                        seen.address);
                      }));
}

std::optional<Event> ParseEvent(std::string_view line) {
  const std::vector<std::string> fields =
      absl::StrSplit(absl::string_view(line.data(), line.size()), '\t');
  if (fields[0] == "C") return ParseCall(fields);
  if (fields[0] == "V") return ParseView(fields);
  return std::nullopt;
}

}  // namespace turnout::faults
