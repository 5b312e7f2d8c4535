// libFuzzer's target: whatever an etcd answers to watches, and whatever becomes of its streams,
// each observer is told every event once and in order, or that it has to read all anew.
//
// An input is a script, one step after another: a letter, and the bytes that it takes.
//   a R      add a watch from revision R            o        the stream has opened
//   d W      remove a watch                         b / q    it has broken / was replaced
//   m        ask for the watches that lack          c W R    the watch is created, etcd is at R
//   D        the next events remove their watch     e W R F K…  events: F bit 0: more parts follow,
//   x W R    the watch is cancelled, compacted at R             F>>1 events, each at K
//   n W R    the cluster is at R (0: no answer)     w W      why the watch was refused
//   p L …    L bytes of a serialised WatchResponse
// W is a watch's number modulo 4; R and K are signed, and relative to the newest revision so far.
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fuzz/check.h"
#include "src/etcd/watch_set.h"

namespace turnout::etcd {
namespace {

using fuzz::Check;

class Script {
 public:
  explicit Script(std::string_view text) : rest_(text) {}
  bool over() const { return rest_.empty(); }
  // 0 once it is over.
  unsigned char Byte() { return static_cast<unsigned char>(Bytes(1).append(1, '\0').front()); }
  std::string Bytes(std::size_t count) {
    std::string taken(rest_.substr(0, count));
    rest_.remove_prefix(taken.size());
    return taken;
  }

 private:
  std::string_view rest_;
};

// What a caller of WatchSet may rely on, checked while a script runs.
class Run final : private WatchSet::Host {
 public:
  explicit Run(std::string_view script) : script_(script), set_(*this) {}
  void Steps() {
    while (!script_.over()) Step(static_cast<char>(script_.Byte()));
    Check(set_.empty() == watches_.empty(), "holds other watches than were added");
  }

 private:
  class Watch final : public Client::WatchObserver {
   public:
    Watch(Run& run, Revision start) : run_(run), next_(start) {}
    void Named(WatchSet::Id id) { id_ = id; }
    Revision next() const { return next_; }

    void OnEvents(std::vector<Event> events, Revision revision) override {
      Check(!interrupted_, "events of an interrupted watch");
      Check(!events.empty() && events.back().kv.mod_revision == revision,
            "another revision than that of the last event");
      for (const Event& event : events) {
        Check(event.kv.mod_revision >= next_, "an event again, or before one that was later");
        newest_ = std::max(newest_, event.kv.mod_revision);
        Check(event.kv.mod_revision == newest_, "events out of order");
      }
      next_ = revision + 1;
      if (std::exchange(run_.remove_next_, false)) run_.Remove(id_);
    }
    void OnCompacted(Revision /*revision*/) override { run_.watches_.erase(id_); }
    void OnInterrupted(const absl::Status& why) override {
      Check(!why.ok(), "interrupted by nothing");
      Check(!std::exchange(interrupted_, true), "interrupted twice");
    }
    void OnResumed() override { interrupted_ = false; }

   private:
    Run& run_;
    WatchSet::Id id_ = 0;
    Revision next_;  // what it has not been told yet begins here
    Revision newest_ = 0;
    bool interrupted_ = false;
  };

  void Send(etcdpb::WatchRequest request) override {
    Check(open_, "a request without a stream");
    if (request.has_cancel_request()) {
      Check(asked_.erase(request.cancel_request().watch_id()) == 1,
            "cancels what it has not asked for");
      return;
    }
    const etcdpb::WatchCreateRequest& create = request.create_request();
    Check(asked_.insert(create.watch_id()).second, "asks for a watch twice");
    const auto watch = watches_.find(create.watch_id());
    // While it is being added, nobody knows its number.
    const Revision next = watch == watches_.end() ? adding_ : watch->second->next();
    Check(create.start_revision() == next, "leaves out events, or asks for some again");
  }
  void RetryLater() override {}
  void AskWhyRefused(WatchSet::Id id, const std::string& /*prefix*/,
                     const absl::Status& why) override {
    Check(!why.ok(), "refused by nothing");
    asked_.erase(id);
  }
  void AskNewestRevision(WatchSet::Id id, const std::string& /*key*/) override {
    Check(watches_.contains(id), "asks for a watch that is not there");
    asked_newest_.insert(id);
  }

