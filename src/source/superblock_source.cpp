// SPDX-License-Identifier: MIT
#include "source/superblock_source.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "base/error.h"

namespace watchq {
namespace {

/// How many ends of superblocks that nobody watches are remembered: more than can come while one
/// call that watches is under way.
constexpr std::size_t kEnded = 65536;

}  // namespace

/// Stands between the detectors and the sink, which comes later and wants less.
class SuperblockSource::Relay final : public SuperblockSink {
 public:
  explicit Relay(const SuperblockSource& source) : source_(source) {}

  void set(SuperblockSink& sink) { sink_ = &sink; }

  void on_superblock_event(const SuperblockEvent& event) override {
    if (sink_ != nullptr && source_.find(event.superblock) != nullptr) {
      sink_->on_superblock_event(event);
    }
  }
  void on_superblock_gone(std::uint64_t superblock) override {
    if (sink_ != nullptr) sink_->on_superblock_gone(superblock);
  }
  void on_superblock_loss(std::uint64_t superblock) override {
    if (sink_ != nullptr) sink_->on_superblock_loss(superblock);
  }
  void on_superblock_space(std::uint64_t superblock, const SpaceFigures& figures) override {
    if (sink_ != nullptr) sink_->on_superblock_space(superblock, figures);
  }

 private:
  const SuperblockSource& source_;
  SuperblockSink* sink_ = nullptr;
};

std::optional<std::uint64_t> WatchedSuperblock::mount_in(const MountNamespace& mounts) const {
  const MountTable& table = mounts.table();
  const auto is_on_it = [&](std::uint64_t mount) {
    const Mount* known = table.find(mount);
    return known != nullptr && known->info.device == superblock.device;
  };
  const auto last = mounts_.find(mounts.id());
  if (last != mounts_.end() && is_on_it(last->second)) return last->second;
  const auto all = table.mounts();
  const auto found = std::find_if(all.begin(), all.end(), is_on_it);
  if (found == all.end()) return std::nullopt;
  mounts_[mounts.id()] = *found;
  return *found;
}

SuperblockSource::SuperblockSource(boost::asio::io_context& io)
    : examiner_(std::make_shared<SuperblockExaminer>()),
      trace_wake_(io, examiner_->trace_fd()),
      relay_(std::make_unique<Relay>(*this)) {
  registry_.on_replaced([this](std::uint64_t superblock) { forget(superblock); });
}

SuperblockSource::~SuperblockSource() {
  trace_wake_.release();  // it belongs to the examiner, which may outlive this
}

void SuperblockSource::add(std::unique_ptr<SuperblockDetector> detector) {
  detectors_.push_back(std::move(detector));
}

void SuperblockSource::start(SuperblockSink& sink) {
  relay_->set(sink);
  wait();
}

SuperblockSink& SuperblockSource::sink() { return *relay_; }

void SuperblockSource::wait() {
  trace_wake_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                         [this](const boost::system::error_code& error) {
                           if (error) return;
                           sync();
                           wait();
                         });
}

void SuperblockSource::sync() {
  std::vector<std::uint64_t> gone;
  for (const TraceEnd& end : examiner_->take_ends()) {
    if (end.overflow) {
      const auto live = examiner_->live();
      for (const int trace : registry_.traces()) {
        // Ends that were not dropped are still to be read, and find nothing to end then.
        if (!live.contains(trace)) gone.push_back(registry_.traced(trace));
      }
      continue;
    }
    examiner_->forget(end.trace);
    const std::uint64_t superblock = registry_.traced(end.trace);
    if (superblock == 0) {
      // It may be what somebody is about to watch.
      if (ended_.size() >= kEnded) ended_.clear();
      if (end.unmounted) ended_.insert(end.trace);
    } else if (end.unmounted) {
      gone.push_back(superblock);
    } else {
      // The file alone was deleted: from here on its mounts must do.
      registry_.drop_trace(end.trace);
    }
  }
  for (const std::uint64_t superblock : gone) end(superblock);
}

const Superblock& SuperblockSource::identify(const MountNamespace& mounts, const Mount& mount) {
  return registry_.identify(mounts, mount);
}

void SuperblockSource::watch(std::uint64_t superblock,
                             const std::shared_ptr<MountNamespace>& mounts, std::uint64_t mount,
                             const ExaminedSuperblock& examined, bool probed) {
  const Superblock* known = registry_.find(superblock);
  if (known == nullptr || ended_.contains(examined.trace)) {
    throw RequestError(EIO, "the superblock is going away");
  }
  follow(superblock, examined.trace);
  auto& entry = watched_[superblock];
  const bool is_new = entry == nullptr;
  if (is_new) {
    entry = std::make_unique<Entry>();
    entry->watched.superblock = *known;
  }
  entry->watched.note_mount(*mounts, mount);
  if (probed) ++entry->watched.probers;
  const bool is_more = entry->watched.learn(examined);
  const bool is_new_namespace = ++entry->uses[mounts->id()] == 1;
  if (is_new_namespace) entry->watched.namespaces.push_back(mounts);
  if (!is_new && !is_new_namespace && !is_more) return;
  for (const auto& detector : detectors_) detector->watched(entry->watched);
}

