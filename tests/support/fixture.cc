#include "tests/support/fixture.h"

#include <algorithm>

#include "tests/support/etcd_server.h"

namespace turnout::testing {

const std::string& IntegrationTest::Etcd() {
  static EtcdServer server;
  static const std::string endpoint = server.endpoint();
  return endpoint;
}

EtcdAdmin& IntegrationTest::Admin() {
  static EtcdAdmin admin(Etcd());
  return admin;
}

std::string IntegrationTest::Service() const {
  const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
  std::string service = std::string("it.") + test->test_suite_name() + "." + test->name();
  std::replace(service.begin(), service.end(), '/', '-');  // of parametrised tests
  return service;
}

BackendOptions IntegrationTest::Options(const std::string& version) const {
  BackendOptions options;
  options.registration.service = Service();
  options.registration.version = version;
  options.registration.registry.endpoints = {Etcd()};
  options.registration.drain_delay = std::chrono::milliseconds(100);
  return options;
}

std::shared_ptr<grpc::Channel> IntegrationTest::Channel(
    const std::string& service_config_json) const {
  return ChannelTo(Etcd(), Service(), {.service_config_json = service_config_json});
}

}  // namespace turnout::testing
