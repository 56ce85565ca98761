// vici packets, as a client may send them, and messages written again.
// Modules: vici
#include "fuzz_target.hpp"
#include "vici/packet.hpp"
#include "vici/server_session.hpp"

namespace cygnet {

void fuzz_vici(ByteView input) {
  const auto message = vici::parse_message(input);
  if (message) {
    const auto written = vici::write_message(*message);
    CYG_CHECK(written.has_value());
    const auto again = vici::parse_message(*written);
    CYG_CHECK(again.has_value() && *again == *message);
  }
  static_cast<void>(vici::parse_packet(input));
  // A whole session: whatever comes, it answers or ends.
  static const vici::Catalogue kCatalogue{.commands = {"version"}, .events = {"log"}};
  vici::ServerSession session{kCatalogue};
  session.receive(input);
  while (session.next_request()) session.respond({});
  CYG_CHECK(session.backlog() <= vici::ServerSession::kAnswerQueueMax);
}

}  // namespace cygnet
