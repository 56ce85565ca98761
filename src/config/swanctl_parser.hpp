// The grammar of swanctl.conf (and strongswan.conf).
//
//    settings   := (section | key = value | include pattern)*
//    section    := name [: reference (, reference)*] { settings }
//    reference  := name(.name)*                     absolute, resolved after everything is read
//    value      := (word | "quoted")*               parts are joined by one space
//
// `#` starts a comment. Within quotes \n \r \t stand for control characters, a backslash at the
// end of a line joins it with the next, any other escaped character stands for itself, and line
// ends are kept. An unquoted value ends at the line end, at `#` or at `}`. `include` takes a shell
// pattern relative to the including file; what it reads extends the section it stands in. A
// section that appears again extends the first; a key that appears again replaces. An inheriting
// section takes every key and subsection of the referenced ones that it does not have itself, the
// leftmost reference first.
#pragma once

#include <string>
#include <string_view>

#include "config/diagnostics.hpp"
#include "config/files.hpp"
#include "config/section.hpp"

namespace cygnet::config {

/// Largest file, in octets.
inline constexpr std::size_t kFileOctetsMax = 4 * 1024 * 1024;
/// Files that one configuration may read, over all include statements.
inline constexpr std::size_t kFilesMax = 10'000;
/// Include statements within one another.
inline constexpr std::size_t kIncludeDepthMax = 8;
/// Sections within one another, also after inheritance.
inline constexpr std::size_t kSectionDepthMax = 32;
/// Keys and sections in all, also after inheritance.
inline constexpr std::size_t kEntriesMax = 1'000'000;
/// Octets of a name and of a value.
inline constexpr std::size_t kNameOctetsMax =
    240;  // vici's names end at 255, some with a number after
inline constexpr std::size_t kValueOctetsMax = 65'535;
/// References of one section.
inline constexpr std::size_t kReferencesMax = 64;

/// Reads `path` and what it includes, and resolves inheritance. Faults go to `diags`; what could
/// be read is returned, so that one run reports as many faults as possible.
[[nodiscard]] Section parse_swanctl(const std::string& path, Files& files, Diagnostics& diags);
/// The same for text that is already at hand; `path` is its name in diagnostics and what relative
/// includes start from.
[[nodiscard]] Section parse_swanctl_text(std::string_view text, const std::string& path,
                                         Files& files, Diagnostics& diags);

}  // namespace cygnet::config
