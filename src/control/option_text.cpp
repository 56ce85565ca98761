#include "control/option_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "pki/certificate.hpp"
#include "pki/identity.hpp"

namespace cygnet::control {
namespace {

std::string text(bool value) { return value ? "yes" : "no"; }
std::string text(std::uint64_t value) { return fmt::to_string(value); }
std::string text(std::string_view value) { return std::string{value}; }
std::string text(const std::vector<std::string>& values) {
  return fmt::format("{}", fmt::join(values, ", "));
}

template <class T>
std::string texts(const std::vector<T>& values) {
  std::vector<std::string> out;
  for (const T& value : values) out.push_back(value.text());
  return text(out);
}

/// "4h", "66m", "90s".
std::string text(Duration span) {
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(span).count();
  struct Unit {
    long long size;
    std::string_view name;
  };
  for (const Unit& unit : {Unit{86'400'000, "d"}, Unit{3'600'000, "h"}, Unit{60'000, "m"}}) {
    if (milliseconds != 0 && milliseconds % unit.size == 0) {
      return fmt::format("{}{}", milliseconds / unit.size, unit.name);
    }
  }
  if (milliseconds % 1000 == 0) return fmt::format("{}s", milliseconds / 1000);
  return fmt::format("{}ms", milliseconds);
}

/// The name of an enumerator: the nth.
template <std::size_t N, class Enum>
std::string text(Enum value, const std::array<std::string_view, N>& names) {
  return std::string{names.at(static_cast<std::size_t>(value))};
}
constexpr std::array<std::string_view, 3> kActions{"none", "trap", "start"};

/// Certificates are told by name; two of one name by their octets.
std::string certificates(const std::vector<Bytes>& ders) {
  std::vector<std::string> out;
  for (const Bytes& der : ders) {
    std::size_t sum = der.size();
    for (const std::uint8_t octet : der) sum = sum * 31 + octet;
    const std::vector<std::string> names = subjects({der});
    out.push_back(fmt::format("{} ({:08x})", names.empty() ? "?" : names.front(),
                              static_cast<std::uint32_t>(sum)));
  }
  return text(out);
}

std::string auth(model::AuthClass method, const model::SignatureRules& rules) {
  return method == model::AuthClass::pubkey ? rules.text() : text(to_string(method));
}

/// Gathers options under a prefix.
struct Writer {
  std::vector<OptionText>& to;
  std::string prefix;
  void add(std::string_view option, std::string value) const {
    to.push_back({prefix + std::string{option}, std::move(value)});
  }
};

void add(const Writer& to, const model::Lifetime& lifetime) {
  // A field that is added stops this from compiling, here and below.
  const auto& [rekey, life, jitter, rekey_bytes, life_bytes, rekey_packets, life_packets] =
      lifetime;
  to.add("rekey_time", text(rekey));
  to.add("life_time", text(life));
  to.add("rand_time", text(jitter));
  to.add("rekey_bytes", text(rekey_bytes));
  to.add("life_bytes", text(life_bytes));
  to.add("rekey_packets", text(rekey_packets));
  to.add("life_packets", text(life_packets));
}

void add(const Writer& to, const model::LocalAuth& local) {
  const auto& [method, id, certs, rule] = local;
  to.add("local.auth", auth(method, {.certificates = rule, .auth = rule}));
  to.add("local.id", id ? pki::to_text(*id) : "");
  to.add("local.certs", certificates(certs));
}

void add(const Writer& to, const model::RemoteAuth& remote) {
  const auto& [method, id, cacerts, certs, revocation, rules] = remote;
  static constexpr std::array<std::string_view, 3> kRevocations{"relaxed", "ifuri", "strict"};
  to.add("remote.auth", auth(method, rules));
  to.add("remote.id", pki::to_text(id));
  to.add("remote.cacerts", certificates(cacerts));
  to.add("remote.certs", certificates(certs));
  to.add("remote.revocation", text(revocation, kRevocations));
}

void add(const Writer& to, const model::ChildTemplate& child) {
  const auto& [name, esp_proposals, local_ts, remote_ts, mode, lifetime, inactivity, start_action,
               dpd_action, close_action, keep_up, replay_window, copy_df, copy_ecn, copy_dscp] =
      child;
  static constexpr std::array<std::string_view, 4> kModes{"tunnel", "transport", "pass", "drop"};
  static constexpr std::array<std::string_view, 4> kDscp{"no", "in", "out", "yes"};
  to.add("esp_proposals", model::text_of(esp_proposals));
  to.add("local_ts", texts(local_ts));
  to.add("remote_ts", texts(remote_ts));
  to.add("mode", text(mode, kModes));
  add(to, lifetime);
  to.add("inactivity", text(inactivity));
  to.add("start_action", text(start_action, kActions));
  to.add("dpd_action", text(dpd_action, kActions));
  to.add("close_action", text(close_action, kActions));
  to.add("keep_up", text(keep_up));
  to.add("replay_window", text(std::uint64_t{replay_window}));
  to.add("copy_df", text(copy_df));
  to.add("copy_ecn", text(copy_ecn));
  to.add("copy_dscp", text(copy_dscp, kDscp));
}

}  // namespace

std::vector<OptionText> options_of(const model::Connection& connection) {
  const auto& [name, local_addrs, remote_addrs, local_port, remote_port, proposals, vips, pools,
               encap, mobike, fragmentation, send_certreq, send_cert, unique, childless,
               keyingtries, dpd_delay, lifetime, reauth_time, local, remote, children] = connection;
  static constexpr std::array<std::string_view, 3> kFragmentation{"no", "accept", "yes"};
  static constexpr std::array<std::string_view, 3> kSendCert{"ifasked", "always", "never"};
  static constexpr std::array<std::string_view, 4> kUnique{"no", "never", "keep", "replace"};
  static constexpr std::array<std::string_view, 4> kChildless{"allow", "prefer", "force", "never"};
  std::vector<OptionText> out;
  const Writer to{out, ""};
  to.add("local_addrs", text(address_list(local_addrs)));
  to.add("remote_addrs", text(address_list(remote_addrs)));
  to.add("local_port", text(std::uint64_t{local_port}));
  to.add("remote_port", text(std::uint64_t{remote_port}));
  to.add("proposals", model::text_of(proposals));
  to.add("vips", texts(vips));
  to.add("pools", text(pools));
  to.add("encap", text(encap));
  to.add("mobike", text(mobike));
  to.add("fragmentation", text(fragmentation, kFragmentation));
  to.add("send_certreq", text(send_certreq));
  to.add("send_cert", text(send_cert, kSendCert));
  to.add("unique", text(unique, kUnique));
  to.add("childless", text(childless, kChildless));
  to.add("keyingtries", text(std::uint64_t{keyingtries}));
  to.add("dpd_delay", text(dpd_delay));
  add(to, lifetime);
  to.add("reauth_time", text(reauth_time));
  add(to, local);
  add(to, remote);
  std::vector<std::string> names;
  for (const model::ChildTemplate& child : children) names.push_back(child.name);
  to.add("children", text(names));
  for (const model::ChildTemplate& child : children) {
    add(Writer{out, fmt::format("children.{}.", child.name)}, child);
  }
  return out;
}

std::vector<OptionText> options_of(const model::Pool& pool) {
  const auto& [name, range, dns, nbns, subnets, dns_domains] = pool;
  std::vector<OptionText> out;
  const Writer to{out, ""};
  to.add("addrs", fmt::format("{}-{}", range.first.text(), range.last.text()));
  to.add("dns", texts(dns));
  to.add("nbns", texts(nbns));
  to.add("subnet", texts(subnets));
  to.add("dns_domains", text(dns_domains));
  return out;
}

std::vector<std::string> address_list(const std::vector<model::AddressPattern>& addresses) {
  std::vector<std::string> out;
  for (const model::AddressPattern& address : addresses) {
    if (const auto* range = std::get_if<IpRange>(&address)) {
      out.push_back(range->first == range->last ? range->first.text() : range->text());
    } else if (const auto* host = std::get_if<model::HostName>(&address)) {
      out.push_back(host->name);
    } else {
      out.emplace_back("%any");
    }
  }
  return out;
}

std::vector<std::string> subjects(const std::vector<Bytes>& certificates) {
  std::vector<std::string> out;
  for (const Bytes& one : certificates) {
    if (const auto subject = pki::subject_of(one)) out.push_back(pki::to_text(*subject));
  }
  return out;
}

}  // namespace cygnet::control
