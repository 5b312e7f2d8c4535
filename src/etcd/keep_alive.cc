#include "src/etcd/keep_alive.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "src/base/log.h"

namespace turnout::etcd {
namespace {

constexpr char kKeepAlive[] = "/etcdserverpb.Lease/LeaseKeepAlive";

}  // namespace

void KeepAlives::Add(std::int64_t id, Observer* observer) {
  leases_.insert_or_assign(id, Lease{observer});
  if (stream_ == nullptr && reopen_ == nullptr) Open();
}

void KeepAlives::Remove(std::int64_t id) {
  leases_.erase(id);
  if (!leases_.empty()) return;
  stream_.reset();
  reopen_.reset();
}

void KeepAlives::Ask(std::int64_t id) {
  const auto found = leases_.find(id);
  if (found == leases_.end() || stream_ == nullptr) return;  // opening asks for all
  if (found->second.unanswered) {
    return Break(absl::UnavailableError(
        absl::StrCat("etcd LeaseKeepAlive on ", stream_->member().endpoint, ": no answer")));
  }
  Send(id, found->second);
}

void KeepAlives::Open() {
  reopen_.reset();
  KeepAliveStream::Handler& handler = *this;
  stream_ = std::make_unique<KeepAliveStream>(caller_, kKeepAlive, handler);
  for (auto& [id, lease] : leases_) Send(id, lease);
}

void KeepAlives::Break(const absl::Status& why) {
  if (IsMembersFault(why)) caller_.cluster().Failed(stream_->member(), why);
  stream_.reset();
  for (auto& [id, lease] : leases_) lease.unanswered = false;
  base::Log(LogSeverity::kDebug, "etcd", absl::StrCat(why.message()));
  reopen_ = EventLoop::Get().RunAfter(backoff_.Next(), [this] { Open(); });
}

void KeepAlives::Send(std::int64_t id, Lease& lease) {
  lease.unanswered = true;
  lease.asked_at = Clock::now();
  etcdpb::LeaseKeepAliveRequest request;
  request.set_id(id);
  stream_->Send(std::move(request));
}

void KeepAlives::OnMessage(etcdpb::LeaseKeepAliveResponse response) {
  backoff_.Reset();
  const auto found = leases_.find(response.id());
  if (found == leases_.end()) return;
  Lease& lease = found->second;
  lease.unanswered = false;
  lease.observer->OnAnswer(lease.asked_at, std::chrono::seconds(response.ttl()));
}

}  // namespace turnout::etcd
