// SPDX-License-Identifier: MIT
#include "daemon/daemon.h"

#include <spdlog/spdlog.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "base/close_aside.h"
#include "base/mapping_guard.h"
#include "daemon/limit_report.h"
#include "daemon/metrics.h"
#include "daemon/mount_files.h"
#include "daemon/service_manager.h"
#include "daemon/superblock_files.h"
#include "dispatch/dispatcher.h"
#include "fuse/filesystem.h"
#include "fuse/mount_point.h"
#include "fuse/session.h"
#include "kernel/confinement.h"
#include "kernel/descriptor_limit.h"
#include "kernel/key_rights.h"
#include "source/error_merger.h"
#include "source/key_source.h"
#include "source/mount_source.h"
#include "source/network_detector.h"
#include "source/quota_detector.h"
#include "source/space_detector.h"
#include "source/superblock_errors.h"
#include "source/superblock_readonly.h"
#include "source/superblock_source.h"
#include "source/superblock_traces.h"
#include "version.h"

namespace watchq {
namespace {

nlohmann::ordered_json describe(const KeySource& keys) {
  nlohmann::ordered_json source = {{"backend", keys.in_use().backend}, {"watched", keys.watched()}};
  if (!keys.in_use().why.empty()) source["why_no_better"] = keys.in_use().why;
  return source;
}

class Daemon {
 public:
  Daemon(const std::string& path, const Config& config, const std::string& key_obstacle)
      : config_(config),
        most_files_(give_up_rights()),
        io_(1),
        signals_(io_, SIGTERM, SIGINT),
        hang_up_(io_, SIGHUP),
        alive_(io_),
        mounts_(io_, config.mount_backend, config_.mounts),
        superblocks_(io_),
        error_merger_(io_, superblocks_.sink()),
        watch_limits_{make_limit("watches", config_.limits.watches, ENOSPC),
                      make_limit("probes", config_.limits.probes, EMFILE)},
        keys_(io_, config_.keys, key_obstacle),
        dispatcher_(mounts_, superblocks_, keys_, io_, watch_limits_),
        mount_files_(io_, mounts_, dispatcher_),
        superblock_files_(mount_files_, superblocks_),
        limits_{config_.limits.max_ring_pages, make_limit("queues", config_.limits.queues, EMFILE),
                make_limit("pages of rings", config_.limits.pages, ENOSPC),
                make_limit("open files of text", config_.limits.texts, EMFILE)},
        stream_limits_{config_.streams.buffer_bytes,
                       make_limit("streams of events", config_.streams.streams, EMFILE)},
        files_(io_, dispatcher_, mount_files_, superblock_files_, limits_, stream_limits_,
               {config_.limits.calls, refusal_log("calls that wait for their callers")},
               config.transport,
               {[this](const Peer& reader) { return status(reader); },
                [this] { return metrics_text(); }}),
        mount_point_(path,
                     config.for_own_user ? MountPoint::For::owner : MountPoint::For::everybody),
        session_(
            io_, mount_point_.take_device(), files_, [this] { ready(); }, [this] { unmounted(); }) {
    if (mount_point_.replaced_dead_mount()) {
      spdlog::warn("{}: replaced the dead mount of a watchqd that crashed", path);
    }
    auto readonly = std::make_unique<SuperblockReadonly>(superblocks_.sink());
    superblocks_.add(std::make_unique<SuperblockErrors>(io_, superblocks_.examiner(), error_merger_,
                                                        *readonly, superblocks_.sink()));
    superblocks_.add(std::make_unique<SuperblockTraces>(io_, error_merger_, superblocks_.sink()));
    superblocks_.add(std::move(readonly));
    add_space_detectors();
    signals_.async_wait([this](const boost::system::error_code& error, int) {
      if (error) return;
      notify_stopping();
      files_.shut_down([this] { io_.stop(); });
    });
    wait_for_hang_up();
    confine();
  }

  ~Daemon() {
    files_.shut_down([] {});
  }

  void run() {
    while (io_.run_one() != 0) files_.wake_readers();
  }

 private:
  /// What watches space, servers and quotas.
  void add_space_detectors() {
    SuperblockSink& sink = superblocks_.sink();
    superblocks_.add(std::make_unique<SpaceDetector>(io_, config_.space, sink, space_counters_));
    superblocks_.add(
        std::make_unique<NetworkDetector>(io_, config_.network, sink, network_counters_));
    superblocks_.add(std::make_unique<QuotaDetector>(io_, sink));
  }

