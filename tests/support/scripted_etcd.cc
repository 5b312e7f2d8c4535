#include "tests/support/scripted_etcd.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>
#include <utility>

#include "tests/support/byte_server.h"
#include "tests/support/etcd_server.h"
#include "tests/support/scripted_store.h"
#include "tests/support/scripted_watches.h"

namespace turnout::testing {
namespace {

using grpc::Status;
using grpc::StatusCode;
using Call = ByteServer::Call;

constexpr std::chrono::minutes kLongest{1};

Status NoLeader() { return {StatusCode::UNAVAILABLE, "etcdserver: no leader"}; }

template <typename Message>
Message Parse(const std::string& bytes) {
  Message message;
  message.ParseFromString(bytes);  // what it cannot be stays empty
  return message;
}

}  // namespace

// The server's side. `mutex` guards all of it.
class ScriptedEtcd::Impl final : public ByteServer::Handler {
 public:
  Impl();
  ~Impl() override { server.Stop(); }  // before what its calls use

  void OnBegin(Call& call) override;
  void OnMessage(Call& call, const std::string& message) override;
  void OnSent(Call& call) override { watches.Continue(call); }
  void OnEnd(Call& call) override {
    watches.OnEnd(call);
    want_leader.erase(&call);
  }

  std::int64_t Commit(const etcdpb::TxnRequest& request);

  mutable std::mutex mutex;
  mutable std::condition_variable asked;
  ScriptedStore store;
  ScriptedWatches watches{store, [this](const etcdpb::WatchResponse& response) {
                            return Altered("Watch", response.SerializeAsString());
                          }};
  std::map<std::string, Status> failures;
  std::map<std::string, std::function<void(std::string&)>> alterations;
  std::map<std::string, int> requests;
  std::string user, password;  // empty: nobody need log in
  std::set<std::string> tokens;
  std::set<Call*> want_leader;  // streams
  bool has_leader = true;

  const ReservedPort port;
  ByteServer server{mutex, *this};

  std::string Altered(const std::string& method, std::string answer) const;

 private:
  // A method with one answer.
  template <typename Request, typename Response>
  void Serve(const std::string& method, std::function<Status(const Request&, Response&)> handle);

  void ServeKeys();
  void ServeLeases();
  Status LogIn(const etcdpb::AuthenticateRequest& request, etcdpb::AuthenticateResponse& response);
  void Note(const std::string& method);
  Status Admit(const Call& call) const;
  void AnswerKeepAlive(Call& call, const etcdpb::LeaseKeepAliveRequest& request);

