#include <grpcpp/grpcpp.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "proto/api.grpc.pb.h"
#include "proto/test_streams.grpc.pb.h"
#include "tests/faults/event.h"
#include "tests/faults/roles.h"
#include "tests/faults/stamp.h"
#include "tests/faults/traffic.h"
#include "turnout/channel.h"
#include "turnout/discovery.h"
#include "turnout/picker.h"
#include "turnout/registry.h"

namespace turnout::faults {
namespace {

constexpr char kCluster[] = "faults";
constexpr char kPolicy[] =
    R"("loadBalancingConfig":[{"turnout":{"picker":[{"version":{"child":[{"stamp":{}}]}}]}}])";
constexpr std::chrono::milliseconds kBetweenCalls{12};
constexpr std::chrono::milliseconds kBetweenStreams{30};
constexpr char kStreamInput[] = "xxxx";  // so many answers, one after another

[[noreturn]] void Die(const absl::Status& status) {
  std::fprintf(stderr, "client: %s\n", std::string{status.message()}.c_str());
  std::exit(EXIT_FAILURE);
}

void Print(const std::string& line) {
  static std::mutex mutex;
  const std::lock_guard<std::mutex> lock(mutex);
  std::puts(line.c_str());
  std::fflush(stdout);
}

// "ipv4:127.0.0.1:40001" → "127.0.0.1:40001"; empty if the call has none.
std::string PeerOf(const grpc::ClientContext& context) {
  constexpr std::string_view kScheme = "ipv4:";
  const std::string peer = context.peer();
  return peer.starts_with(kScheme) ? peer.substr(kScheme.size()) : "";
}

class Caller {
 public:
  explicit Caller(const RegistryOptions& registry) {
    absl::Status status = RegisterCluster(kCluster, registry);
    if (status.ok()) {
      status = RegisterPickerBuilder("stamp", std::make_shared<StampPickerBuilder>(*picks_));
    }
    if (!status.ok()) Die(status);
    for (const char* service : kServices) {
      channels_[service] = {Channel(service, false), Channel(service, true)};
    }
  }

  // Number `n` of a thread's calls.
  void MakeCall(std::size_t n, bool stream) {
    const Role& asked = kAsked[n % kAsked.size()];
    Call call{.stream = stream,
              .retries = n / kAsked.size() % 2 == 1,
              .service = asked.service,
              .version = asked.version,
              .peer = {},
              .text = {}};
    grpc::ClientContext context;
    if (!call.version.empty()) SetVersion(context, call.version);
    context.set_deadline(std::chrono::system_clock::now() + kCallDeadline);
    const auto& channel = channels_.at(call.service)[call.retries ? 1 : 0];
    const std::string number = std::to_string(made_.fetch_add(1));
    context.AddMetadata(kNumberKey, number);
    call.begin = Clock::now();
    const grpc::Status status =
        stream ? Download(channel, context, call) : Ask(channel, context, call);
    call.end = Clock::now();
    call.code = status.error_code();
    const std::string picked = picks_->Take(number);
    call.peer = PeerOf(context);
    if (call.peer.empty()) call.peer = picked;
    if (!status.ok()) call.text = status.error_message();
    Print(Format(call));
  }

 private:
  static std::shared_ptr<grpc::Channel> Channel(const std::string& service, bool retries) {
    const std::string config =
        std::string("{") + (retries ? std::string(kRetryConfig) + "," : "") + kPolicy + "}";
    auto channel =
        CreateChannel("etcd://" + std::string(kCluster) + "/" + service,
                      grpc::InsecureChannelCredentials(), {.service_config_json = config});
    if (!channel.ok()) Die(channel.status());
    return *std::move(channel);
  }

  static grpc::Status Ask(const std::shared_ptr<grpc::Channel>& channel,
                          grpc::ClientContext& context, Call& call) {
    proto::Response response;
    grpc::Status status =
        proto::Api::NewStub(channel)->ApiTest(&context, proto::Request(), &response);
    call.answers = status.ok() ? 1 : 0;
    call.text = response.output();
    return status;
  }

  static grpc::Status Download(const std::shared_ptr<grpc::Channel>& channel,
                               grpc::ClientContext& context, Call& call) {
    proto::Request request;
    request.set_input(kStreamInput);
    const auto reader = test::Streams::NewStub(channel)->Download(&context, request);
    proto::Response response;
    while (reader->Read(&response)) {
      ++call.answers;
      if (call.answers > 1 && call.text != response.output()) {
        call.text += " and " + response.output();  // no answer that can be read: a mistake
      } else {
        call.text = response.output();
      }
    }
    return reader->Finish();
  }

  PickLog* const picks_ = new PickLog;  // for ever, as pickers may
  std::atomic<std::uint64_t> made_{0};
  std::map<std::string, std::array<std::shared_ptr<grpc::Channel>, 2>> channels_;
};

std::unique_ptr<Subscription> ReportViews(const std::string& service,
                                          const RegistryOptions& registry) {
  auto subscription =
      Watch(service, registry,
            {.on_snapshot =
                 [service](const std::shared_ptr<const Snapshot>& snapshot) {
                   View view{.time = Clock::now(), .service = service, .members = {}};
                   for (const Member& member : snapshot->members) {
                     const Instance& instance = *member.instance;
                     view.members[instance.id] = {std::string(ToString(member.status)),
                                                  instance.version, instance.address()};
                   }
                   Print(Format(view));
                 },
             .on_error = nullptr});
  if (!subscription.ok()) Die(subscription.status());
  return *std::move(subscription);
}

}  // namespace

int RunClient(const ClientFlags& flags) {
  BlockEnd();
  LogTo(flags.log);
  const RegistryOptions registry{.endpoints = flags.etcd, .cache_dir = flags.cache};
  Caller caller(registry);
  std::vector<std::unique_ptr<Subscription>> subscriptions;
  for (const char* service : kServices) subscriptions.push_back(ReportViews(service, registry));
  std::vector<std::jthread> threads;
  for (int i = 0; i < 2 * flags.threads; ++i) {
    const bool stream = i % 2 == 1;
    threads.emplace_back([&caller, stream, i](const std::stop_token& stop) {
      for (auto n = static_cast<std::size_t>(i); !stop.stop_requested(); ++n) {
        caller.MakeCall(n, stream);
        std::this_thread::sleep_for(stream ? kBetweenStreams : kBetweenCalls);
      }
    });
  }
  WaitForEnd();
  return 0;
}

}  // namespace turnout::faults
