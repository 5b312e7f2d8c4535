#include "src/etcd/lease.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/base/log.h"

namespace turnout::etcd {
namespace {

constexpr char kGrant[] = "/etcdserverpb.Lease/LeaseGrant";
constexpr char kRevoke[] = "/etcdserverpb.Lease/LeaseRevoke";

using std::chrono::milliseconds;

// Longer ones are not believed: their end would not be a point in time.
constexpr std::int64_t kMostSeconds = std::int64_t{24} * 3600;

// Etcd's answer, or what is wrong with it.
absl::StatusOr<etcdpb::LeaseGrantResponse> Checked(
    const absl::StatusOr<etcdpb::LeaseGrantResponse>& grant) {
  if (!grant.ok() || (grant->id() != 0 && grant->ttl() > 0)) return grant;
  return absl::UnavailableError(absl::StrCat("etcd LeaseGrant: granted lease ", grant->id(),
                                             " for ", grant->ttl(), " s, which is none"));
}

}  // namespace

Lease::Lease(std::chrono::seconds ttl, Caller& caller, KeepAlives& keep_alives)
    : wanted_ttl_(ttl), caller_(caller), keep_alives_(keep_alives) {}

std::shared_ptr<Lease::Holder> Lease::AddHolder(Client::LeaseObserver* observer) {
  auto holder = std::make_shared<Holder>(Holder{observer});
  holders_.push_back(holder);
  if (holders_.size() == 1) {
    Grant();
  } else if (id_ != 0) {
    EventLoop::Get().Post([this, self = shared_from_this(), holder, id = id_] {
      if (holder->observer != nullptr && id == id_) holder->observer->OnGranted(id);
    });
  }
  return holder;
}

bool Lease::RemoveHolder(const std::shared_ptr<Holder>& holder) {
  holder->observer = nullptr;
  std::erase(holders_, holder);
  return holders_.empty();
}

void Lease::End(std::function<void()> done) {
  retry_.reset();
  keep_alive_.reset();
  expiry_.reset();
  if (granting_) {
    ended_ = std::move(done);
  } else if (const std::int64_t id = std::exchange(id_, 0); id != 0) {
    keep_alives_.Remove(id);
    Revoke(id, std::move(done));
  } else {
    done();
  }
}

void Lease::Grant() {
  granting_ = true;
  etcdpb::LeaseGrantRequest request;
  request.set_ttl(wanted_ttl_.count());
  caller_.Call<etcdpb::LeaseGrantResponse>(
      kGrant, request,
      [self = shared_from_this(),
       now = Clock::now()](const absl::StatusOr<etcdpb::LeaseGrantResponse>& answer) {
        self->OnGrant(now, answer);
      });
}

void Lease::GrantAfter(milliseconds delay) {
  retry_ = EventLoop::Get().RunAfter(delay, [this] { Grant(); });
}

void Lease::OnGrant(Clock::time_point asked_at,
                    const absl::StatusOr<etcdpb::LeaseGrantResponse>& answer) {
  const auto grant = Checked(answer);
  granting_ = false;
  if (holders_.empty()) {
    return grant.ok() ? Revoke(grant->id(), std::move(ended_)) : ended_();
  }
  if (!grant.ok()) {
    GrantAfter(backoff_.Next());
    return Notify([&](Client::LeaseObserver& observer) { observer.OnGrantFailed(grant.status()); });
  }
  backoff_.Reset();
  id_ = grant->id();
  SetTtl(grant->ttl());
  if (ttl_ != wanted_ttl_) {
    base::Log(LogSeverity::kWarning, "etcd",
              absl::StrCat("etcd grants leases for ", ttl_.count(), " s where ",
                           wanted_ttl_.count(), " s were asked for"));
  }
  keep_alives_.Add(id_, this);
  ExpireAt(asked_at + ttl_);
  KeepAliveLater();
  Notify([id = id_](Client::LeaseObserver& observer) { observer.OnGranted(id); });
}

void Lease::OnAnswer(Clock::time_point asked_at, std::chrono::seconds ttl) {
  if (ttl.count() <= 0) return Lose(absl::NotFoundError("etcd no longer has the lease"));
  SetTtl(ttl.count());
  ExpireAt(asked_at + ttl_);
}

void Lease::SetTtl(std::int64_t seconds) {
  ttl_ = std::chrono::seconds(std::min(seconds, kMostSeconds));
}

void Lease::KeepAliveLater() {
  keep_alive_ = EventLoop::Get().RunAfter(milliseconds(ttl_) / 3, [this] {
    keep_alives_.Ask(id_);
    KeepAliveLater();
  });
}

void Lease::ExpireAt(Clock::time_point when) {
  const auto left = std::chrono::ceil<milliseconds>(when - Clock::now());
  expiry_ = EventLoop::Get().RunAfter(left, [this] {
    Lose(absl::UnavailableError(
        absl::StrCat("the lease could not be kept alive for ", ttl_.count(), " s")));
  });
}

void Lease::Lose(const absl::Status& why) {
  const std::shared_ptr<Lease> self = shared_from_this();
  keep_alives_.Remove(std::exchange(id_, 0));
  keep_alive_.reset();
  expiry_.reset();
  Notify([&](Client::LeaseObserver& observer) { observer.OnLost(why); });
  if (!holders_.empty() && id_ == 0 && !granting_) {
    const auto delays = static_cast<std::uint64_t>(kSpread.count()) + 1;
    GrantAfter(milliseconds(base::ThreadRandom().Below(delays)));
  }
}

void Lease::Revoke(std::int64_t id, std::function<void()> done) {
  etcdpb::LeaseRevokeRequest request;
  request.set_id(id);
  caller_.Call<etcdpb::LeaseRevokeResponse>(
      kRevoke, request,
      [done = std::move(done)](const absl::StatusOr<etcdpb::LeaseRevokeResponse>&) { done(); });
}

// Holders may come and go meanwhile.
void Lease::Notify(const std::function<void(Client::LeaseObserver&)>& event) {
  const std::shared_ptr<Lease> self = shared_from_this();
  for (const auto& holder : std::vector(holders_)) {
    if (holder->observer != nullptr) event(*holder->observer);
  }
}

class Leases::HoldImpl final : public Client::LeaseHold {
 public:
  HoldImpl(Leases& leases, std::chrono::seconds ttl, std::shared_ptr<Lease> lease,
           Client::LeaseObserver* observer)
      : leases_(leases),
        ttl_(ttl),
        lease_(std::move(lease)),
        holder_(lease_->AddHolder(observer)) {}
  ~HoldImpl() override {
    if (lease_ != nullptr) LetGo([] {});
  }

  void Release(std::function<void()> done) override {
    if (lease_ == nullptr) return done();
    LetGo(std::move(done));
  }

 private:
  // `done` may destroy this.
  void LetGo(std::function<void()> done) {
    const std::shared_ptr<Lease> lease = std::exchange(lease_, nullptr);
    if (!lease->RemoveHolder(holder_)) return done();
    leases_.leases_.erase(ttl_);
    lease->End(std::move(done));
  }

  Leases& leases_;
  const std::chrono::seconds ttl_;
  std::shared_ptr<Lease> lease_;
  const std::shared_ptr<Lease::Holder> holder_;
};

std::unique_ptr<Client::LeaseHold> Leases::Hold(std::chrono::seconds ttl,
                                                Client::LeaseObserver* observer) {
  std::shared_ptr<Lease>& lease = leases_[ttl];
  if (lease == nullptr) lease = std::make_shared<Lease>(ttl, caller_, keep_alives_);
  return std::make_unique<HoldImpl>(*this, ttl, lease, observer);
}

}  // namespace turnout::etcd