  std::map<std::string, std::function<Status(const std::string&, std::string&)>> methods_;
  int last_token_ = 0;
};

ScriptedEtcd::Impl::Impl() {
  ServeKeys();
  ServeLeases();
  Serve<etcdpb::AuthenticateRequest, etcdpb::AuthenticateResponse>(
      "Authenticate",
      [this](const auto& request, auto& response) { return LogIn(request, response); });
  server.Start(port.address());
}

template <typename Request, typename Response>
void ScriptedEtcd::Impl::Serve(const std::string& method,
                               std::function<Status(const Request&, Response&)> handle) {
  methods_[method] = [this, handle = std::move(handle)](const std::string& bytes,
                                                        std::string& answer) {
    Response response;
    Status status = handle(Parse<Request>(bytes), response);
    *response.mutable_header() = store.Header();
    answer = response.SerializeAsString();
    watches.Continue();
    return status;
  };
}

void ScriptedEtcd::Impl::ServeKeys() {
  using namespace etcdpb;
  Serve<RangeRequest, RangeResponse>("Range", [this](const auto& request, auto& response) {
    return store.Range(request, response);
  });
  Serve<TxnRequest, TxnResponse>("Txn", [this](const auto& request, auto& response) {
    return store.Commit(request, response);
  });
  Serve<PutRequest, PutResponse>("Put", [this](const auto& request, auto& /*response*/) {
    TxnRequest txn;
    *txn.add_success()->mutable_request_put() = request;
    TxnResponse done;
    return store.Commit(txn, done);
  });
  Serve<DeleteRangeRequest, DeleteRangeResponse>(
      "DeleteRange", [this](const auto& request, auto& response) {
        TxnRequest txn;
        *txn.add_success()->mutable_request_delete_range() = request;
        TxnResponse done;
        Status status = store.Commit(txn, done);
        response = done.responses(0).response_delete_range();
        return status;
      });
  Serve<CompactionRequest, CompactionResponse>("Compact",
                                               [this](const auto& request, auto& /*response*/) {
                                                 return store.Compact(request.revision());
                                               });
}

void ScriptedEtcd::Impl::ServeLeases() {
  using namespace etcdpb;
  Serve<LeaseGrantRequest, LeaseGrantResponse>("LeaseGrant",
                                               [this](const auto& request, auto& response) {
                                                 store.Grant(request, response);
                                                 return Status::OK;
                                               });
  Serve<LeaseRevokeRequest, LeaseRevokeResponse>(
      "LeaseRevoke",
      [this](const auto& request, auto& /*response*/) { return store.Revoke(request.id()); });
}

Status ScriptedEtcd::Impl::LogIn(const etcdpb::AuthenticateRequest& request,
                                 etcdpb::AuthenticateResponse& response) {
  if (user.empty()) {
    return {StatusCode::FAILED_PRECONDITION, "etcdserver: authentication is not enabled"};
  }
  if (request.name() != user || request.password() != password) {
    return {StatusCode::INVALID_ARGUMENT,
            "etcdserver: authentication failed, invalid user ID or password"};
  }
  response.set_token("token." + std::to_string(++last_token_));
  tokens.insert(response.token());
  return Status::OK;
}

void ScriptedEtcd::Impl::AnswerKeepAlive(Call& call, const etcdpb::LeaseKeepAliveRequest& request) {
  etcdpb::LeaseKeepAliveResponse response;
  *response.mutable_header() = store.Header();
  response.set_id(request.id());
  response.set_ttl(store.Ttl(request.id()));
  call.Send(Altered("LeaseKeepAlive", response.SerializeAsString()));
}

void ScriptedEtcd::Impl::Note(const std::string& method) {
  ++requests[method];
  asked.notify_all();
}

// May this call be answered?
Status ScriptedEtcd::Impl::Admit(const Call& call) const {
  const auto failure = failures.find(call.method());
  if (failure != failures.end() && !failure->second.ok()) return failure->second;
  if (user.empty() || call.method() == "Authenticate") return Status::OK;
  const std::string token = call.Metadata("token");
  if (token.empty()) return {StatusCode::INVALID_ARGUMENT, "etcdserver: user name is empty"};
  if (!tokens.contains(token)) {
    return {StatusCode::UNAUTHENTICATED, "etcdserver: invalid auth token"};
  }
  return Status::OK;
}

std::string ScriptedEtcd::Impl::Altered(const std::string& method, std::string answer) const {
  const auto alteration = alterations.find(method);
  if (alteration != alterations.end()) alteration->second(answer);
  return answer;
}

void ScriptedEtcd::Impl::OnBegin(Call& call) {
  const std::string method = call.method();
  if (method != "Watch" && method != "LeaseKeepAlive") return;
  Note(method);
  if (Status status = Admit(call); !status.ok()) return call.Finish(status);
  if (call.Metadata("hasleader") == "true") {
    want_leader.insert(&call);
    if (!has_leader) return call.Finish(NoLeader());
  }
  if (method == "Watch") watches.OnBegin(call);
}

void ScriptedEtcd::Impl::OnMessage(Call& call, const std::string& message) {
  const std::string method = call.method();
  Note(method);
  if (method == "Watch") return watches.OnRequest(call, Parse<etcdpb::WatchRequest>(message));
  if (method == "LeaseKeepAlive") {
    return AnswerKeepAlive(call, Parse<etcdpb::LeaseKeepAliveRequest>(message));
  }
  Status status = Admit(call);
  if (!status.ok()) return call.Finish(status);
  const auto handler = methods_.find(method);
  if (handler == methods_.end()) return call.Finish({StatusCode::UNIMPLEMENTED, "unknown method"});
  std::string answer;
  status = handler->second(message, answer);
  if (status.ok()) call.Send(Altered(method, std::move(answer)));
  call.Finish(status);
}

std::int64_t ScriptedEtcd::Impl::Commit(const etcdpb::TxnRequest& request) {
  const std::lock_guard lock(mutex);
  etcdpb::TxnResponse response;
  store.Commit(request, response);
  watches.Continue();
  return store.revision();
}

ScriptedEtcd::ScriptedEtcd() : impl_(std::make_unique<Impl>()) {}
ScriptedEtcd::~ScriptedEtcd() = default;

const std::string& ScriptedEtcd::endpoint() const { return impl_->port.address(); }

std::int64_t ScriptedEtcd::Put(const std::string& key, const std::string& value) {
  return PutAll({{key, value}});
}

std::int64_t ScriptedEtcd::PutAll(const std::map<std::string, std::string>& values) {
  etcdpb::TxnRequest request;
  for (const auto& [key, value] : values) {
    etcdpb::PutRequest& put = *request.add_success()->mutable_request_put();
    put.set_key(key);
    put.set_value(value);
  }
  return impl_->Commit(request);
}

std::int64_t ScriptedEtcd::Delete(const std::string& key) {
  etcdpb::TxnRequest request;
  request.add_success()->mutable_request_delete_range()->set_key(key);
  return impl_->Commit(request);
}

std::string ScriptedEtcd::Value(const std::string& key) const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->store.Value(key);
}

