// SPDX-License-Identifier: MIT
// Lines of output, one for each event: text for people, JSON for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "tool/event.h"
#include "tool/paint.h"

namespace watchq {

/// A path or another text of somebody's choice in one piece: blanks, control characters and
/// backslashes as \ooo.
std::string escape(const std::string& text);

/// A line without its newline: the time, the path in one piece, and what happened.
std::string text_line(const Event& event, const Paint& paint = Paint());
/// What text_line() says behind the time, unpainted.
std::string text_words(const Event& event);
/// The event's facts. Texts in it are bytes as they came, UTF-8 or not.
nlohmann::ordered_json json_object(const Event& event);
/// A line without its newline: one JSON object, in UTF-8.
std::string json_line(const Event& event);
/// The same of any object: what is no UTF-8 becomes U+FFFD.
std::string json_line(const nlohmann::ordered_json& object);

/// The same for the loss before an event: records that did not fit into the ring.
std::string text_loss_line(const Event& event, const Paint& paint = Paint());
nlohmann::ordered_json json_loss(const Event& event);

}  // namespace watchq
