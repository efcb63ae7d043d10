// SPDX-License-Identifier: MIT
// PageCacheRing over a page cache that does what the test says, when it says so: pages that the
// kernel drops and asks for at the worst moments.
#include "fuse/page_cache_ring.h"

#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <optional>

#include "support/ring_memory.h"

namespace watchq {
namespace {

constexpr std::size_t kSize = 8192;

class Pages final : public PageStore {
 public:
  struct Store {
    std::vector<Piece> pieces;
    Done done;
  };

  void retrieve(fuse_ino_t, std::size_t, Retrieved then) override {
    asked.push_back(std::move(then));
  }
  void store(uid_t, fuse_ino_t, std::vector<Piece> pieces, Done done) override {
    stores.push_back({std::move(pieces), std::move(done)});
  }

  /// Answers the fetching of the metadata: a page with these indices, or no page.
  void answer(std::optional<std::pair<std::uint32_t, std::uint32_t>> head_and_tail) {
    ASSERT_EQ(asked.size(), 1u);
    const Retrieved then = std::move(asked.front());
    asked.clear();
    std::vector<std::byte> bytes(head_and_tail ? sizeof(watch_queue_buffer) : 0);
    if (head_and_tail) {
      std::memcpy(&bytes[8], &head_and_tail->first, 4);
      std::memcpy(&bytes[12], &head_and_tail->second, 4);
    }
    then(bytes);
  }

  /// Ends the storing that is under way and returns what was stored.
  std::vector<Piece> finish() {
    if (stores.size() != 1) return {};
    const Store store = std::move(stores.front());
    stores.clear();
    store.done();
    return store.pieces;
  }

  std::vector<Retrieved> asked;
  std::vector<Store> stores;
};

class PageCacheRingTest : public ::testing::Test {
 protected:
  PageCacheRingTest() {
    queue.hold_back();
    queue.set_ring(Mapping::anonymous(kSize));
    ring->create([] {});
    pages.finish();
  }

  void post(std::uint32_t slots) {
    queue.post(make_record(slots));
    ring->deliver();
  }

  /// The head in the first page as the kernel would read it now.
  std::uint32_t head_if_read() {
    std::uint32_t head = 0;
    std::memcpy(&head, &ring->read(4096, 0)[8], sizeof head);
    return head;
  }

  static bool is_head(const PageStore::Piece& piece, std::uint32_t head) {
    return piece.offset == 8 && piece.bytes.size() == 4 &&
           std::memcmp(piece.bytes.data(), &head, 4) == 0;
  }

  Pages pages;
  int published = 0;
  WatchQueue queue{[] {}};
  std::shared_ptr<PageCacheRing> ring =
      std::make_shared<PageCacheRing>(pages, queue, 0, 7, [this] { ++published; });
};

TEST_F(PageCacheRingTest, StoresTheRecordsAndThenTheHead) {
  post(2);
  pages.answer({{3, 3}});
  EXPECT_EQ(published, 0);
  const auto stored = pages.finish();
  ASSERT_EQ(stored.size(), 2u);
  EXPECT_EQ(stored[0].offset, 24u);
  EXPECT_EQ(stored[0].bytes.size(), 16u);
  EXPECT_TRUE(is_head(stored[1], 5));
  EXPECT_EQ(published, 1);
}

TEST_F(PageCacheRingTest, TellsWhoReadsThePageNoHeadWhoseRecordsAreNotStoredYet) {
  post(2);
  pages.answer({{3, 3}});
  EXPECT_EQ(head_if_read(), 3u);
}

TEST_F(PageCacheRingTest, StoresTheHeadAgainWhenThePageWasReadMeanwhile) {
  post(2);
  pages.answer({{3, 3}});
  head_if_read();
  pages.finish();
  EXPECT_EQ(published, 0);
  const auto again = pages.finish();
  ASSERT_FALSE(again.empty());
  EXPECT_TRUE(is_head(again.back(), 5));
  EXPECT_EQ(published, 1);
  EXPECT_EQ(head_if_read(), 5u);
}

TEST_F(PageCacheRingTest, StoresNothingIntoAFirstPageThatIsNotThere) {
  post(2);
  pages.answer(std::nullopt);
  EXPECT_TRUE(pages.finish().empty());
  EXPECT_EQ(published, 1);
  EXPECT_EQ(head_if_read(), 5u);
}

TEST_F(PageCacheRingTest, StoresTheHeadAfterAllWhenThatPageComesBackMeanwhile) {
  post(2);
  pages.answer(std::nullopt);
  EXPECT_EQ(head_if_read(), 3u);
  pages.finish();
  const auto stored = pages.finish();
  ASSERT_FALSE(stored.empty());
  EXPECT_TRUE(is_head(stored.back(), 5));
}

TEST_F(PageCacheRingTest, BelievesTheTailThatCameBackWithAPageThatWasDropped) {
  for (int i = 0; i < 16; ++i) post(63);
  pages.answer({{3, 3}});
  pages.finish();
  ASSERT_EQ(queue.posted(), 16u);
  const std::uint32_t tail = queue.head();
  std::vector<std::byte> page(4096);
  std::memcpy(&page[12], &tail, sizeof tail);
  ring->written_back(page, 0);
  if (pages.asked.empty()) ring->deliver();
  post(63);
  pages.answer(std::nullopt);
  EXPECT_EQ(queue.posted(), 17u);
  EXPECT_EQ(queue.lost(), 0u);
}

TEST_F(PageCacheRingTest, NeverStoresOverTheMetadataButTheHead) {
  std::uint32_t head = 3;
  for (int i = 0; i < 100; ++i) {
    post(63);
    pages.answer({{head, head}});
    for (const PageStore::Piece& piece : pages.finish()) {
      EXPECT_TRUE(piece.offset == 8 ? piece.bytes.size() == 4 : piece.offset >= 24) << piece.offset;
      EXPECT_LE(piece.offset % 4096 + piece.bytes.size(), 4096u);
    }
    head = queue.head();
  }
  EXPECT_EQ(queue.posted(), 100u);
}

}  // namespace
}  // namespace watchq
