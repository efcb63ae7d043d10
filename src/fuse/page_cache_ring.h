// SPDX-License-Identifier: MIT
// PageCacheRing: a ring that its client has as pages of the page cache, without passthrough.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "fuse/page_cache.h"
#include "queue/watch_queue.h"

namespace watchq {

/// The queue's own ring lies in memory of ours. Records that were posted are held back until the
/// client's indices have been fetched; then they are written there, and what changed is stored into
/// the pages: the records first, then head. One such round at a time; what comes meanwhile goes
/// with the next.
///
/// A page that the kernel has dropped is asked for again. It is answered with no later head than
/// has been stored: the records before it are there. On the serving thread.
class PageCacheRing : public std::enable_shared_from_this<PageCacheRing> {
 public:
  using Done = PageStore::Done;

  /// What a client sees of its indices.
  struct View {
    bool readable;
    bool broken;
  };

  /// `cache` and `queue` outlive this. `on_published` is called after each round that brought
  /// records.
  PageCacheRing(PageStore& cache, WatchQueue& queue, uid_t owner, fuse_ino_t node,
                Done on_published);

  /// Shows the ring that the queue has just been given. `done` when it can be mapped.
  void create(Done done);

  /// Delivers what the queue holds back. `done` when the client sees it.
  void deliver(Done done = nullptr);

  /// Looks at the ring as the client sees it.
  void look(std::function<void(View)> then);

  /// What a page that is asked for contains.
  [[nodiscard]] std::vector<std::byte> read(std::size_t size, std::uint64_t offset);

  /// A page that the client changed comes back.
  void written_back(std::span<const std::byte> bytes, std::uint64_t offset);

 private:
  struct Indices {
    std::uint32_t head;
    std::uint32_t tail;
  };

  void begin_round();
  void write_held(std::span<const std::byte> metadata);
  void store(bool with_first_page);
  void stored();
  void end_round();
  [[nodiscard]] Indices indices_in(std::span<const std::byte> metadata) const;
  void add_pieces(std::vector<PageStore::Piece>& pieces, std::size_t from, std::size_t to) const;
  /// What lies between two heads, by whether it is in the first page.
  [[nodiscard]] std::vector<PageStore::Piece> written(std::uint32_t from, std::uint32_t to) const;

  PageStore& cache_;
  WatchQueue& queue_;
  const uid_t owner_;
  const fuse_ino_t node_;
  Done on_published_;
  std::uint32_t shown_head_;  // the head that has been stored
  bool in_round_ = false;
  bool first_page_read_ = false;  // since the round began
  bool wanted_ = false;           // another round
  std::vector<Done> waiting_;     // for the end of the next round
  std::vector<Done> served_;      // by this round
};

}  // namespace watchq
