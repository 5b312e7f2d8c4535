#include "src/etcd/watch_set.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/base/log.h"
#include "src/etcd/convert.h"

namespace turnout::etcd {
namespace {

// Does each event come at the revision of the one before or a later one, from `first` to `last`?
bool InOrder(const std::vector<Event>& events, Revision first, Revision last) {
  for (const Event& event : events) {
    if (event.kv.mod_revision < first || event.kv.mod_revision > last) return false;
    first = event.kv.mod_revision;
  }
  return true;
}

}  // namespace

WatchSet::Id WatchSet::Add(std::string prefix, Revision start_revision,
                           Client::WatchObserver* observer) {
  const Id id = ++last_id_;
  Watch& watch = watches_[id];
  watch.prefix = std::move(prefix);
  watch.next_revision = start_revision;
  watch.observer = observer;
  if (stream_open_) Create(id, watch);
  return id;
}

void WatchSet::Remove(Id id) {
  const auto watch = watches_.find(id);
  if (watch == watches_.end()) return;
  if (watch->second.on_stream) Cancel(id);
  watches_.erase(watch);
}

void WatchSet::OnStreamOpened() {
  stream_open_ = true;
  CreateMissing();
}

void WatchSet::OnStreamReplaced() {
  stream_open_ = false;
  pending_.clear();
  for (auto& [id, watch] : watches_) {
    watch.on_stream = false;
    watch.refused = false;
    watch.fragments = Fragments();
  }
}

void WatchSet::OnStreamBroken(const absl::Status& why) {
  OnStreamReplaced();
  std::vector<Id> ids;
  for (const auto& [id, watch] : watches_) ids.push_back(id);
  for (const Id id : ids) {
    if (Watch* watch = Find(id)) Interrupt(*watch, why);
  }
}

void WatchSet::OnResponse(etcdpb::WatchResponse response) {
  Id id = response.watch_id();
  if (response.created()) id = TakePending(id, response.canceled());
  if (response.canceled()) return OnCanceled(id, response);
  if (response.created()) OnCreated(id, response.header());
  if (!response.events().empty()) OnEvents(id, response);
}

void WatchSet::OnNewestRevision(Id id, const absl::StatusOr<Revision>& newest) {
  Watch* const watch = Find(id);
  // Of one that has been asked for again, its creation will tell.
  if (watch == nullptr || !watch->on_stream || !watch->confirmed) return;
  if (!newest.ok()) {
    Cancel(id);
    watch->on_stream = false;
    watch->confirmed = false;
    watch->fragments = Fragments();
    host_.RetryLater();
    Interrupt(*watch, newest.status());
  } else if (*newest < watch->asked_from - 1) {
    Cancel(id);
    EndAsCompacted(id, *newest);
  }
}

void WatchSet::CreateMissing() {
  if (!stream_open_) return;
  for (auto& [id, watch] : watches_) {
    if (!watch.on_stream && !watch.refused) Create(id, watch);
  }
}

void WatchSet::Create(Id id, Watch& watch) {
  watch.on_stream = true;
  watch.confirmed = false;
  watch.asked_from = watch.next_revision;
  pending_.push_back(id);
  etcdpb::WatchRequest request;
  etcdpb::WatchCreateRequest& create = *request.mutable_create_request();
  create.set_key(PrefixBegin(watch.prefix));
  create.set_range_end(PrefixEnd(watch.prefix));
  create.set_start_revision(watch.next_revision);
  create.set_watch_id(id);
  create.set_fragment(true);
  host_.Send(std::move(request));
}

void WatchSet::Cancel(Id id) {
  etcdpb::WatchRequest request;
  request.mutable_cancel_request()->set_watch_id(id);
  host_.Send(std::move(request));
}

void WatchSet::OnCreated(Id id, const etcdpb::ResponseHeader& header) {
  Watch* const watch = Find(id);
  if (watch == nullptr) return;
  if (watch->cluster_id != 0 && watch->cluster_id != header.cluster_id()) {
    Cancel(id);
    return EndAsCompacted(id, header.revision());
  }
  watch->cluster_id = header.cluster_id();
  watch->confirmed = true;
  // Either this member lags behind, or etcd was restored to an earlier state: the cluster knows.
  if (header.revision() < watch->asked_from - 1) host_.AskNewestRevision(id, watch->prefix);
  watch->interrupted = false;
  watch->observer->OnResumed();
}

void WatchSet::OnCanceled(Id id, const etcdpb::WatchResponse& response) {
  Watch* const watch = Find(id);
  // The end of one that has been asked for again is no news.
  if (watch == nullptr || (!response.created() && !watch->confirmed)) return;
  if (response.compact_revision() > 0) return EndAsCompacted(id, response.compact_revision());
  watch->on_stream = false;
  watch->confirmed = false;
  watch->refused = true;
  watch->fragments = Fragments();
  const std::string prefix = watch->prefix;
  host_.AskWhyRefused(id, prefix,
                      absl::UnavailableError(absl::StrCat("etcd refuses to watch ", prefix, ": ",
                                                          response.cancel_reason())));
}

void WatchSet::OnRefused(Id id, const absl::Status& why) {
  Watch* const watch = Find(id);
  if (watch == nullptr || !watch->refused) return;
  watch->refused = false;
  host_.RetryLater();
  Interrupt(*watch, why);
}

void WatchSet::OnEvents(Id id, etcdpb::WatchResponse& response) {
  Watch* const watch = Find(id);
  if (watch == nullptr || !watch->confirmed) return;
  const Revision newest = response.header().revision();
  if (!watch->fragments.Add(response)) return Distrust(id, newest, "a response too large");
  if (response.fragment()) return;
  std::vector<Event> events = watch->fragments.Take();
  if (!InOrder(events, watch->next_revision, newest)) {
    return Distrust(id, newest, "events out of order");
  }
  const Revision revision = events.back().kv.mod_revision;
  watch->next_revision = revision + 1;
  watch->observer->OnEvents(std::move(events), revision);
}

void WatchSet::Distrust(Id id, Revision revision, const char* why) {
  base::Log(LogSeverity::kWarning, "etcd",
            absl::StrCat("the watch of ", watches_.at(id).prefix, " got ", why,
                         "; reading all of it again"));
  Cancel(id);
  EndAsCompacted(id, revision);
}

void WatchSet::Interrupt(Watch& watch, const absl::Status& why) {
  if (std::exchange(watch.interrupted, true)) return;
  watch.observer->OnInterrupted(why);
}

void WatchSet::EndAsCompacted(Id id, Revision compact_revision) {
  Client::WatchObserver* const observer = watches_.at(id).observer;
  watches_.erase(id);
  observer->OnCompacted(compact_revision);
}

// A refused creation is answered under no id (-1): then it is the oldest one that awaits an answer.
// 0 if nobody has asked.
WatchSet::Id WatchSet::TakePending(Id id, bool refused) {
  auto found = std::find(pending_.begin(), pending_.end(), id);
  if (found == pending_.end() && refused) found = pending_.begin();
  if (found == pending_.end()) return 0;
  const Id taken = *found;
  pending_.erase(found);
  return taken;
}

WatchSet::Watch* WatchSet::Find(Id id) {
  const auto found = watches_.find(id);
  return found == watches_.end() ? nullptr : &found->second;
}

}  // namespace turnout::etcd
