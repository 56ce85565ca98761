#include "control/journal.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "pki/identity.hpp"

namespace cygnet::control {
namespace {

std::string subject(const std::string& connection, ike::SaId sa) {
  if (connection.empty() && sa.value() == 0) return "ike";
  return fmt::format("{}[{}]", connection.empty() ? "?" : connection, sa.value());
}

std::string because(const std::string& why) { return why.empty() ? "" : ": " + why; }

template <class T>
std::string texts(const std::vector<T>& values) {
  std::string out;
  for (const T& value : values) out += (out.empty() ? "" : ", ") + value.text();
  return out;
}

using Line = std::optional<LogLine>;

Line line(const ike::event::IkeUp& e) {
  return LogLine{1, subject(e.connection, e.sa) + ": IKE_SA established", "ike-up"};
}
Line line(const ike::event::IkeDown& e) {
  return LogLine{1, subject(e.connection, e.sa) + ": IKE_SA closed" + because(e.why), "ike-down"};
}
Line line(const ike::event::IkeRekeyed& e) {
  return LogLine{
      1, fmt::format("{}: IKE_SA rekeyed, was [{}]", subject(e.connection, e.fresh), e.old.value()),
      "ike-rekeyed"};
}
Line line(const ike::event::VirtualIps& e) {
  std::string text = subject(e.connection, e.sa) + ": virtual IP " + texts(e.addresses);
  if (!e.dns.empty()) text += "; DNS " + texts(e.dns);
  return LogLine{1, std::move(text), "virtual-ips"};
}
Line line(const ike::event::VirtualIpsGone& e) {
  return LogLine{2, subject(e.connection, e.sa) + ": virtual IP given back " + texts(e.addresses),
                 "virtual-ips-gone"};
}
Line line(const ike::event::IkeMoved& e) {
  return LogLine{1,
                 fmt::format("{}: moved to {} - {}", subject(e.connection, e.sa), e.local.text(),
                             e.remote.text()),
                 "ike-moved"};
}
Line line(const ike::event::ChildUp& e) {
  return LogLine{
      1, fmt::format("{}: child {}[{}] up", subject(e.connection, e.sa), e.name, e.child.value()),
      "child-up"};
}
Line line(const ike::event::ChildDown& e) {
  return LogLine{1,
                 fmt::format("{}: child {}[{}] down{}", subject(e.connection, e.sa), e.name,
                             e.child.value(), because(e.why)),
                 "child-down"};
}
Line line(const ike::event::ChildRekeyed& e) {
  return LogLine{1,
                 fmt::format("{}: child {}[{}] rekeyed, was [{}]", subject(e.connection, e.sa),
                             e.name, e.fresh.value(), e.old.value()),
                 "child-rekeyed"};
}
Line line(const ike::event::Failed& e) {
  return LogLine{.level = 0,
                 .text = e.record.line(),
                 .event = "failure",
                 .connection = e.record.connection,
                 .peer = e.record.remote.text(),
                 .peer_id = e.record.remote_identity,
                 .reason = std::string{to_string(e.record.reason)},
                 .phase = e.record.phase};
}
Line line(const ike::event::CommandDone&) { return std::nullopt; }
Line line(const ike::event::WantReauth& e) {
  return LogLine{1, fmt::format("{}: reauthenticating", subject(e.connection, e.sa)),
                 "reauthenticating"};
}
Line line(const ike::event::WantUp& e) {
  return LogLine{1, fmt::format("{}/{} wanted{}", e.connection, e.child, because(e.why)), "wanted"};
}
Line line(const ike::event::WantRoute& e) {
  return LogLine{1, fmt::format("{}/{} waits for traffic{}", e.connection, e.child, because(e.why)),
                 "trap-wanted"};
}
Line line(const ike::event::Unrouted&) { return std::nullopt; }  // its failure was told
Line line(const ike::event::Quiet&) { return std::nullopt; }
Line line(const ike::event::Note& e) {
  return LogLine{e.level, subject(e.connection, e.sa) + ": " + e.text};
}

}  // namespace

vici::Message log_message(const LogLine& line, std::optional<unsigned> thread) {
  vici::Message out;
  out.add("group", line.event.starts_with("child") ? "CHD" : "IKE");
  out.add("level", std::uint64_t{line.level > 1 ? 2U : 1U});
  if (thread) out.add("thread", std::uint64_t{*thread});
  if (!line.connection.empty()) out.add("ikesa-name", std::string_view{line.connection});
  if (line.sa != ike::SaId{}) out.add("ikesa-uniqueid", std::uint64_t{line.sa.value()});
  out.add("msg", std::string_view{line.text});
  return out;
}

std::optional<LogLine> line_of(const ike::Event& event) {
  return std::visit(
      [](const auto& one) {
        Line out = line(one);
        if (!out) return out;
        if constexpr (requires { one.connection; }) out->connection = one.connection;
        if constexpr (requires { one.sa; }) out->sa = one.sa;
        if constexpr (requires {
                        one.fresh;
                        one.after;
                      })
          out->sa = one.fresh;
        if constexpr (requires { one.status.remote; }) {
          out->peer = one.status.remote.text();
          if (one.status.remote_id) out->peer_id = pki::to_text(*one.status.remote_id);
        }
        return out;
      },
      event);
}

}  // namespace cygnet::control