std::string ScriptedEtcd::WaitForValue(const std::string& key) const {
  std::unique_lock lock(impl_->mutex);
  impl_->asked.wait_for(lock, kLongest, [&] { return !impl_->store.Value(key).empty(); });
  return impl_->store.Value(key);
}

std::int64_t ScriptedEtcd::revision() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->store.revision();
}

void ScriptedEtcd::Compact(std::int64_t revision) {
  const std::lock_guard lock(impl_->mutex);
  impl_->store.Compact(revision);
}

void ScriptedEtcd::RestoreTo(std::int64_t revision) {
  Stop();
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->store.RestoreTo(revision);
  }
  Start();
}

void ScriptedEtcd::BecomeCluster(std::uint64_t id) {
  const std::lock_guard lock(impl_->mutex);
  impl_->store.cluster_id = id;
}

void ScriptedEtcd::EndLeases() {
  const std::lock_guard lock(impl_->mutex);
  impl_->store.RevokeAll();
  impl_->watches.Continue();
}

void ScriptedEtcd::CancelWatches(const std::string& prefix, const std::string& reason) {
  const std::lock_guard lock(impl_->mutex);
  impl_->watches.Cancel(prefix, reason);
}

void ScriptedEtcd::RefuseWatches(const std::string& prefix, const std::string& reason) {
  const std::lock_guard lock(impl_->mutex);
  impl_->watches.refused.erase(prefix);
  if (!reason.empty()) impl_->watches.refused[prefix] = reason;
}

void ScriptedEtcd::HoldWatches(const std::string& prefix) {
  const std::lock_guard lock(impl_->mutex);
  impl_->watches.held.insert(prefix);
}

void ScriptedEtcd::ReleaseWatches() {
  const std::lock_guard lock(impl_->mutex);
  impl_->watches.held.clear();
  impl_->watches.Continue();
}

bool ScriptedEtcd::WaitForWatches(std::size_t count) const {
  std::unique_lock lock(impl_->mutex);
  return impl_->asked.wait_for(lock, kLongest, [&] { return impl_->watches.size() == count; });
}

void ScriptedEtcd::FragmentEvents(std::size_t events) {
  const std::lock_guard lock(impl_->mutex);
  impl_->watches.events_per_part = events;
}

void ScriptedEtcd::BreakWatches(int after_responses) {
  const std::lock_guard lock(impl_->mutex);
  if (after_responses == 0) return impl_->watches.BreakAll();
  impl_->watches.responses_left = after_responses;
}

void ScriptedEtcd::Stop() { impl_->server.Stop(); }

void ScriptedEtcd::Start() { impl_->server.Start(endpoint()); }

void ScriptedEtcd::SetSilent(bool silent) {
  const std::lock_guard lock(impl_->mutex);
  impl_->server.SetSilent(silent);
}

void ScriptedEtcd::SetLeader(bool there) {
  const std::lock_guard lock(impl_->mutex);
  impl_->has_leader = there;
  if (there) return;
  for (Call* const stream : impl_->want_leader) stream->Finish(NoLeader());
}

void ScriptedEtcd::Fail(const std::string& method, const grpc::Status& status) {
  const std::lock_guard lock(impl_->mutex);
  impl_->failures[method] = status;
}

void ScriptedEtcd::Alter(const std::string& method, std::function<void(Bytes&)> change) {
  const std::lock_guard lock(impl_->mutex);
  impl_->alterations.erase(method);
  if (change != nullptr) impl_->alterations[method] = std::move(change);
}

void ScriptedEtcd::SendToWatches(const Bytes& message) {
  const std::lock_guard lock(impl_->mutex);
  impl_->watches.SendToAll(message);
}

void ScriptedEtcd::SendToWatches(const etcdpb::WatchResponse& message) {
  SendToWatches(message.SerializeAsString());
}

void ScriptedEtcd::RequireLogIn(const std::string& user, const std::string& password) {
  const std::lock_guard lock(impl_->mutex);
  impl_->user = user;
  impl_->password = password;
}

void ScriptedEtcd::ForgetTokens() {
  const std::lock_guard lock(impl_->mutex);
  impl_->tokens.clear();
}

int ScriptedEtcd::requests(const std::string& method) const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->requests[method];
}

bool ScriptedEtcd::WaitForRequests(const std::string& method, int count) const {
  std::unique_lock lock(impl_->mutex);
  return impl_->asked.wait_for(lock, kLongest, [&] { return impl_->requests[method] >= count; });
}

}  // namespace turnout::testing
