#include "src/etcd/watch.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "src/base/log.h"

namespace turnout::etcd {
namespace {

constexpr char kWatch[] = "/etcdserverpb.Watch/Watch";

// A silent stream is asked for a sign of life at the first step after its last word, which is 0 to
// 2 s later, and left 4 s after that. One that is only quiet is asked once in each step.
constexpr std::chrono::milliseconds kSilenceStep{2000};
constexpr int kAskAfterSteps = 1;
constexpr int kLeaveAfterSteps = 3;

}  // namespace

class Watches::HandleImpl final : public Client::WatchHandle {
 public:
  HandleImpl(Watches& watches, WatchSet::Id id) : watches_(watches), id_(id) {}
  ~HandleImpl() override { watches_.set_.Remove(id_); }

 private:
  Watches& watches_;
  const WatchSet::Id id_;
};

std::unique_ptr<Client::WatchHandle> Watches::Add(std::string prefix, Revision start_revision,
                                                  Client::WatchObserver* observer) {
  const WatchSet::Id id = set_.Add(std::move(prefix), start_revision, observer);
  if (stream_ == nullptr && reopen_ == nullptr) Open();
  return std::make_unique<HandleImpl>(*this, id);
}

void Watches::Open() {
  reopen_.reset();
  if (set_.empty()) return;
  WatchStream::Handler& handler = *this;
  stream_ = std::make_unique<WatchStream>(caller_, kWatch, handler);
  silent_for_ = 0;
  ListenForSilence();
  set_.OnStreamOpened();
}

void Watches::Break(const absl::Status& why) {
  base::Log(LogSeverity::kDebug, "etcd", absl::StrCat(why.message()));
  if (IsMembersFault(why)) caller_.cluster().Failed(stream_->member(), why);
  stream_.reset();
  silence_.reset();
  reopen_ = EventLoop::Get().RunAfter(reopen_backoff_.Next(), [this] { Open(); });
  set_.OnStreamBroken(why);
}

void Watches::ListenForSilence() {
  silence_ = EventLoop::Get().RunAfter(kSilenceStep, [this] { OnSilence(); });
}

void Watches::OnSilence() {
  if (set_.empty()) return Close();
  ++silent_for_;
  if (silent_for_ == kLeaveAfterSteps) {
    return Break(absl::UnavailableError(
        absl::StrCat("etcd Watch on ", stream_->member().endpoint, ": no sign of life")));
  }
  if (silent_for_ == kAskAfterSteps) {
    etcdpb::WatchRequest request;
    request.mutable_progress_request();
    stream_->Send(std::move(request));
  }
  ListenForSilence();
}

void Watches::Close() {
  stream_.reset();
  silence_.reset();
  set_.OnStreamBroken(absl::CancelledError("no watch is left"));
}

void Watches::Send(etcdpb::WatchRequest request) {
  if (stream_ != nullptr) stream_->Send(std::move(request));
}

void Watches::RetryLater() {
  if (create_missing_ != nullptr) return;
  create_missing_ = EventLoop::Get().RunAfter(create_backoff_.Next(), [this] {
    create_missing_.reset();
    set_.CreateMissing();
  });
}

// A watch is refused for want of a permission, or because the token that its stream began with has
// expired meanwhile: etcd does not say. A read of the same keys is refused for the same want.
void Watches::AskWhyRefused(WatchSet::Id id, const std::string& prefix, const absl::Status& why) {
  if (caller_.log_in() == nullptr) return set_.OnRefused(id, why);
  requests_.RangePrefix(
      prefix,
      [this, id, why](const absl::StatusOr<RangeResult>& read) {
        if (!read.ok()) return set_.OnRefused(id, read.status());
        if (stream_ == nullptr) return;  // all are asked for again when there is one
        if (stream_->token() == caller_.log_in()->token()) return set_.OnRefused(id, why);
        OpenWithNewToken();
      },
      1);
}

void Watches::OpenWithNewToken() {
  set_.OnStreamReplaced();
  stream_.reset();
  Open();
}

void Watches::AskNewestRevision(WatchSet::Id id, const std::string& key) {
  requests_.Get(key, [this, id](const absl::StatusOr<RangeResult>& result) {
    if (!result.ok()) return set_.OnNewestRevision(id, result.status());
    set_.OnNewestRevision(id, result->revision);
  });
}

void Watches::OnMessage(etcdpb::WatchResponse response) {
  silent_for_ = 0;
  reopen_backoff_.Reset();
  if (response.created() && !response.canceled()) create_backoff_.Reset();
  set_.OnResponse(std::move(response));
}

}  // namespace turnout::etcd
