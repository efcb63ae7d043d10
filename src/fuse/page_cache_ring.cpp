// SPDX-License-Identifier: MIT
#include "fuse/page_cache_ring.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "queue/ring_layout.h"

namespace watchq {
namespace {

constexpr std::size_t kHeadOffset = offsetof(watch_queue_buffer, meta.head);
constexpr std::size_t kTailOffset = offsetof(watch_queue_buffer, meta.tail);

std::size_t page_size() {
  static const auto kSize = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return kSize;
}

std::uint32_t word_at(std::span<const std::byte> bytes, std::size_t offset) {
  std::uint32_t word = 0;
  std::memcpy(&word, bytes.data() + offset, sizeof word);
  return word;
}

void set_word(std::span<std::byte> bytes, std::size_t offset, std::uint32_t word) {
  std::memcpy(bytes.data() + offset, &word, sizeof word);
}

}  // namespace

PageCacheRing::PageCacheRing(PageStore& cache, WatchQueue& queue, uid_t owner, fuse_ino_t node,
                             Done on_published)
    : cache_(cache),
      queue_(queue),
      owner_(owner),
      node_(node),
      on_published_(std::move(on_published)),
      shown_head_(kMetaSlots) {}

void PageCacheRing::create(Done done) {
  // The first page for its indices, the last because what is stored gives the file its size. Those
  // between are asked for when they are touched.
  std::vector<PageStore::Piece> pieces;
  const std::size_t size = queue_.memory().size();
  const std::size_t page = std::min(page_size(), size);
  add_pieces(pieces, 0, page);
  if (size > page) add_pieces(pieces, size - page, size);
  in_round_ = true;
  served_.push_back(std::move(done));
  cache_.store(owner_, node_, std::move(pieces), [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->end_round();
  });
}

void PageCacheRing::deliver(Done done) {
  if (done) waiting_.push_back(std::move(done));
  wanted_ = true;
  if (!in_round_) begin_round();
}

void PageCacheRing::begin_round() {
  in_round_ = true;
  wanted_ = false;
  first_page_read_ = false;
  cache_.retrieve(node_, sizeof(watch_queue_buffer),
                  [weak = weak_from_this()](std::span<const std::byte> metadata) {
                    if (const auto self = weak.lock()) self->write_held(metadata);
                  });
}

void PageCacheRing::write_held(std::span<const std::byte> metadata) {
  // Whoever asked for a delivery until now is served by this round.
  served_ = std::exchange(waiting_, {});
  wanted_ = false;
  const Indices client = indices_in(metadata);
  set_word(queue_.memory(), kHeadOffset, client.head);
  set_word(queue_.memory(), kTailOffset, client.tail);
  queue_.release();
  if (queue_.head() == shown_head_) return end_round();
  store(!metadata.empty());
}

void PageCacheRing::store(bool with_first_page) {
  std::vector<PageStore::Piece> pieces = written(shown_head_, queue_.head());
  if (with_first_page) {
    // Last: who sees it must find the records.
    PageStore::Piece head{kHeadOffset, std::vector<std::byte>(sizeof(std::uint32_t))};
    set_word(head.bytes, 0, queue_.head());
    pieces.push_back(std::move(head));
  } else {
    // Storing into a page that is not there would make one of which nothing else is known.
    std::erase_if(pieces, [](const PageStore::Piece& piece) { return piece.offset < page_size(); });
  }
  cache_.store(owner_, node_, std::move(pieces), [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->stored();
  });
}

void PageCacheRing::stored() {
  if (std::exchange(first_page_read_, false)) {
    // The kernel dropped the first page and asked for it, and was told the head of before.
    store(true);
    return;
  }
  shown_head_ = queue_.head();
  on_published_();
  end_round();
}

void PageCacheRing::end_round() {
  in_round_ = false;
  for (const Done& done : std::exchange(served_, {})) done();
  if (wanted_ && !in_round_) begin_round();
}

void PageCacheRing::look(std::function<void(View)> then) {
  cache_.retrieve(
      node_, sizeof(watch_queue_buffer),
      [weak = weak_from_this(), then = std::move(then)](std::span<const std::byte> metadata) {
        const auto self = weak.lock();
        if (!self) return;
        const Indices client = self->indices_in(metadata);
        const std::size_t slots = self->queue_.memory().size() / kSlotBytes;
        then({client.head != client.tail,
              !plausible_indices(static_cast<std::uint32_t>(slots), client.head, client.tail)});
      });
}

std::vector<std::byte> PageCacheRing::read(std::size_t size, std::uint64_t offset) {
  const std::span<const std::byte> memory = queue_.memory();
  const std::size_t start = std::min<std::uint64_t>(offset, memory.size());
  const auto part = memory.subspan(start, std::min(size, memory.size() - start));
  std::vector<std::byte> bytes(part.begin(), part.end());
  if (start == 0 && bytes.size() >= sizeof(watch_queue_buffer)) {
    set_word(bytes, kHeadOffset, shown_head_);
    first_page_read_ = true;
  }
  return bytes;
}

void PageCacheRing::written_back(std::span<const std::byte> bytes, std::uint64_t offset) {
  const bool has_tail =
      offset <= kTailOffset && offset + bytes.size() >= kTailOffset + sizeof(std::uint32_t);
  if (has_tail && queue_.has_ring()) {
    set_word(queue_.memory(), kTailOffset, word_at(bytes, kTailOffset - offset));
  }
}

PageCacheRing::Indices PageCacheRing::indices_in(std::span<const std::byte> metadata) const {
  // A page that is not there will be what read() gives.
  if (metadata.size() < sizeof(watch_queue_buffer)) {
    return {shown_head_, word_at(queue_.memory(), kTailOffset)};
  }
  return {word_at(metadata, kHeadOffset), word_at(metadata, kTailOffset)};
}

void PageCacheRing::add_pieces(std::vector<PageStore::Piece>& pieces, std::size_t from,
                               std::size_t to) const {
  const std::span<const std::byte> memory = queue_.memory();
  while (from < to) {
    const std::size_t end = std::min(to, (from / page_size() + 1) * page_size());
    const auto part = memory.subspan(from, end - from);
    pieces.push_back({from, std::vector<std::byte>(part.begin(), part.end())});
    from = end;
  }
}

std::vector<PageStore::Piece> PageCacheRing::written(std::uint32_t from, std::uint32_t to) const {
  std::vector<PageStore::Piece> pieces;
  const std::size_t slots = queue_.memory().size() / kSlotBytes;
  const std::size_t start = from & (slots - 1);
  const std::size_t end = start + (to - from);
  // Never the metadata: the client's tail is there.
  const auto add = [&](std::size_t first, std::size_t last) {
    add_pieces(pieces, std::max<std::size_t>(first, kMetaSlots) * kSlotBytes, last * kSlotBytes);
  };
  add(start, std::min(end, slots));
  if (end > slots) add(0, end - slots);
  return pieces;
}

}  // namespace watchq
