#include "control/journal.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

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
  return LogLine{1, subject(e.connection, e.sa) + ": IKE_SA established"};
}
Line line(const ike::event::IkeDown& e) {
  return LogLine{1, subject(e.connection, e.sa) + ": IKE_SA closed" + because(e.why)};
}
Line line(const ike::event::IkeRekeyed& e) {
  return LogLine{1, fmt::format("{}: IKE_SA rekeyed, was [{}]", subject(e.connection, e.fresh),
                                e.old.value())};
}
Line line(const ike::event::VirtualIps& e) {
  std::string text = subject(e.connection, e.sa) + ": virtual IP " + texts(e.addresses);
  if (!e.dns.empty()) text += "; DNS " + texts(e.dns);
  return LogLine{1, std::move(text)};
}
Line line(const ike::event::VirtualIpsGone& e) {
  return LogLine{2, subject(e.connection, e.sa) + ": virtual IP given back " + texts(e.addresses)};
}
Line line(const ike::event::ChildUp& e) {
  return LogLine{
      1, fmt::format("{}: child {}[{}] up", subject(e.connection, e.sa), e.name, e.child.value())};
}
Line line(const ike::event::ChildDown& e) {
  return LogLine{1, fmt::format("{}: child {}[{}] down{}", subject(e.connection, e.sa), e.name,
                                e.child.value(), because(e.why))};
}
Line line(const ike::event::ChildRekeyed& e) {
  return LogLine{1, fmt::format("{}: child {}[{}] rekeyed, was [{}]", subject(e.connection, e.sa),
                                e.name, e.fresh.value(), e.old.value())};
}
Line line(const ike::event::Failed& e) { return LogLine{0, e.record.line()}; }
Line line(const ike::event::CommandDone&) { return std::nullopt; }
Line line(const ike::event::WantReauth& e) {
  return LogLine{1, fmt::format("{}: reauthenticating", subject(e.connection, e.sa))};
}
Line line(const ike::event::WantUp& e) {
  return LogLine{1, fmt::format("{}/{} wanted{}", e.connection, e.child, because(e.why))};
}
Line line(const ike::event::WantRoute& e) {
  return LogLine{1,
                 fmt::format("{}/{} waits for traffic{}", e.connection, e.child, because(e.why))};
}
Line line(const ike::event::Unrouted&) { return std::nullopt; }  // its failure was told
Line line(const ike::event::Quiet&) { return std::nullopt; }
Line line(const ike::event::Note& e) {
  return LogLine{e.level, subject(e.connection, e.sa) + ": " + e.text};
}

}  // namespace

std::optional<LogLine> line_of(const ike::Event& event) {
  return std::visit([](const auto& one) { return line(one); }, event);
}

}  // namespace cygnet::control