  /// Tells the service manager again and again that this thread serves: it does when what is due
  /// here runs.
  void prove_liveness(std::chrono::microseconds within) {
    if (within == std::chrono::microseconds::zero()) return;
    notify_alive();
    alive_.expires_after(within / 3);
    alive_.async_wait([this, within](const boost::system::error_code& error) {
      if (!error) prove_liveness(within);
    });
  }

  void wait_for_hang_up() {
    hang_up_.async_wait([this](const boost::system::error_code& error, int) {
      if (error) return;
      reload();
      wait_for_hang_up();
    });
  }

  /// Takes over what the configuration file says by now, or nothing of it.
  void reload() {
    if (config_.path.empty()) {
      spdlog::warn("SIGHUP: there is no --config to be read again");
      return;
    }
    try {
      const auto changes = update_config(config_, read_config(config_.path));
      for (const std::string& change : changes) spdlog::info("{}: {}", config_.path, change);
    } catch (const std::exception& error) {
      spdlog::error("{}; all settings stay as they were", error.what());
      return;
    }
    apply_limits();
    spdlog::info("{} has been read again", config_.path);
  }

  /// What users hold beyond a lower limit they keep.
  void apply_limits() {
    const LimitOptions& most = config_.limits;
    limits_.max_ring_pages = most.max_ring_pages;
    limits_.queues.set_most(most.queues);
    limits_.pages.set_most(most.pages);
    limits_.texts.set_most(most.texts);
    stream_limits_.streams.set_most(config_.streams.streams);
    stream_limits_.buffer_bytes = config_.streams.buffer_bytes;
    watch_limits_.watches.set_most(most.watches);
    watch_limits_.probes.set_most(most.probes);
    files_.patient_calls().set_limits(most.calls);
    compare_limits();
  }

  void compare_limits() const {
    if (most_files_ < limits_.queues.most().in_all) {
      spdlog::warn("RLIMIT_NOFILE cannot be raised beyond {}: max_queues may not be reached",
                   most_files_);
    }
  }

  void ready() {
    if (files_.transport().transport == Transport::pagecache) {
      spdlog::info("rings are shared through the page cache: {}", files_.transport().why);
    }
    compare_limits();
    spdlog::info("ready on {}", mount_point_.path());
    notify_ready();
    prove_liveness(watchdog_time());
  }

  void unmounted() {
    spdlog::info("{} was unmounted: done", mount_point_.path());
    io_.stop();
  }

  /// All numbers, for `status` and `metrics`.
  std::vector<Metric> metrics() const {
    constexpr MetricKind kCounter = MetricKind::counter;
    constexpr MetricKind kGauge = MetricKind::gauge;
    const MountCounters& mounts = mounts_.counters();
    const Filesystem::Totals records = files_.totals();
    const EventFiles::Totals events = files_.events().totals();
    return {
        {"queues", "Open queues", kGauge, files_.queues()},
        {"streams", "Open files of events and events.json", kGauge, files_.events().size()},
        {"watches", "Watches of all queues and streams", kGauge, dispatcher_.watches()},
        {"records_posted", "Records written into rings", kCounter, records.posted},
        {"records_lost", "Records that did not fit into rings", kCounter, records.lost},
        {"events_told", "Events that streams were told", kCounter, events.told},
        {"events_lost", "Events that streams lost", kCounter, events.lost},
        {"mount_changes", "Mount events taken from the kernel", kCounter, mounts.changes},
        {"mount_overflows", "Times the kernel dropped mount events", kCounter, mounts.overflows},
        {"mount_looks", "Times all mounts of a namespace were compared", kCounter, mounts.looks},
        {"space_looks", "Times a filesystem said how much is free", kCounter,
         space_counters_.looks},
        {"space_abandoned", "Times a filesystem did not say so in time", kCounter,
         space_counters_.abandoned},
        {"network_answers", "Answers of servers of filesystems", kCounter,
         network_counters_.answers},
        {"network_silences", "Times such a server fell silent", kCounter,
         network_counters_.silences},
        {"key_events", "Events of keys taken from the kernel", kCounter, keys_.counters().events},
        {"key_changes_found", "Changes of keys found by looking", kCounter, keys_.counters().found},
        {"key_looks", "Times keys were looked at", kCounter, keys_.counters().looks},
        {"key_losses", "Times events of keys were lost", kCounter, keys_.counters().losses},
    };
  }

  nlohmann::ordered_json describe_counters() const {
    nlohmann::ordered_json counters;
    for (const Metric& metric : metrics()) counters[metric.name] = metric.value;
    return counters;
  }

