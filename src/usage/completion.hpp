// Completions of a program's command line for three shells.
#pragma once

#include <string>

#include "usage/command.hpp"

namespace cygnet::usage {

/// A hidden command of the program that prints what NAME and PEER can be, one in a line.
inline constexpr const char* kNamesCommand = "complete-names";
/// The option that says which daemon to ask.
inline constexpr const char* kDaemonOption = "--vici";

/// Scripts to be sourced, or to lie in bash-completion/completions, zsh/vendor-completions and
/// fish/vendor_completions.d. What the daemon has is asked of the program itself when it is needed;
/// whatever that prints is never run by the shell.
[[nodiscard]] std::string bash_completion(const Command& program);
[[nodiscard]] std::string zsh_completion(const Command& program);
[[nodiscard]] std::string fish_completion(const Command& program);

}  // namespace cygnet::usage
