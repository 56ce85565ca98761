// The grammar of strongSwan's ipsec.conf.
//
//    file       := (section | include pattern | version number)*         each at the line's start
//    section    := ("config setup" | "conn" name | "ca" name) parameter*
//    parameter  := blanks keyword = value | blanks also = name
//    value      := words | "quoted"
//
// `#` starts a comment, except in the "@#" that starts a word. Words are joined by one space.
// Within quotes \n \r \t \b \f stand for control characters, a backslash at the end of a line joins
// it with the next, and any other escaped character stands for itself. An included file's lines
// stand in place of `include`; its pattern starts where the including file lies. A section that
// appears again goes on, a parameter that appears again replaces. Sections inherit by `also`: their
// own parameters win, then those of the last `also`, then of the ones before; what nobody set comes
// from the section %default, whose own `also` does not count. An empty value hides an inherited
// one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostics.hpp"
#include "config/files.hpp"
#include "config/section.hpp"

namespace cygnet::config {

/// Octets of one line.
inline constexpr std::size_t kIpsecLineOctetsMax = 65'535;
/// Include statements within one another, in ipsec.conf and in ipsec.secrets.
inline constexpr std::size_t kIpsecIncludeDepthMax = 10;
/// Sections in all.
inline constexpr std::size_t kIpsecSectionsMax = 10'000;
/// Sections and parameters in all, also after inheritance.
inline constexpr std::size_t kIpsecEntriesMax = 500'000;
/// `also` of one section, and sections that inherit from one another in a row.
inline constexpr std::size_t kAlsoMax = 64;
inline constexpr std::size_t kAlsoDepthMax = 32;

/// A parsed file. Each section holds every parameter it has or inherits, by the name that
/// find_keyword() gives it, `written` as it was spelled; empty values are left in.
struct IpsecConf {
  Section setup;
  std::vector<Section> conns;  ///< without %default
  std::vector<Section> cas;
  /// It is libreswan's file, which was reported once: nothing in it means what it seems to.
  bool foreign = false;
};

/// Reads `path` and what it includes, and resolves inheritance. Faults go to `diags`; what could
/// be read is returned, so that one run reports as many faults as possible.
[[nodiscard]] IpsecConf parse_ipsec(const std::string& path, Files& files, Diagnostics& diags);

}  // namespace cygnet::config