  void Step(char letter) {
    switch (letter) {
      case 'a':
        return Add();
      case 'd':
        return Remove(AnyWatch());
      case 'm':
        return set_.CreateMissing();
      case 'D':
        remove_next_ = true;
        return;
      case 'o':
        return Open();
      case 'b':
        return Broken();
      case 'q':
        return Replaced();
      case 'c':
        return Created();
      case 'e':
        return Events();
      case 'x':
        return Canceled();
      case 'n':
        return Newest();
      case 'w':
        return set_.OnRefused(AnyWatch(), absl::PermissionDeniedError("no"));
      case 'p':
        return Serialised();
      default:
        return;
    }
  }

  void Add() {
    if (watches_.size() == 4) return;
    adding_ = std::max<Revision>(AnyRevision(), 1);
    auto watch = std::make_unique<Watch>(*this, adding_);
    Watch& added = *watch;
    const WatchSet::Id id = set_.Add("/a/", adding_, &added);
    added.Named(id);
    watches_.emplace(id, std::move(watch));
  }

  void Remove(WatchSet::Id id) {
    set_.Remove(id);
    // It may be telling just now.
    if (const auto found = watches_.extract(id)) removed_.push_back(std::move(found.mapped()));
  }

  void Open() {
    if (open_) return;
    open_ = true;
    set_.OnStreamOpened();
  }
  void Broken() {
    Close();
    set_.OnStreamBroken(absl::UnavailableError("broken"));
  }
  void Replaced() {
    Close();
    set_.OnStreamReplaced();
  }
  void Close() {
    open_ = false;
    asked_.clear();
  }

  void Created() {
    etcdpb::WatchResponse response = Response();
    response.set_created(true);
    set_.OnResponse(std::move(response));
  }
  void Canceled() {
    etcdpb::WatchResponse response = Response();
    response.set_canceled(true);
    response.set_compact_revision(std::max<Revision>(AnyRevision(), 0));
    response.set_created(script_.Byte() % 2 == 1);
    Receive(std::move(response));
  }
  void Events() {
    etcdpb::WatchResponse response = Response();
    const unsigned flags = script_.Byte();
    response.set_fragment(flags % 2 == 1);
    for (unsigned count = flags >> 1; count > 0 && !script_.over(); --count) {
      etcdpb::Event& event = *response.add_events();
      event.set_type(count % 2 == 0 ? etcdpb::Event::PUT : etcdpb::Event::DELETE);
      event.mutable_kv()->set_key("/a/1");
      event.mutable_kv()->set_mod_revision(AnyRevision());
    }
    Receive(std::move(response));
  }
  void Newest() {
    const WatchSet::Id id = AnyWatch();
    const Revision revision = AnyRevision();
    if (asked_newest_.erase(id) == 0) return;
    if (revision == 0) return set_.OnNewestRevision(id, absl::UnavailableError("no answer"));
    set_.OnNewestRevision(id, revision);
  }
  void Serialised() {
    const std::string bytes = script_.Bytes(script_.Byte());
    etcdpb::WatchResponse response;
    if (response.ParseFromString(bytes)) Receive(std::move(response));
  }

  void Receive(etcdpb::WatchResponse response) {
    if (open_) set_.OnResponse(std::move(response));
  }

  etcdpb::WatchResponse Response() {
    etcdpb::WatchResponse response;
    response.set_watch_id(AnyWatch());
    newest_ = AnyRevision();
    response.mutable_header()->set_revision(newest_);
    return response;
  }

  // One of the last four that were added, or one that never was.
  WatchSet::Id AnyWatch() {
    const unsigned number = script_.Byte() % 4;
    auto watch = watches_.begin();
    for (unsigned i = 0; i < number && watch != watches_.end(); ++i) ++watch;
    return watch == watches_.end() ? number : watch->first;
  }
  Revision AnyRevision() { return newest_ + static_cast<signed char>(script_.Byte()); }

  Script script_;
  WatchSet set_;
  std::map<WatchSet::Id, std::unique_ptr<Watch>> watches_;
  std::vector<std::unique_ptr<Watch>> removed_;
  std::set<WatchSet::Id> asked_;  // for on this stream, and not cancelled
  std::set<WatchSet::Id> asked_newest_;
  Revision adding_ = 0;
  Revision newest_ = 0;
  bool open_ = false;
  bool remove_next_ = false;
};

}  // namespace
}  // namespace turnout::etcd

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  turnout::etcd::Run({reinterpret_cast<const char*>(data), size}).Steps();
  return 0;
}
