// The base of tests against a real etcd: one for each test program, a service name for each test.
#ifndef TURNOUT_TESTS_SUPPORT_FIXTURE_H_
#define TURNOUT_TESTS_SUPPORT_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/support/backend.h"
#include "tests/support/caller.h"
#include "tests/support/etcd_admin.h"
#include "tests/support/follower.h"
#include "tests/support/process.h"
#include "tests/support/records.h"

namespace turnout::testing {

class IntegrationTest : public ::testing::Test {
 protected:
  // `host:port` of the program's etcd, which runs for as long as the program.
  static const std::string& Etcd();
  static EtcdAdmin& Admin();

  // `it.<suite>.<test>`, and its keys.
  std::string Service() const;
  std::string Key(const std::string& id) const { return RecordKey(Service(), id); }

  std::unique_ptr<Backend> Start(const std::string& version) const {
    return StartBackend(Etcd(), Service(), version);
  }
  BackendOptions Options(const std::string& version) const;
  std::shared_ptr<grpc::Channel> Channel(const std::string& service_config_json = "") const;
};

}  // namespace turnout::testing

#endif  // TURNOUT_TESTS_SUPPORT_FIXTURE_H_
