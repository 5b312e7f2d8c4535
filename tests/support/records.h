// Records as the Go system writes them, composed apart from the library's own writer.
#ifndef TURNOUT_TESTS_SUPPORT_RECORDS_H_
#define TURNOUT_TESTS_SUPPORT_RECORDS_H_

#include <string>

namespace turnout::testing {

// "hwholiday.srv.app", "app-1" → "/hwholiday/srv/app/app-1"
std::string RecordKey(const std::string& service, const std::string& id);

struct GoRecord {
  std::string service;
  std::string id;
  std::string version;
  std::string address;
  std::string metadata = "null";   // JSON
  std::string endpoints = "null";  // JSON

  std::string key() const { return RecordKey(service, id); }
  std::string value() const;
};

}  // namespace turnout::testing

#endif  // TURNOUT_TESTS_SUPPORT_RECORDS_H_