void SuperblockSource::learn(std::uint64_t superblock, const ExaminedSuperblock& examined) {
  const auto found = watched_.find(superblock);
  if (found == watched_.end() || ended_.contains(examined.trace)) return;
  follow(superblock, examined.trace);
  if (!found->second->watched.learn(examined)) return;
  for (const auto& detector : detectors_) detector->watched(found->second->watched);
}

void SuperblockSource::follow(std::uint64_t superblock, int trace) {
  if (trace < 0 || !registry_.set_trace(superblock, trace)) return;
  examiner_->keep(trace);
}

void WatchedSuperblock::note_mount(const MountNamespace& mounts, std::uint64_t mount) {
  mounts_[mounts.id()] = mount;
}

bool WatchedSuperblock::learn(const ExaminedSuperblock& more) {
  examined.local = examined.local || more.local;
  if (more.figures) examined.figures = more.figures;
  if (examined.error_mark != 0 || !more.done) return false;
  const bool is_first = !examined.done;
  examined.done = true;
  examined.error_mark = more.error_mark;
  examined.error_mark_missing = more.error_mark_missing;
  return is_first || examined.error_mark != 0;
}

void SuperblockSource::unwatch(std::uint64_t superblock, const MountNamespace& mounts,
                               bool probed) {
  const auto found = watched_.find(superblock);
  if (found == watched_.end()) return;
  Entry& entry = *found->second;
  if (probed) --entry.watched.probers;
  const auto uses = entry.uses.find(mounts.id());
  if (uses == entry.uses.end() || --uses->second != 0) return;
  entry.uses.erase(uses);
  if (entry.uses.empty()) {
    for (const auto& detector : detectors_) detector->unwatched(superblock);
    watched_.erase(found);
    return;
  }
  std::erase_if(entry.watched.namespaces,
                [&](const auto& followed) { return followed.get() == &mounts; });
}

void SuperblockSource::after_look(const MountNamespace& mounts) {
  // Superblocks that have ended are not to be taken for those that the look shows in their place.
  sync();
  end_untraced();
  for (const auto& detector : detectors_) detector->after_look(mounts);
}

void SuperblockSource::end_untraced() {
  std::vector<std::uint64_t> gone;
  std::vector<std::pair<std::shared_ptr<MountNamespace>, std::uint64_t>> there;
  for (const auto& [id, entry] : watched_) {
    if (registry_.has_trace(id)) continue;
    const std::size_t before = there.size();
    for (const auto& followed : entry->watched.namespaces) {
      if (const auto mount = entry->watched.mount_in(*followed))
        there.emplace_back(followed, *mount);
    }
    if (there.size() == before) gone.push_back(id);
  }
  for (const std::uint64_t superblock : gone) end(superblock);
  // What has its device number may be another: the registry knows, and says so.
  for (const auto& [mounts, mount] : there) {
    registry_.identify(*mounts, *mounts->table().find(mount));
  }
}

void SuperblockSource::end(std::uint64_t superblock) {
  // What it still had to say comes first.
  for (const auto& detector : detectors_) detector->sync();
  const Superblock* known = registry_.find(superblock);
  const std::string device = known != nullptr ? known->device : "";
  registry_.remove(superblock);
  forget(superblock);
  examiner_->errors().gone(device);
}

void SuperblockSource::forget(std::uint64_t superblock) {
  const auto found = watched_.find(superblock);
  if (found == watched_.end()) return;
  for (const auto& detector : detectors_) detector->unwatched(superblock);
  watched_.erase(found);
  relay_->on_superblock_gone(superblock);
}

std::vector<SuperblockEvent> SuperblockSource::present(std::uint64_t superblock) const {
  std::vector<SuperblockEvent> troubles;
  for (const auto& detector : detectors_) {
    const auto more = detector->present(superblock);
    troubles.insert(troubles.end(), more.begin(), more.end());
  }
  return troubles;
}

const WatchedSuperblock* SuperblockSource::find(std::uint64_t superblock) const {
  const auto found = watched_.find(superblock);
  return found == watched_.end() ? nullptr : &found->second->watched;
}

void SuperblockSource::for_each(
    const std::function<void(const WatchedSuperblock&, const std::vector<SuperblockSight>&)>& visit)
    const {
  for (const auto& [id, entry] : watched_) {
    std::vector<SuperblockSight> sights;
    for (const auto& detector : detectors_) {
      const auto more = detector->sights(id);
      sights.insert(sights.end(), more.begin(), more.end());
    }
    visit(entry->watched, sights);
  }
}

std::optional<SpaceFigures> SuperblockSource::space(std::uint64_t superblock) const {
  for (const auto& detector : detectors_) {
    if (auto figures = detector->space(superblock)) return figures;
  }
  return std::nullopt;
}

}  // namespace watchq
