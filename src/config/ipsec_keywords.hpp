// The words of ipsec.conf: which we read, which have no effect, which are another program's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cygnet::config {

/// The three kinds of sections.
enum class IpsecKind : std::uint8_t { setup, conn, ca };
/// "config setup", "conn", "ca".
[[nodiscard]] std::string_view to_string(IpsecKind kind);

enum class KeywordUse : std::uint8_t {
  used,
  ignored,    ///< strongSwan takes it and does nothing, and so do we
  libreswan,  ///< of the other program whose file has this name
  unknown,
};

struct Keyword {
  KeywordUse use = KeywordUse::unknown;
  std::string name;  ///< used: as the converter knows it ("lifetime" for "keylife")
  std::string text;  ///< ignored: what to do instead
};
/// Words of a side are known for both, "left..." and "right...".
[[nodiscard]] Keyword find_keyword(IpsecKind kind, std::string_view word);
/// For an unknown word: ", did you mean ...?", or in which section it belongs, or nothing.
[[nodiscard]] std::string keyword_hint(IpsecKind kind, std::string_view word);
/// Every word of one kind that is used or ignored; of the two sides the left one's.
[[nodiscard]] std::vector<std::string_view> all_keywords(IpsecKind kind, KeywordUse use);
/// The value gives libreswan's file away although the word is strongSwan's, too.
[[nodiscard]] bool is_libreswan_value(std::string_view keyword, std::string_view value);

}  // namespace cygnet::config
