// SPDX-License-Identifier: MIT
// keyctl(2), as far as keys are looked at; what the kernel says of a key as text.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace watchq {

/// What KEYCTL_DESCRIBE says of a key.
struct KeyDescription {
  std::string type;
  uid_t user = 0;
  gid_t group = 0;
  std::uint32_t permissions = 0;  ///< KEY_POS_VIEW (0x01000000) and the others
  std::string description;

  friend bool operator==(const KeyDescription&, const KeyDescription&) = default;
};

/// "type;uid;gid;perm;description". Pure. Nothing where the text is none.
std::optional<KeyDescription> parse_key_description(std::string_view text);

/// Asks the kernel with the calling thread's IDs. Does not wait. Returns 0 or an errno: EACCES,
/// ENOKEY, EKEYREVOKED, EKEYEXPIRED.
int describe_key(std::int32_t key, KeyDescription& into);

/// How long the payload is (KEYCTL_READ without a buffer), for a keyring 4 bytes a key. Needs Read
/// permission. May wait for a key's type, not for users' programs. Returns 0 or an errno.
int key_length(std::int32_t key, std::size_t& into);

/// The keys linked in a keyring, in the order of their serials. Needs Read permission. Returns 0 or
/// an errno.
int keyring_links(std::int32_t keyring, std::vector<std::int32_t>& into);

/// A line of /proc/keys.
struct KeyLine {
  std::int32_t key = 0;
  bool instantiated = false;  ///< false: still under construction
  bool negative = false;
  bool revoked = false;
  bool dead = false;
  bool invalidated = false;
  std::int64_t expires_in = -1;  ///< seconds, rounded down to `expiry_unit`; 0: expired; -1: never
  std::int64_t expiry_unit = 1;  ///< seconds
  KeyDescription described;      ///< its description may have been cut, or escaped
  std::string summary;           ///< what the type says behind the description: "5", "empty"
};

/// A line without its newline. Pure. Nothing where it is none.
std::optional<KeyLine> parse_key_line(std::string_view text);

/// All lines of a text.
std::vector<KeyLine> parse_key_lines(std::string_view text);

}  // namespace watchq
