// What people call their tunnels.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "vici/message.hpp"

namespace cygnet::cli {

/// A connection, or one child of it.
struct Name {
  std::string connection;
  std::string child;  ///< empty: the whole connection
};

/// Finds what `text` means among the daemon's list-conn events: "connection", "child" or
/// "connection/child". A connection wins over a child of the same name; a child that two
/// connections have is an error that names them.
[[nodiscard]] Result<Name> find_name(std::string_view text,
                                     const std::vector<vici::Message>& connections);

/// All that find_name() can find by its full name, in the daemon's order: "connection", then each
/// "connection/child".
[[nodiscard]] std::vector<std::string> all_names(const std::vector<vici::Message>& connections);

}  // namespace cygnet::cli
