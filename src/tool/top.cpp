// SPDX-License-Identifier: MIT
#include "tool/top.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "tool/command_runner.h"
#include "tool/end_signals.h"
#include "tool/load.h"
#include "tool/render.h"

namespace watchq {
namespace {

using Clock = std::chrono::steady_clock;

/// A terminal that is drawn on: its own screen, no cursor, keys as they are pressed. All is as it
/// was at the end.
class Screen {
 public:
  explicit Screen(Output& output) : output_(output) {
    has_keys_ = ::isatty(STDIN_FILENO) == 1 && ::tcgetattr(STDIN_FILENO, &before_) == 0;
    if (has_keys_) {
      termios keys = before_;
      keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
      ::tcsetattr(STDIN_FILENO, TCSANOW, &keys);
    }
    sigset_t resize;
    ::sigemptyset(&resize);
    ::sigaddset(&resize, SIGWINCH);
    ::sigprocmask(SIG_BLOCK, &resize, nullptr);
    resized_ = UniqueFd(::signalfd(-1, &resize, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!resized_.valid()) throw_errno("signalfd");
    output_.write("\033[?1049h\033[?25l");
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  ~Screen() {
    try {
      output_.write("\033[?25h\033[?1049l");
    } catch (const std::exception&) {
      // The terminal has gone.
    }
    if (has_keys_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }

  void draw(const Load& now, const Load* before) {
    winsize size{};
    if (::ioctl(output_.fd(), TIOCGWINSZ, &size) != 0) size = {24, 80, 0, 0};
    std::string shown = screen_of(now, before, size.ws_col, size.ws_row);
    // A newline behind the last line would scroll.
    if (shown.ends_with('\n')) shown.pop_back();
    std::string text = "\033[H";
    for (const char c : shown) {
      if (c == '\n') text += "\033[K\r";
      text += c;
    }
    output_.write(text + "\033[J");
  }

  [[nodiscard]] int resize_fd() const { return resized_.get(); }
  [[nodiscard]] int key_fd() const { return has_keys_ ? STDIN_FILENO : -1; }

  /// Forgets a resize. Returns whether there was one.
  [[nodiscard]] bool take_resize() const {
    signalfd_siginfo info;
    return ::read(resized_.get(), &info, sizeof info) > 0;
  }

  /// Whether the key that was pressed ends it.
  [[nodiscard]] static bool is_end_key() {
    char key = 0;
    return ::read(STDIN_FILENO, &key, 1) <= 0 || key == 'q' || key == 'Q';
  }

 private:
  Output& output_;
  UniqueFd resized_;
  termios before_{};
  bool has_keys_ = false;
};

class Top {
 public:
  Top(const TopOptions& options, Output& output) : options_(options), output_(output) {}

  void run() {
    std::optional<Screen> screen;
    if (!options_.json && options_.count != 1 && ::isatty(output_.fd()) == 1) {
      screen.emplace(output_);
    }
    std::optional<Load> before;
    for (std::uint64_t shown = 1;; ++shown) {
      const Load now = read_load(options_.directory);
      show(screen, now, before);
      if (options_.count && shown >= *options_.count) return;
      if (!wait(screen, now, before)) return;
      before = now;
    }
  }

 private:
  void show(std::optional<Screen>& screen, const Load& now, const std::optional<Load>& before) {
    const Load* old = before ? &*before : nullptr;
    if (options_.json) {
      output_.write(json_line(json_of(now, old)) + '\n');
    } else if (screen) {
      screen->draw(now, old);
    } else {
      output_.write((before ? "\n" : "") + screen_of(now, old, 0, 0));
    }
  }

  /// Waits for the next screen; draws anew what changes its size. Returns false when it is time to
  /// end.
  bool wait(std::optional<Screen>& screen, const Load& now, const std::optional<Load>& before) {
    const auto deadline = Clock::now() + options_.delay;
    while (true) {
      std::array<pollfd, 4> waited = {{{signals_.fd(), POLLIN, 0},
                                       {output_.fd(), 0, 0},
                                       {screen ? screen->resize_fd() : -1, POLLIN, 0},
                                       {screen ? screen->key_fd() : -1, POLLIN, 0}}};
      const int ready = ::poll(waited.data(), waited.size(), time_left(deadline));
      if (ready < 0 && errno != EINTR) throw_errno("poll");
      if (ready == 0) return true;
      if (waited[0].revents != 0 || waited[1].revents != 0) return false;
      if (waited[3].revents != 0 && Screen::is_end_key()) return false;
      if (waited[2].revents != 0 && screen->take_resize()) show(screen, now, before);
    }
  }

  const TopOptions& options_;
  Output& output_;
  EndSignals signals_;
};

}  // namespace

void top(const TopOptions& options, Output& output) { Top(options, output).run(); }

}  // namespace watchq
