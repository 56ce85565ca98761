// What the names given to `ipsec` mean.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.hpp"
#include "vici/message.hpp"

namespace cygnet::cli {

/// A conn of ipsec.conf, which is a child of a connection; or a whole connection.
struct Conn {
  std::string connection;
  std::string child;  ///< empty: the whole connection
  std::string mode;   ///< of the child: TUNNEL, PASS, ...
  /// The request that names it.
  [[nodiscard]] vici::Message request() const;
  [[nodiscard]] bool is_shunt() const { return mode == "PASS" || mode == "DROP"; }
};

/// What `up NAME` means among list-conn events: the child of that name of the connection of that
/// name, else the connection, else the first child of that name.
[[nodiscard]] std::optional<Conn> find_conn(std::string_view name,
                                            const std::vector<vici::Message>& connections);
/// The same for `route NAME`: a connection is all its children.
[[nodiscard]] std::vector<Conn> find_children(std::string_view name,
                                              const std::vector<vici::Message>& connections);
/// The trap or shunt of that name among list-policy events.
[[nodiscard]] std::optional<Conn> find_policy(std::string_view name,
                                              const std::vector<vici::Message>& policies);

/// One SA to close, or something that is no more wanted.
struct Closing {
  vici::Message request;  ///< of terminate
  std::string what;       ///< "IKE_SA [3]"; empty: there is none, nobody is told
};

/// What `down NAME` closes among list-sa events. NAME: the connection's IKE_SA, the first if there
/// are several, else the child of that name; it is then also not called again. NAME[n] and
/// NAME{n}: the IKE_SA or child with that number; NAME[*] and NAME{*}: all of that name.
[[nodiscard]] std::vector<Closing> find_closings(std::string_view name,
                                                 const std::vector<vici::Message>& sas);
/// The IKE_SAs whose peers have a virtual address in this range.
[[nodiscard]] std::vector<Closing> find_clients(const IpRange& range,
                                                const std::vector<vici::Message>& sas);
/// The IKE_SAs that stand but have no child.
[[nodiscard]] std::vector<Closing> find_idle(const std::vector<vici::Message>& sas);

}  // namespace cygnet::cli