  std::string metrics_text() const {
    MetricsText text;
    text.begin("build_info", "What runs here; always 1", MetricKind::gauge);
    text.sample({{"version", WATCHQ_VERSION},
                 {"transport", name_of(files_.transport().transport)},
                 {"mount_backend", mounts_.in_use().backend}},
                1);
    for (const Metric& metric : metrics()) text.add(metric);
    const std::pair<const char*, const UserLimit*> limits[] = {
        {"queues", &limits_.queues},       {"pages", &limits_.pages},
        {"texts", &limits_.texts},         {"watches", &watch_limits_.watches},
        {"probes", &watch_limits_.probes}, {"streams", &stream_limits_.streams}};
    text.begin("limit_held", "What all users together hold of what is limited", MetricKind::gauge);
    for (const auto& [name, limit] : limits) text.sample({{"limit", name}}, limit->held());
    text.begin("limit_most", "What they may hold", MetricKind::gauge);
    for (const auto& [name, limit] : limits) text.sample({{"limit", name}}, limit->most().in_all);
    text.begin("limit_refusals", "Times that more was refused", MetricKind::counter);
    for (const auto& [name, limit] : limits) text.sample({{"limit", name}}, limit->refusals());
    return text.text();
  }

  std::string status(const Peer& reader) {
    const MountSource::InUse& in_use = mounts_.in_use();
    nlohmann::ordered_json mount_source = {{"backend", in_use.backend},
                                           {"namespaces", mounts_.namespaces()}};
    if (!in_use.why.empty()) mount_source["why_no_better"] = in_use.why;
    nlohmann::ordered_json document = {
        {"version", WATCHQ_VERSION},
        {"mount_point", mount_point_.path()},
        {"transport", name_of(files_.transport().transport)},
        {"sources",
         {{"mounts", mount_source},
          {"superblocks", {{"watched", superblock_files_.describe_watched(reader)}}},
          {"keys", describe(keys_)}}},
        {"limits", describe_limits()},
        {"counters", describe_counters()},
    };
    if (!files_.transport().why.empty())
      document["transport_why_no_better"] = files_.transport().why;
    return document.dump(2) + "\n";
  }

  nlohmann::ordered_json describe_limits() {
    const PatientCalls::Limits most = files_.patient_calls().limits();
    const PatientCalls::Counters calls = files_.patient_calls().counters();
    return {{"queues", describe(limits_.queues)},
            {"pages", describe(limits_.pages)},
            {"watches", describe(watch_limits_.watches)},
            {"probes", describe(watch_limits_.probes)},
            {"texts", describe(limits_.texts)},
            {"streams", describe(stream_limits_.streams)},
            {"calls",
             {{"held", calls.running},
              {"waiting", calls.waiting},
              {"per_user", most.calls.per_user},
              {"in_all", most.calls.in_all},
              {"waiting_per_user", most.max_waiting_per_user},
              {"refusals", calls.refusals}}}};
  }

  /// Before there are threads: each has its own.
  [[nodiscard]] std::uint64_t give_up_rights() const {
    // What this may do to the limit goes with the capabilities.
    const std::uint64_t files = raise_descriptor_limit();
    keep_needed_capabilities();
    // Who mounts by fusermount3 lets that gain the rights that we do not have.
    if (!config_.for_own_user) forbid_new_privileges();
    return files;
  }

  /// Once all is set up. Who has mounted by fusermount3 unmounts by it, too.
  void confine() {
    start_closing_aside();
    install_mapping_guard();
    forbid_core_dumps();
    if (mount_point_.by_fusermount()) return;
    if (config_.for_own_user) forbid_new_privileges();
    restrict_calls();
  }

  Config config_;
  std::uint64_t most_files_;
  boost::asio::io_context io_;
  boost::asio::signal_set signals_;
  boost::asio::signal_set hang_up_;
  boost::asio::steady_timer alive_;
  MountSource mounts_;
  SpaceDetector::Counters space_counters_;
  NetworkDetector::Counters network_counters_;
  SuperblockSource superblocks_;
  ErrorMerger error_merger_;
  WatchLimits watch_limits_;
  KeySource keys_;
  Dispatcher dispatcher_;
  MountFiles mount_files_;
  SuperblockFiles superblock_files_;
  QueueLimits limits_;
  StreamLimits stream_limits_;
  Filesystem files_;
  MountPoint mount_point_;
  FuseSession session_;
};

}  // namespace

void run_daemon(const std::string& mount_point, const Config& config) {
  // While there is one thread: the others get it from this one. Where there are no keys, or a
  // container forbids them, all else works.
  std::string key_obstacle;
  try {
    leave_session_keyring();
  } catch (const std::system_error& error) {
    key_obstacle = error.what();
  }
  Daemon(mount_point, config, key_obstacle).run();
}

}  // namespace watchq
