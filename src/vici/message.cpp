// vici messages: an ordered tree of values, lists and sections, and its encoding.
//
//    1 SECTION_START  u8 length, name          4 LIST_START  u8 length, name
//    2 SECTION_END                             5 LIST_ITEM   u16 length, octets
//    3 KEY_VALUE      u8 length, name,         6 LIST_END
//                     u16 length, octets
#include "vici/message.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "base/writer.hpp"

namespace cygnet::vici {
namespace {

enum class Element : std::uint8_t {
  section_start = 1,
  section_end = 2,
  key_value = 3,
  list_start = 4,
  list_item = 5,
  list_end = 6,
};

/// Names that are taken in one section. A key is a value or a list; sub-sections are told apart
/// from keys, as everywhere in strongswan.conf's syntax.
struct TakenNames {
  std::set<std::string_view> keys;
  std::set<std::string_view> sections;
};

const Item* first_named(const std::vector<Item>& items, std::string_view name, std::size_t kind) {
  const auto found = std::ranges::find_if(
      items, [&](const Item& item) { return item.content.index() == kind && item.name == name; });
  return found == items.end() ? nullptr : &*found;
}

}  // namespace

Message& Message::add(std::string_view name, std::string_view value) {
  items_.push_back(Item{std::string{name}, std::string{value}});
  return *this;
}

Message& Message::add(std::string_view name, const char* value) {
  return add(name, std::string_view{value});
}

Message& Message::add(std::string_view name, ByteView value) {
  items_.push_back(Item{std::string{name}, to_string(value)});
  return *this;
}

Message& Message::add(std::string_view name, std::uint64_t value) {
  return add(name, std::string_view{fmt::format("{}", value)});
}

Message& Message::add_flag(std::string_view name, bool value) {
  return add(name, value ? "yes" : "no");
}

Message& Message::add(std::string_view name, List items) {
  items_.push_back(Item{std::string{name}, std::move(items)});
  return *this;
}

Message& Message::add(std::string_view name, Message section) {
  items_.push_back(Item{std::string{name}, std::move(section)});
  return *this;
}

Message& Message::section(std::string_view name) {
  items_.push_back(Item{std::string{name}, Message{}});
  return std::get<Message>(items_.back().content);
}

const std::string* Message::value(std::string_view name) const {
  const Item* item = first_named(items_, name, 0);
  return item == nullptr ? nullptr : &std::get<std::string>(item->content);
}

const List* Message::list(std::string_view name) const {
  const Item* item = first_named(items_, name, 1);
  return item == nullptr ? nullptr : &std::get<List>(item->content);
}

const Message* Message::find(std::string_view name) const {
  const Item* item = first_named(items_, name, 2);
  return item == nullptr ? nullptr : &std::get<Message>(item->content);
}

std::string_view Message::text(std::string_view name, std::string_view otherwise) const {
  const std::string* found = value(name);
  return found == nullptr ? otherwise : std::string_view{*found};
}

std::optional<std::uint64_t> Message::number(std::string_view name) const {
  const std::string* found = value(name);
  if (found == nullptr) return std::nullopt;
  std::uint64_t out = 0;
  const char* const end = found->data() + found->size();
  const auto [at, error] = std::from_chars(found->data(), end, out);
  if (error != std::errc{} || at != end) return std::nullopt;
  return out;
}

bool Message::flag(std::string_view name, bool otherwise) const {
  const std::string_view found = text(name);
  for (const std::string_view yes : {"yes", "true", "enabled", "1"}) {
    if (found == yes) return true;
  }
  for (const std::string_view no : {"no", "false", "disabled", "0"}) {
    if (found == no) return false;
  }
  return otherwise;
}

std::size_t Message::size() const { return items_.size(); }

bool operator==(const Message& a, const Message& b) { return a.items_ == b.items_; }

namespace {

/// Builds the tree with a stack of its own, so that no input decides how deep we recurse.
class Parser {
 public:
  explicit Parser(ByteView bytes) : in_(bytes, "vici message") { open_.emplace_back(); }

  Result<Message, ParseError> run() {
    while (in_.ok() && !in_.empty()) element();
    // Every section and list that was opened must have been closed.
    in_.require(open_.size() == 1 && !in_list_, ParseFault::truncated);
    return in_.finish(std::move(open_.front().message));
  }

 private:
  struct Open {
    std::string_view name;
    Message message;
    TakenNames taken;
  };

  void element() {
    if (++elements_ > kElementsMax) return in_.fail(ParseFault::too_many);
    const auto type = in_.be<Element>();
    const bool list_part = type == Element::list_item || type == Element::list_end;
    if (in_list_ != list_part) return in_.fail(ParseFault::bad_value);
    switch (type) {
      case Element::section_start:
        return section_start();
      case Element::section_end:
        return section_end();
      case Element::key_value:
        return key_value();
      case Element::list_start:
        return list_start();
      case Element::list_item:
        list_.emplace_back(to_string(octets()));
        return;
      case Element::list_end:
        in_list_ = false;
        open_.back().message.add(list_name_, std::exchange(list_, {}));
        return;
    }
    in_.fail(ParseFault::bad_value);
  }

  void section_start() {
    const std::string_view title = name();
    in_.require(open_.back().taken.sections.insert(title).second, ParseFault::bad_value);
    in_.require(open_.size() <= kDepthMax, ParseFault::too_many);
    if (in_.ok()) open_.push_back(Open{.name = title, .message = {}, .taken = {}});
  }

