// vici messages: an ordered tree of values, lists and sections, and its encoding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/reader.hpp"

namespace cygnet::vici {

/// The most octets one packet (and thus one message) may have; the frame's length field, which
/// does not count itself, must not exceed it.
inline constexpr std::size_t kPacketMax = 512 * 1024;
/// Octets of a value or list item: its length field has 16 bits.
inline constexpr std::size_t kValueMax = 65535;
/// Octets of a name: its length field has 8 bits.
inline constexpr std::size_t kNameMax = 255;
/// How deep sections may nest. Configurations need five levels.
inline constexpr std::size_t kDepthMax = 32;
/// Elements (values, items, starts and ends) in one message; bounds the memory of a parsed tree.
inline constexpr std::size_t kElementsMax = 65536;

class Message;
struct Item;

/// The items of a list, in order.
using List = std::vector<std::string>;

/// One section: items in order, each with a name. Values are octets: text, except certificates,
/// keys and other `data`. A copy is deep.
class Message {
 public:
  Message() = default;

  /// Appends `name = value`. Limits are enforced when the message is written.
  Message& add(std::string_view name, std::string_view value);
  /// The same for literals, which would otherwise become booleans.
  Message& add(std::string_view name, const char* value);
  /// Octets that are not text: DER and the like.
  Message& add(std::string_view name, ByteView value);
  /// Decimal text.
  Message& add(std::string_view name, std::uint64_t value);
  /// "yes" or "no".
  Message& add_flag(std::string_view name, bool value);
  Message& add(std::string_view name, List items);
  Message& add(std::string_view name, Message section);
  /// Appends an empty section and returns it; the reference lives until the next change of
  /// this section.
  Message& section(std::string_view name);

  /// The first value, list or section with that name; nullptr when there is none or the name
  /// belongs to another kind. The pointer lives until the next change of this section.
  [[nodiscard]] const std::string* value(std::string_view name) const;
  [[nodiscard]] const List* list(std::string_view name) const;
  [[nodiscard]] const Message* find(std::string_view name) const;
  /// A value as text, or `otherwise`.
  [[nodiscard]] std::string_view text(std::string_view name, std::string_view otherwise = {}) const;
  /// A value as decimal number; nothing when absent or not a number of 64 bits.
  [[nodiscard]] std::optional<std::uint64_t> number(std::string_view name) const;
  /// A value that is yes, true, enabled or 1; `otherwise` when absent or anything unknown.
  [[nodiscard]] bool flag(std::string_view name, bool otherwise = false) const;

  [[nodiscard]] const std::vector<Item>& items() const { return items_; }
  [[nodiscard]] bool empty() const { return items_.empty(); }
  [[nodiscard]] std::size_t size() const;

  friend bool operator==(const Message& a, const Message& b);

 private:
  std::vector<Item> items_;
};

/// A named part of a section.
struct Item {
  std::string name;
  std::variant<std::string, List, Message> content;

  friend bool operator==(const Item& a, const Item& b) = default;
};

/// Reads a complete message. Refused: unbalanced sections, lists in lists, sections or values in
/// lists, items outside lists, a name that two keys (values or lists) or two sub-sections of a
/// section share, unknown element types, truncation, more than kDepthMax levels or kElementsMax
/// elements.
[[nodiscard]] Result<Message, ParseError> parse_message(ByteView bytes);

/// The reverse. Fails, naming the element, when a name, value, depth, element count or the whole
/// exceeds its limit or a name occurs twice: parse_message() reads back all that
/// this writes.
[[nodiscard]] Result<Bytes> write_message(const Message& message);

/// An indented tree for people and test failures; octets outside printable ASCII are escaped.
[[nodiscard]] std::string to_text(const Message& message);

}  // namespace cygnet::vici
