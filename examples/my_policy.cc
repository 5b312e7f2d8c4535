// A balancing policy of one's own: a call with the header `x-debug: ID` goes to that instance, one
// of a method that writes to the primary, any other to whoever has the fewest calls in flight.
// docs/writing-a-policy.md explains it.
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <iostream>

#include "proto/api.grpc.pb.h"
#include "turnout/channel.h"
#include "turnout/config_reader.h"
#include "turnout/picker.h"

using turnout::Endpoint;
using turnout::PickResult;

class MyPicker final : public turnout::Picker {
 public:
  MyPicker(std::string writes, turnout::EndpointGroup group)
      : writes_(std::move(writes)), group_(std::move(group)) {}

  PickResult Pick(const turnout::PickArgs& args) const override {
    if (const auto id = args.Metadata("x-debug")) return PickById(*id);
    const bool write = args.method().starts_with(writes_);
    const Endpoint* best = nullptr;
    for (const Endpoint* const endpoint : group_.candidates()) {
      if (write && !endpoint->instance().metadata.contains("primary")) continue;
      if (best == nullptr || endpoint->stats().in_flight() < best->stats().in_flight()) {
        best = endpoint;
      }
    }
    if (best != nullptr) return PickResult::To(*best);
    return write ? PickResult::Queue() : group_.Unavailable();  // a primary will come
  }

 private:
  PickResult PickById(std::string_view id) const {
    const auto found = std::ranges::find_if(
        group_.members(), [id](const Endpoint* endpoint) { return endpoint->instance().id == id; });
    if (found != group_.members().end()) return PickResult::To(**found);
    return PickResult::Drop(absl::UnavailableError("x-debug: no instance " + std::string(id)));
  }

  const std::string writes_;  // how the names of methods begin that write
  const turnout::EndpointGroup group_;
};

class MyPolicy final : public turnout::PickerBuilder {
 public:
  explicit MyPolicy(std::string writes = "Create") : writes_(std::move(writes)) {}

  std::shared_ptr<const PickerBuilder> Configure(turnout::ConfigReader& config) const override {
    return std::make_shared<MyPolicy>(config.String("writes", writes_));
  }
  std::unique_ptr<const turnout::Picker> Build(turnout::EndpointGroup group) const override {
    return std::make_unique<MyPicker>(writes_, std::move(group));
  }

 private:
  const std::string writes_;
};

// my_policy TARGET [WRITES [ID]]: calls proto.Api/ApiTest, and prints who answered.
int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: my_policy TARGET [WRITES [ID]], my_policy etcd:///hwholiday.srv.app Api\n";
    return 2;
  }
  if (!turnout::RegisterPickerBuilder("my_policy", std::make_shared<MyPolicy>()).ok()) return 1;
  const std::string writes = argc > 2 ? argv[2] : "Create";
  const auto channel = turnout::CreateChannel(argv[1], grpc::InsecureChannelCredentials(),
                                              {.service_config_json =
                                                   R"({"loadBalancingConfig":[{"turnout":{"picker":[
           {"my_policy":{"writes":")" + writes + "\"}}]}}]}"});
  if (!channel.ok()) {
    std::cerr << channel.status() << "\n";
    return 2;
  }
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
  if (argc > 3) context.AddMetadata("x-debug", argv[3]);
  proto::Response response;
  const grpc::Status status =
      proto::Api::NewStub(*channel)->ApiTest(&context, proto::Request(), &response);
  std::cout << (status.ok() ? response.output() : "failed: " + status.error_message()) << "\n";
}
