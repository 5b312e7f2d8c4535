#include "bench/support/bare_watch.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/proto_utils.h>

#include "proto/etcd.pb.h"

namespace turnout::bench {
namespace {

namespace pb = turnout::etcdpb;

constexpr std::chrono::seconds kPatience{5};

}  // namespace

// One operation at a time; each member is false when the stream has ended.
class BareWatch::Stream {
 public:
  explicit Stream(const std::string& endpoint) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // a connection of its own
    grpc::TemplatedGenericStub<pb::WatchRequest, pb::WatchResponse> stub(
        grpc::CreateCustomChannel(endpoint, grpc::InsecureChannelCredentials(), arguments));
    call_ = stub.PrepareCall(&context_, "/etcdserverpb.Watch/Watch", &queue_);
  }

  ~Stream() { queue_.Shutdown(); }

  bool Start() {
    call_->StartCall(nullptr);
    return Completed();
  }
  bool Write(const pb::WatchRequest& request) {
    call_->Write(request, nullptr);
    return Completed();
  }
  bool Read(pb::WatchResponse* response) {
    call_->Read(response, nullptr);
    return Completed();
  }
  void Cancel() { context_.TryCancel(); }

 private:
  bool Completed() {
    void* tag = nullptr;
    bool ok = false;
    return queue_.Next(&tag, &ok) && ok;
  }

  grpc::CompletionQueue queue_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<pb::WatchRequest, pb::WatchResponse>> call_;
};

BareWatch::BareWatch(const std::string& endpoint, const std::string& prefix)
    : stream_(std::make_unique<Stream>(endpoint)) {
  pb::WatchRequest request;
  pb::WatchCreateRequest& create = *request.mutable_create_request();
  create.set_key(prefix);
  create.set_range_end(prefix);
  ++create.mutable_range_end()->back();
  pb::WatchResponse created;
  if (stream_->Start() && stream_->Write(request) && stream_->Read(&created)) {
    thread_ = std::thread([this] { Read(); });
  }
}

BareWatch::~BareWatch() {
  stream_->Cancel();
  if (thread_.joinable()) thread_.join();
}

void BareWatch::Read() {
  pb::WatchResponse response;
  while (stream_->Read(&response)) {
    const Clock::time_point now = Clock::now();
    const std::lock_guard lock(mutex_);
    for (const pb::Event& event : response.events()) {
      const Event type = event.type() == pb::Event::PUT ? Event::kPut : Event::kDelete;
      arrivals_.emplace(std::pair(event.kv().key(), type), now);
    }
    changed_.notify_all();
  }
}

std::optional<BareWatch::Clock::time_point> BareWatch::ArrivalOf(const std::string& key,
                                                                 Event event) {
  std::unique_lock lock(mutex_);
  const std::pair wanted(key, event);
  if (!changed_.wait_for(lock, kPatience, [&] { return arrivals_.contains(wanted); })) {
    return std::nullopt;
  }
  return arrivals_.at(wanted);
}

}  // namespace turnout::bench
