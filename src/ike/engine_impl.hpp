// The engine's insides: tables, demultiplexing, dispatch.
#pragma once

#include <map>
#include <set>

#include "ike/half_open.hpp"
#include "ike/limits.hpp"
#include "ike/pace.hpp"
#include "ike/sa.hpp"

namespace cygnet::ike {

/// A trap or shunt that a configuration asked for.
struct RoutedChild {
  model::ChildId id;
  std::string connection;
  model::ChildTemplate wanted;
  std::vector<model::TrafficSelector> local_ts;
  std::vector<model::TrafficSelector> remote_ts;
  Endpoint local;
  Endpoint remote;
  Instant installed;
  /// What it took the place of, if anything: it comes back if the plane cannot take this one.
  std::vector<RoutedChild> before;

  [[nodiscard]] action::Install install() const;
};

struct Engine::Impl {
  Impl(EngineConfig config, const crypto::Provider& provider, Rng& random)
      : crypto(provider), rng(random) {
    shared.config = config;
  }

  const crypto::Provider& crypto;
  Rng& rng;
  Shared shared;
  CookieJar cookies;
  std::map<SaId, IkeSa> sas;
  std::map<IkeSpi, SaId> by_spi;  ///< our SPI
  HalfOpenTable half_open;
  std::deque<SaId> closed;  ///< lingering, oldest first
  std::vector<RoutedChild> routed;
  bool shutting_down = false;
  PerSecond denials{kInvalidSpiRate};         ///< INVALID_IKE_SPI
  PerSecond refusals{kInitRefusalRate};       ///< of IKE_SA_INIT, with their records
  PerSecond cookie_requests{kCookieRate};     ///< answers that ask for a cookie
  std::set<std::pair<Instant, SaId>> alarms;  ///< each SA's deadline
  std::vector<IkeSa> born;                    ///< filled by rekeys during a call
  std::vector<SaId> attention;                ///< SAs that changed during a call

  [[nodiscard]] Context context(Instant now, Actions& out) {
    return {.shared = shared,
            .config = shared.config,
            .crypto = crypto,
            .rng = rng,
            .now = now,
            .out = out,
            .born = born,
            .attention = attention};
  }

  // engine.cpp: messages in
  void on_init_request(const Datagram& datagram, const wire::Message& message, Context& cx);
  void on_init_response(const Datagram& datagram, const wire::Message& message, Context& cx);
  void on_protected(const Datagram& datagram, const wire::Message& message, Context& cx);
  void on_opened(IkeSa& sa, const Received& received, PayloadType first, ByteView plaintext,
                 Context& cx);
  void on_request(IkeSa& sa, const Received& received, std::vector<wire::Payload> payloads,
                  Context& cx);
  void deny_spi(const Datagram& datagram, const wire::Header& header, IkeSpi ours, Context& cx);
  void learn_verdict(IkeSa& sa, const std::vector<wire::Payload>& payloads, Context& cx);
  /// send_response(), and the end of the IKE_SA when it says INVALID_SYNTAX; `what` was wrong.
  void respond(IkeSa& sa, const Received& received, const std::vector<wire::Payload>& payloads,
               Context& cx, const std::string& what = {});
  void on_response(IkeSa& sa, const Received& received, std::vector<wire::Payload> payloads,
                   Context& cx);
  void on_established_request(IkeSa& sa, Established& state, const Received& received,
                              const std::vector<wire::Payload>& payloads, Context& cx);
  void on_create_child(IkeSa& sa, Established& state, const Received& received,
                       const std::vector<wire::Payload>& payloads, Context& cx);
  void on_informational(IkeSa& sa, const Received& received,
                        const std::vector<wire::Payload>& payloads, Context& cx);
  void follow_endpoint(IkeSa& sa, const Received& received, Context& cx);
  void meet_endpoint(IkeSa& sa, const Received& received, Context& cx);

  // commands.cpp: what the operator and the plane want
  void on_command(command::PutConnection&& put, Context& cx);
  void on_command(command::DropConnection&& drop, Context& cx);
  void on_command(command::ArrangeConnections&& arrange, Context& cx);
  void on_command(command::SetAuthorities&& set, Context& cx);
  void on_command(command::Initiate&& initiate, Context& cx);
  void call(const command::Initiate& initiate, const model::Connection& connection,
            std::vector<model::ChildTemplate> children, const IkeSa* old, Context& cx);
  [[nodiscard]] std::vector<IpAddress> ending_vips(std::string_view connection) const;
  void on_command(command::Terminate&& terminate, Context& cx);
  void on_command(command::Rekey&& rekey, Context& cx);
  void on_command(command::Route&& route, Context& cx);
  void on_command(command::Unroute&& unroute, Context& cx);
  void on_command(command::Readdress&& readdress, Context& cx);
  void on_command(command::SetAddresses&& set, Context& cx);
  void on_command(command::Awake&& awake, Context& cx);
  void on_command(command::Shutdown&& shutdown, Context& cx);
  void on_plane(const model::plane::Acquire& acquire, Context& cx);
  void on_plane(const model::plane::Expire& expire, Context& cx);
  void on_plane(const model::plane::MappingChange& change, Context& cx);
  void on_plane(const model::plane::InstallFailed& failed, Context& cx);
  void on_plane(const model::plane::FirstInbound& first, Context& cx);

  // tables.cpp
  void adopt(IkeSa sa);
  /// After every call: adopts rekeyed SAs, decides races, deletes doomed ones, forgets closed
  /// ones, sets alarms, ends a shutdown. Its work grows with what changed, not with what there is.
  void settle(Context& cx);
  /// Whether this peer, if it may be here only once, has children under another IKE_SA.
  [[nodiscard]] bool carried_already(const IkeSa& sa) const;
  /// Whether this peer has as many IKE_SAs with one connection as it may have (kTwinsMax). Those
  /// that its INITIAL_CONTACT ends do not count.
  [[nodiscard]] bool is_crowded(const IkeSa& sa) const;
  void carry_instead_of(const IkeSa& ending, Context& cx);
  /// Whether IKE_AUTH, which is about to be sent, may say INITIAL_CONTACT: the peer may have called
  /// us since IKE_SA_INIT.
  [[nodiscard]] bool first_contact(const IkeSa& sa) const;
  /// How many other IKE_SAs of this one's row of rekeys nobody has deleted yet.
  [[nodiscard]] std::size_t undeleted_kin(const IkeSa& sa) const;
  void enforce_uniqueness(IkeSa& fresh, Context& cx);
  [[nodiscard]] IkeSa* find_by_spi(IkeSpi ours);
  [[nodiscard]] IkeSa* owner_of(model::ChildId child);
  void keep_one(IkeSa& ours, IkeSa& theirs, Context& cx);
  void settle_race(IkeSa& sa, Context& cx);
  void take_over(IkeSa& old, IkeSa& fresh, Context& cx);
  void retire_old(IkeSa& fresh, Context& cx);
  void look_after(SaId id, Context& cx);
};

}  // namespace cygnet::ike
