#include "src/etcd/watch_set.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/etcd/convert.h"

namespace turnout::etcd {

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

void WatchSet::OnStreamBroken(const absl::Status& why) {
  stream_open_ = false;
  pending_.clear();
  std::vector<Id> ids;
  for (auto& [id, watch] : watches_) {
    watch.on_stream = false;
    watch.fragments = Fragments();
    ids.push_back(id);
  }
  for (const Id id : ids) {
    if (Watch* watch = Find(id)) Interrupt(*watch, why);
  }
}

void WatchSet::OnResponse(etcdpb::WatchResponse response) {
  Id id = response.watch_id();
  if (response.created()) id = TakePending(id);
  if (response.canceled()) return OnCanceled(id, response);
  if (response.created()) OnCreated(id, response.header());
  if (!response.events().empty()) OnEvents(id, response);
}

void WatchSet::OnNewestRevision(Id id, const absl::StatusOr<Revision>& newest) {
  Watch* const watch = Find(id);
  if (watch == nullptr || !watch->on_stream) return;
  if (!newest.ok()) {
    Cancel(id);
    watch->on_stream = false;
    host_.RetryLater();
    Interrupt(*watch, newest.status());
  } else if (*newest + 1 < watch->asked_from) {
    Cancel(id);
    EndAsCompacted(id, *newest);
  }
}

void WatchSet::CreateMissing() {
  if (!stream_open_) return;
  for (auto& [id, watch] : watches_) {
    if (!watch.on_stream) Create(id, watch);
  }
}

void WatchSet::Create(Id id, Watch& watch) {
  watch.on_stream = true;
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
  // Either this member lags behind, or etcd was restored to an earlier state: the cluster knows.
  if (header.revision() + 1 < watch->asked_from) host_.AskNewestRevision(id, watch->prefix);
  watch->interrupted = false;
  watch->observer->OnResumed();
}

void WatchSet::OnCanceled(Id id, const etcdpb::WatchResponse& response) {
  Watch* const watch = Find(id);
  if (watch == nullptr) return;
  if (response.compact_revision() > 0) return EndAsCompacted(id, response.compact_revision());
  watch->on_stream = false;
  watch->fragments = Fragments();
  host_.RetryLater();
  Interrupt(*watch, absl::UnavailableError(absl::StrCat("etcd refuses to watch ", watch->prefix,
                                                        ": ", response.cancel_reason())));
}

void WatchSet::OnEvents(Id id, etcdpb::WatchResponse& response) {
  Watch* const watch = Find(id);
  if (watch == nullptr) return;
  std::vector<Event> events = watch->fragments.Add(response);
  if (events.empty()) return;
  const Revision revision = events.back().kv.mod_revision;
  watch->next_revision = revision + 1;
  watch->observer->OnEvents(std::move(events), revision);
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
WatchSet::Id WatchSet::TakePending(Id id) {
  if (pending_.empty()) return id;
  auto found = std::find(pending_.begin(), pending_.end(), id);
  if (found == pending_.end()) found = pending_.begin();
  const Id taken = *found;
  pending_.erase(found);
  return taken;
}

WatchSet::Watch* WatchSet::Find(Id id) {
  const auto found = watches_.find(id);
  return found == watches_.end() ? nullptr : &found->second;
}

}  // namespace turnout::etcd