  void section_end() {
    if (open_.size() == 1) return in_.fail(ParseFault::bad_value);
    Open closed = std::move(open_.back());
    open_.pop_back();
    open_.back().message.add(closed.name, std::move(closed.message));
  }

  void key_value() {
    const std::string_view key = unique_key();
    const ByteView value = octets();
    if (in_.ok()) open_.back().message.add(key, value);
  }

  void list_start() {
    list_name_ = unique_key();
    in_list_ = in_.ok();
  }

  std::string_view unique_key() {
    const std::string_view key = name();
    in_.require(open_.back().taken.keys.insert(key).second, ParseFault::bad_value);
    return key;
  }

  /// Borrowed from the input, which outlives the parser.
  std::string_view name() {
    const ByteView raw = in_.take(in_.be<std::uint8_t>());
    return {reinterpret_cast<const char*>(raw.data()), raw.size()};
  }
  ByteView octets() { return in_.take(in_.be<std::uint16_t>()); }

  Reader in_;
  std::vector<Open> open_;
  std::size_t elements_ = 0;
  bool in_list_ = false;
  std::string_view list_name_;
  List list_;
};

/// Recursion is bounded by kDepthMax, which section() checks before it descends.
class Encoder {
 public:
  Result<Bytes> run(const Message& message) {
    CYG_TRY_DO(items(message, 0));
    if (out_.size() > kPacketMax) return refuse("the message", "octets", kPacketMax);
    return out_.take();
  }

 private:
  Result<void> items(const Message& message, std::size_t depth) {
    TakenNames taken;
    for (const Item& item : message.items()) {
      const auto* sub = std::get_if<Message>(&item.content);
      if (!(sub != nullptr ? taken.sections : taken.keys).insert(item.name).second) {
        return fail("write vici message", fmt::format("'{}' occurs twice in a section", item.name));
      }
      if (sub != nullptr) {
        CYG_TRY_DO(section(item.name, *sub, depth));
      } else if (const auto* value = std::get_if<std::string>(&item.content)) {
        CYG_TRY_DO(start(Element::key_value, item.name));
        CYG_TRY_DO(octets(item.name, *value));
      } else {
        CYG_TRY_DO(list(item.name, std::get<List>(item.content)));
      }
      // Checked on the way, so that a huge tree is not first copied as a whole.
      if (out_.size() > kPacketMax) return refuse("the message", "octets", kPacketMax);
    }
    return {};
  }

  Result<void> section(const std::string& name, const Message& message, std::size_t depth) {
    if (depth == kDepthMax) return refuse(name, "levels", kDepthMax);
    CYG_TRY_DO(start(Element::section_start, name));
    CYG_TRY_DO(items(message, depth + 1));
    return element(Element::section_end);
  }

  Result<void> list(const std::string& name, const List& items) {
    CYG_TRY_DO(start(Element::list_start, name));
    for (const std::string& item : items) {
      CYG_TRY_DO(element(Element::list_item));
      CYG_TRY_DO(octets(name, item));
    }
    return element(Element::list_end);
  }

  Result<void> element(Element type) {
    if (++elements_ > kElementsMax) return refuse("the message", "elements", kElementsMax);
    out_.be(type);
    return {};
  }

  Result<void> start(Element type, const std::string& name) {
    if (name.size() > kNameMax) return refuse(name, "octets in a name", kNameMax);
    CYG_TRY_DO(element(type));
    out_.be(static_cast<std::uint8_t>(name.size()));
    out_.put(as_bytes(name));
    return {};
  }

  Result<void> octets(const std::string& name, const std::string& value) {
    if (value.size() > kValueMax) return refuse(name, "octets in a value", kValueMax);
    out_.be(static_cast<std::uint16_t>(value.size()));
    out_.put(as_bytes(value));
    return {};
  }

  static std::unexpected<Error> refuse(std::string_view where, std::string_view unit,
                                       std::size_t limit) {
    return fail("write vici message",
                fmt::format("'{}' has more than {} {}", where.substr(0, 64), limit, unit));
  }

  Writer out_;
  std::size_t elements_ = 0;
};

std::string printable(std::string_view octets) {
  std::string out;
  for (const char c : octets) {
    if (c >= ' ' && c <= '~' && c != '\\') {
      out.push_back(c);
    } else {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

void print(std::string& out, const Message& message, std::size_t depth) {
  const std::string indent(2 * depth, ' ');
  for (const Item& item : message.items()) {
    const std::string name = printable(item.name);
    if (const auto* value = std::get_if<std::string>(&item.content)) {
      out += fmt::format("{}{} = {}\n", indent, name, printable(*value));
    } else if (const auto* list = std::get_if<List>(&item.content)) {
      out += fmt::format("{}{} = [", indent, name);
      for (std::size_t i = 0; i < list->size(); ++i) {
        out += (i == 0 ? "" : ", ") + printable((*list)[i]);
      }
      out += "]\n";
    } else {
      out += fmt::format("{}{} {{\n", indent, name);
      // What is deeper can be neither read nor written; printing need not follow it either.
      if (depth < kDepthMax) print(out, std::get<Message>(item.content), depth + 1);
      out += indent + "}\n";
    }
  }
}

}  // namespace

Result<Message, ParseError> parse_message(ByteView bytes) {
  if (bytes.size() > kPacketMax) {
    return std::unexpected(ParseError{ParseFault::too_many, 0, "vici message"});
  }
  return Parser{bytes}.run();
}

Result<Bytes> write_message(const Message& message) { return Encoder{}.run(message); }

std::string to_text(const Message& message) {
  std::string out;
  print(out, message, 0);
  return out;
}

}  // namespace cygnet::vici
