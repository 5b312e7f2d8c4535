#include "tests/support/follower.h"

#include <gtest/gtest.h>

#include <utility>

#include "tests/support/process.h"

namespace turnout::testing {

Follower::Follower(const std::string& etcd, const std::string& service)
    : Follower(RegistryOptions{.endpoints = {etcd}}, service) {}

Follower::Follower(const RegistryOptions& registry, const std::string& service) {
  WatchCallbacks callbacks;
  callbacks.on_snapshot = [this](SnapshotPtr snapshot) {
    const std::lock_guard<std::mutex> lock(mutex_);
    snapshots_.push_back(std::move(snapshot));
    changed_.notify_all();
  };
  callbacks.on_error = [this](const absl::Status& error) {
    const std::lock_guard<std::mutex> lock(mutex_);
    error_ = error;
    changed_.notify_all();
  };
  auto subscription = Watch(service, registry, std::move(callbacks));
  if (subscription.ok()) {
    subscription_ = *std::move(subscription);
  } else {
    ADD_FAILURE() << subscription.status();
  }
}

SnapshotPtr Follower::WaitFor(const std::function<bool(const Snapshot&)>& wanted) {
  std::unique_lock<std::mutex> lock(mutex_);
  std::size_t next = snapshots_.empty() ? 0 : snapshots_.size() - 1;
  SnapshotPtr found;
  const auto look = [&] {
    for (; next < snapshots_.size(); ++next) {
      if (!wanted(*snapshots_[next])) continue;
      found = snapshots_[next];
      return true;
    }
    return false;
  };
  if (!changed_.wait_for(lock, kPatience, look)) {
    ADD_FAILURE() << "no such snapshot; the newest: "
                  << (snapshots_.empty() ? "none" : Describe(*snapshots_.back())) << "; " << error_;
  }
  return found;
}

SnapshotPtr Follower::WaitForCount(std::size_t members) {
  return WaitFor([=](const Snapshot& snapshot) { return snapshot.members.size() == members; });
}

absl::Status Follower::WaitForError() {
  std::unique_lock<std::mutex> lock(mutex_);
  EXPECT_TRUE(changed_.wait_for(lock, kPatience, [&] { return !error_.ok(); })) << "no error";
  return error_;
}

std::vector<SnapshotPtr> Follower::snapshots() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return snapshots_;
}

std::string Describe(const Snapshot& snapshot) {
  std::string text = "at " + std::to_string(snapshot.revision);
  for (const Member& member : snapshot.members) {
    text += ", " + member.instance->id + " " + member.instance->version + " " +
            member.instance->address() + " " + std::string(ToString(member.status));
  }
  return text;
}

const Member* FindMember(const Snapshot& snapshot, const std::string& id) {
  for (const Member& member : snapshot.members) {
    if (member.instance->id == id) return &member;
  }
  return nullptr;
}

}  // namespace turnout::testing
