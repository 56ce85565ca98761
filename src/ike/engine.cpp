#include "ike/engine.hpp"

#include <algorithm>

#include "ike/engine_impl.hpp"
#include "ike/exchange/delete.hpp"
#include "ike/exchange/ike_auth.hpp"
#include "ike/exchange/ike_sa_init.hpp"
#include "ike/exchange/liveness.hpp"
#include "ike/exchange/mobike.hpp"
#include "ike/exchange/rekey_child.hpp"
#include "ike/exchange/rekey_ike.hpp"
#include "ike/limits.hpp"
#include "ike/seal.hpp"

namespace cygnet::ike {
namespace {

void send_plain(const Received& received, Context& cx, const std::vector<wire::Payload>& payloads,
                std::size_t request_size) {
  wire::Header header = received.header;
  header.initiator = !received.header.initiator;
  header.response = true;
  header.major = 2;
  header.minor = 0;
  Bytes answer = wire::write_message(header, payloads);
  // Never more octets than came in, towards an address that nothing proves (DESIGN 5.4).
  if (answer.size() > request_size) return;
  cx.out.emplace_back(
      action::Send{.local = received.local, .remote = received.remote, .bytes = std::move(answer)});
}

wire::NotifyPayload critical_notify(PayloadType type) {
  return {.type = NotifyType::unsupported_critical_payload,
          .data = {static_cast<std::uint8_t>(type)}};
}

const wire::NotifyPayload kInvalidSyntax{.type = NotifyType::invalid_syntax};

/// The row that a protected request is held to; null where there is none, so that no exchange is
/// answered whose payloads nobody has looked for.
const ExchangeSpec* spec_of(ExchangeType exchange, const std::vector<wire::Payload>& payloads) {
  switch (exchange) {
    case ExchangeType::ike_auth:
      return &kIkeAuth;
    case ExchangeType::create_child_sa: {
      const auto* offer = first_of<wire::SaPayload>(payloads);
      const bool ike = offer != nullptr && !offer->proposals.empty() &&
                       offer->proposals[0].proposal.protocol == ProtocolId::ike;
      return ike ? &kRekeyIke : &kCreateChild;
    }
    case ExchangeType::informational:
      return &kInformational;
    case ExchangeType::ike_sa_init:
      break;  // never protected
  }
  return nullptr;
}

/// The answer to a request whose inside is wrong, or nothing when it is right.
std::optional<wire::NotifyPayload> objection(const Received& received,
                                             const std::vector<wire::Payload>& payloads) {
  if (const auto type = unknown_critical(payloads)) return critical_notify(*type);
  const ExchangeSpec* spec = spec_of(received.header.exchange, payloads);
  if (spec == nullptr || missing(spec->request, payloads) || duplicated(payloads)) {
    return kInvalidSyntax;
  }
  return std::nullopt;
}

}  // namespace

bool opens_ike_sa(ByteView datagram) {
  const auto header = wire::parse_header(datagram);
  return header && header->exchange == ExchangeType::ike_sa_init && !header->response;
}

Engine::Engine(EngineConfig config, const crypto::Provider& crypto, Rng& rng)
    : impl_(std::make_unique<Impl>(config, crypto, rng)) {}
Engine::~Engine() = default;
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;

void Engine::handle(const Datagram& datagram, Instant now, Actions& out) {
  Context cx = impl_->context(now, out);
  const auto header = wire::parse_header(datagram.bytes);
  if (!header) return cx.shared.counters.add({}, Counter::invalid);
  const Received received{.local = datagram.local, .remote = datagram.remote, .header = *header};
  if (header->major != 2) {
    //= RFC7296#2.5 "it MUST drop the message and SHOULD send an unauthenticated Notify message
    //=              of type INVALID_MAJOR_VERSION"
    if (!header->response && header->major > 2) {
      send_plain(received, cx, {wire::NotifyPayload{.type = NotifyType::invalid_major_version}},
                 datagram.bytes.size());
    }
    return;
  }
  auto message = wire::parse_message(datagram.bytes);
  if (!message) return cx.shared.counters.add({}, Counter::invalid);
  if (header->exchange == ExchangeType::ike_sa_init) {
    if (header->response) {
      impl_->on_init_response(datagram, *message, cx);
    } else {
      impl_->on_init_request(datagram, *message, cx);
    }
  } else {
    impl_->on_protected(datagram, *message, cx);
  }
  impl_->settle(cx);
}

void Engine::handle(const model::PlaneEvent& event, Instant now, Actions& out) {
  Context cx = impl_->context(now, out);
  std::visit([&](const auto& one) { impl_->on_plane(one, cx); }, event);
  impl_->settle(cx);
}

void Engine::handle(Command command, Instant now, Actions& out) {
  Context cx = impl_->context(now, out);
  std::visit([&](auto& one) { impl_->on_command(std::move(one), cx); }, command);
  impl_->settle(cx);
}

void Engine::handle(Answer answer, Instant now, Actions& out) {
  Context cx = impl_->context(now, out);
  const auto asker = impl_->sas.find(SaId{static_cast<std::uint32_t>(answer.id.value() >> 32)});
  if (asker != impl_->sas.end()) {
    IkeSa& sa = asker->second;
    cx.attention.push_back(sa.id);
    const auto take = [&]<class S>(S& state, auto&& step) {
      if (state.ask != answer.id) return false;
      // The state's content leaves the SA while its successor is made; what must be sent under
      // the handshake's keys meanwhile puts them back itself.
      S content = std::move(state);
      State next = step(std::move(content), sa);
      sa.state = std::move(next);
      return true;
    };
    bool taken = false;
    if (auto* s = std::get_if<ProveToResponder>(&sa.state)) {
      sa.initial_contact = impl_->first_contact(sa);
      taken = take(
          *s, [&](auto&& st, IkeSa& to) { return on_own_proof(std::move(st), to, answer, cx); });
    } else if (auto* s2 = std::get_if<JudgeResponder>(&sa.state)) {
      taken = take(
          *s2, [&](auto&& st, IkeSa& to) { return on_judgement(std::move(st), to, answer, cx); });
    } else if (auto* s3 = std::get_if<JudgeInitiator>(&sa.state)) {
      taken = take(
          *s3, [&](auto&& st, IkeSa& to) { return on_judgement(std::move(st), to, answer, cx); });
    } else if (auto* s4 = std::get_if<ProveToInitiator>(&sa.state)) {
      sa.reauthenticates = !sa.initial_contact && impl_->carried_already(sa);
      sa.crowded = impl_->is_crowded(sa);
      taken = take(
          *s4, [&](auto&& st, IkeSa& to) { return on_own_proof(std::move(st), to, answer, cx); });
    } else if (auto* s5 = std::get_if<LeaseAddresses>(&sa.state)) {
      taken =
          take(*s5, [&](auto&& st, IkeSa& to) { return on_lease(std::move(st), to, answer, cx); });
    }
    if (taken && sa.is_established()) {
      impl_->enforce_uniqueness(sa, cx);
      start_next(sa, cx);
    } else if (!taken && sa.paths_ask == answer.id) {
      take_paths(sa, cx, answer);
    } else if (!taken) {
      take_use(sa, cx, answer);
    }
  }
  impl_->settle(cx);
}

void Engine::tick(Instant now, Actions& out) {
  Context cx = impl_->context(now, out);
  std::vector<SaId> due;
  for (const auto& [at, id] : impl_->alarms) {
    if (at > now) break;
    due.push_back(id);
  }
  for (const SaId id : due) {
    IkeSa& sa = impl_->sas.at(id);
    if (const auto alarm = ike::deadline(sa, cx.config)) cx.shared.counters.add(alarm->reason);
    ike::tick(sa, cx);
    cx.attention.push_back(id);
  }
  impl_->settle(cx);
}

void Engine::configure(EngineConfig config, Instant now, Actions& out) {
  impl_->shared.config = config;
  Context cx = impl_->context(now, out);
  // Each one's deadline may be another.
  for (const auto& [id, sa] : impl_->sas) cx.attention.push_back(id);
  impl_->settle(cx);
}

const CounterBook& Engine::counters() const { return impl_->shared.counters; }

void Engine::reset_counters(std::string_view connection) {
  if (connection.empty()) {
    impl_->shared.counters.reset();
  } else {
    static_cast<void>(impl_->shared.counters.reset(connection));
  }
}

void Engine::reset_connection_counters() { impl_->shared.counters.reset_connections(); }

std::optional<Deadline> Engine::deadline() const {
  if (impl_->alarms.empty()) return std::nullopt;
  return ike::deadline(impl_->sas.at(impl_->alarms.begin()->second), impl_->shared.config);
}

// --- messages in ---------------------------------------------------------------------------------

void Engine::Impl::on_init_request(const Datagram& datagram, const wire::Message& message,
                                   Context& cx) {
  const Received received{
      .local = datagram.local, .remote = datagram.remote, .header = message.header};
  const wire::Header& header = message.header;
  const bool well_formed = header.spi_r == IkeSpi{} && header.spi_i != IkeSpi{} &&
                           header.initiator && header.id == MessageId{0} && !message.sealed &&
                           !missing(kIkeSaInit.request, message.payloads) &&
                           !duplicated(message.payloads);
  if (!well_formed || shutting_down) return;
  if (const auto type = unknown_critical(message.payloads)) {
    return send_plain(received, cx, {critical_notify(*type)}, datagram.bytes.size());
  }
  // A repeat of a request we have answered gets the same answer, bit by bit.
  if (const auto known = half_open.find(datagram.remote, header.spi_i)) {
    IkeSa& sa = sas.at(*known);
    const auto* state = std::get_if<AwaitAuthRequest>(&sa.state);
    // Another request in its name is no repeat, and has no place of its own.
    if (state != nullptr && equal(state->handshake.init_request, datagram.bytes)) {
      transmit(sa, cx, sa.window.cached_response());
    }
    return;
  }
  const IpAddress& source = datagram.remote.address;
  auto verdict = half_open.judge(source, false, cx.config);
  if (verdict == HalfOpenTable::Verdict::cookie) {
    const Bytes& nonce = first_of<wire::NoncePayload>(message.payloads)->data;
    const auto* cookie = find_notify(message.payloads, NotifyType::cookie);
    if (cookie == nullptr ||
        !cookies.check(crypto, rng, cx.now, cookie->data, nonce, datagram.remote, header.spi_i)) {
      if (!cookie_requests.admits(cx.now)) return cx.shared.counters.add(Limit::cookie_rate);
      cx.shared.counters.add(Limit::cookie);
      return send_plain(received, cx,
                        {wire::NotifyPayload{.type = NotifyType::cookie,
                                             .data = cookies.make(crypto, rng, cx.now, nonce,
                                                                  datagram.remote, header.spi_i)}},
                        datagram.bytes.size());
    }
    verdict = half_open.judge(source, true, cx.config);
  }
  if (verdict != HalfOpenTable::Verdict::admit) return cx.shared.counters.add(Limit::half_open);
  InitAnswer answer = answer_init(received, message, datagram.bytes, cx);
  if (answer.sa) {
    answer.sa->half_open_until = cx.now + half_open.patience(cx.config);
    half_open.add(datagram.remote, header.spi_i, answer.sa->id);
    answer.sa->counted_half_open = true;
    adopt(*std::move(answer.sa));
  } else if (!answer.stateless.empty()) {
    if (!answer.record.phase.empty()) {
      if (!refusals.admits(cx.now)) return cx.shared.counters.add(Limit::refusal_rate);
      answer.record.at = cx.now;
      cx.emit(event::Failed{.record = std::move(answer.record)});
    }
    send_plain(received, cx, answer.stateless, datagram.bytes.size());
  }
}

void Engine::Impl::on_init_response(const Datagram& datagram, const wire::Message& message,
                                    Context& cx) {
  IkeSa* sa = find_by_spi(message.header.spi_i);
  if (sa == nullptr || !sa->initiator || message.header.initiator || message.sealed) return;
  auto* state = std::get_if<AwaitInitReply>(&sa->state);
  if (state == nullptr || !sa->window.awaits(message.header.id)) return;
  if (unknown_critical(message.payloads) || duplicated(message.payloads)) return;
  const Received received{
      .local = datagram.local, .remote = datagram.remote, .header = message.header};
  AwaitInitReply taken = std::move(*state);
  State next = on_init_reply(std::move(taken), *sa, received, message, datagram.bytes, cx);
  sa->state = std::move(next);
}

void Engine::Impl::on_protected(const Datagram& datagram, const wire::Message& message,
                                Context& cx) {
  const wire::Header& header = message.header;
  const IkeSpi ours = header.initiator ? header.spi_r : header.spi_i;
  IkeSa* sa = find_by_spi(ours);
  if (sa == nullptr) {
    cx.shared.counters.add({}, Counter::invalid_spi);
    if (!header.response && message.sealed) deny_spi(datagram, header, ours, cx);
    return;
  }
  const bool fits =
      sa->initiator != header.initiator && sa->spi_i == header.spi_i && sa->spi_r == header.spi_r;
  SkKeys* keys = keys_of(sa->state);
  if (!fits || keys == nullptr) return;
  if (!message.sealed) {
    const bool denied = header.response && sa->is_established() && sa->window.awaits(header.id) &&
                        find_notify(message.payloads, NotifyType::invalid_ike_spi) != nullptr;
    if (denied) sa->window.doubt(cx.now);
    return;
  }
  const Received received{.local = datagram.local, .remote = datagram.remote, .header = header};
  const wire::Sealed& sealed = *message.sealed;
  if (header.response) {
    if (!sa->window.awaits(header.id) || sa->is_closed()) return;
  } else {
    switch (sa->window.classify(header.id)) {
      case Inbound::stale:
        return;
      case Inbound::repeated:
        // Of a fragmented request only the first fragment brings the answer again (RFC 7383
        // §2.6.1).
        if (sealed.fragment <= 1 && open_sealed(crypto, *keys, header, sealed)) {
          for (const Bytes& one : sa->window.cached_response()) {
            cx.out.emplace_back(
                action::Send{.local = datagram.local, .remote = datagram.remote, .bytes = one});
          }
        }
        return;
      case Inbound::fresh:
        if (sa->is_closed()) return;
        break;
    }
  }
  Reassembly& reassembly = sa->window.reassembly(header.response);
  if (sealed.total != 0 && reassembly.pointless(sealed)) return;
  auto text = open_sealed(crypto, *keys, header, sealed);
  if (!text) return;
  if (sealed.total == 0) return on_opened(*sa, received, sealed.first_inner, *text, cx);
  if (auto whole = reassembly.add(sealed, *std::move(text))) {
    on_opened(*sa, received, whole->first, whole->text, cx);
  }
}

//= RFC7296#2.21.4 "If the message is marked as a request, the node can audit the suspicious event
// and =                 MAY send a response. ... The response MUST NOT be cryptographically
// protected and =                 MUST contain an INVALID_IKE_SPI Notify payload."
// After a restart this is how a peer learns at once that its tunnel is no more.
void Engine::Impl::deny_spi(const Datagram& datagram, const wire::Header& header, IkeSpi ours,
                            Context& cx) {
  if (!denials.admits(cx.now)) return cx.shared.counters.add(Limit::denial_rate);
  // The peer has answered our rekey with this IKE_SA, and we have not seen the answer yet.
  const bool coming = std::ranges::any_of(sas, [ours](const auto& entry) {
    const auto* rekey =
        entry.second.active ? std::get_if<RekeyIke>(&*entry.second.active) : nullptr;
    return rekey != nullptr && rekey->spi == ours;
  });
  if (coming) return;
  send_plain({.local = datagram.local, .remote = datagram.remote, .header = header}, cx,
             {wire::NotifyPayload{.type = NotifyType::invalid_ike_spi}}, datagram.bytes.size());
}

void Engine::Impl::on_opened(IkeSa& sa, const Received& received, PayloadType first,
                             ByteView plaintext, Context& cx) {
  auto payloads = wire::parse_payloads(first, plaintext);
  if (!payloads) {
    const std::string what = payloads.error().text();
    cx.shared.counters.add(sa.connection.name, Counter::invalid);
    FailureRecord record{.phase = to_string(received.header.exchange),
                         .reason = Reason::malformed,
                         .theirs = what,
                         .advice = "the peer's message breaks RFC 7296; update the peer"};
    if (received.header.response) {
      // It was authentic, so repeating the request would bring the same again.
      return give_up(sa, cx, std::move(record));
    }
    if (sa.is_established()) return respond(sa, received, {kInvalidSyntax}, cx, what);
    if (std::holds_alternative<AwaitAuthRequest>(sa.state)) {
      send_response(sa, cx, received, {kInvalidSyntax});
    }
    return fail(sa, cx, std::move(record));
  }
  sa.last_inbound = cx.now;
  note_message(sa, cx, Way::in, received.header, *payloads);
  if (received.header.response) {
    on_response(sa, received, *std::move(payloads), cx);
  } else {
    on_request(sa, received, *std::move(payloads), cx);
  }
}

/// A peer behind a NAT is where its newest authentic request came from (RFC 7296 §2.23).
//= RFC4555#3.8 "The host not behind a NAT MUST NOT use these dynamic updates for IKEv2 packets"
// With MOBIKE a request from elsewhere may be a test of that path; UPDATE_SA_ADDRESSES moves.
void Engine::Impl::follow_endpoint(IkeSa& sa, const Received& received, Context& cx) {
  const bool moved = received.remote != sa.remote || received.local != sa.local;
  const bool mapped = sa.nat_remote && !sa.nat_local;
  // Whoever has no NAT goes on to port 4500, and nowhere else: its first message may be proved to
  // have come from there, a later one carried here by anybody.
  const bool same_hosts =
      received.remote.address == sa.remote.address && received.local.address == sa.local.address;
  const bool may_follow = sa.is_half_open() ? same_hosts || sa.nat_remote : mapped;
  if (!moved || !may_follow || sa.first_initiator || sa.peer.mobike) return;
  move_to(sa, cx, received.local, received.remote);
}

/// An authentic request: it says where the peer is, or may be.
void Engine::Impl::meet_endpoint(IkeSa& sa, const Received& received, Context& cx) {
  if (received.local == sa.local && received.remote == sa.remote) {
    // Packets that came from elsewhere may have been carried there by anybody.
    if (sa.children_at && !checks_path(sa)) move_children(sa, cx, sa.local, sa.remote);
    return;
  }
  // What we wait for an answer to may have gone where the peer is no more.
  for (const Bytes& datagram : sa.window.outstanding()) {
    cx.out.emplace_back(
        action::Send{.local = received.local, .remote = received.remote, .bytes = datagram});
  }
}

void Engine::Impl::on_request(IkeSa& sa, const Received& received,
                              std::vector<wire::Payload> payloads, Context& cx) {
  if (auto* state = std::get_if<Established>(&sa.state)) {
    follow_endpoint(sa, received, cx);
    meet_endpoint(sa, received, cx);
    if (const auto problem = objection(received, payloads)) {
      return respond(sa, received, {*problem}, cx);
    }
    return on_established_request(sa, *state, received, payloads, cx);
  }
  // Before that only one thing is awaited: IKE_AUTH. Everything else is not even answered.
  auto* state = std::get_if<AwaitAuthRequest>(&sa.state);
  if (state == nullptr || sa.initiator) return;
  if (received.header.exchange != ExchangeType::ike_auth) return;
  follow_endpoint(sa, received, cx);
  if (const auto problem = objection(received, payloads)) {
    send_response(sa, cx, received, {*problem});
    return fail(
        sa, cx,
        {.phase = "IKE_AUTH", .reason = Reason::malformed, .theirs = to_string(problem->type)});
  }
  AwaitAuthRequest taken = std::move(*state);
  State next = on_auth_request(std::move(taken), sa, std::move(payloads), cx);
  sa.state = std::move(next);
}

void Engine::Impl::on_response(IkeSa& sa, const Received& received,
                               std::vector<wire::Payload> payloads, Context& cx) {
  if (unknown_critical(payloads) || duplicated(payloads)) {
    return give_up(sa, cx,
                   {.phase = to_string(received.header.exchange),
                    .reason = Reason::malformed,
                    .theirs = "an unknown critical or repeated payload in the answer"});
  }
  if (auto* state = std::get_if<AwaitAuthReply>(&sa.state)) {
    if (received.header.exchange != ExchangeType::ike_auth) return;
    AwaitAuthReply taken = std::move(*state);
    State next = on_auth_reply(std::move(taken), sa, std::move(payloads), cx);
    sa.state = std::move(next);
    return;
  }
  if (!sa.is_established()) return;
  if (find_notify(payloads, NotifyType::invalid_syntax) != nullptr) {
    return give_up(sa, cx,
                   {.phase = to_string(received.header.exchange),
                    .reason = Reason::peer_refused,
                    .theirs = "INVALID_SYNTAX",
                    .advice = "the peer could not read our request; its log says why"});
  }
  follow_answer(sa, cx, received);
  take_response(sa, cx, payloads);
}

//= RFC7296#2.21.3 "this error notification is considered fatal in both peers, meaning that the IKE
//=                 SA is deleted without needing an explicit Delete payload"
void Engine::Impl::respond(IkeSa& sa, const Received& received,
                           const std::vector<wire::Payload>& payloads, Context& cx,
                           const std::string& what) {
  send_response(sa, cx, received, payloads);
  if (sa.is_closed() || find_notify(payloads, NotifyType::invalid_syntax) == nullptr) return;
  give_up(sa, cx,
          {.phase = to_string(received.header.exchange),
           .reason = Reason::malformed,
           .theirs = what.empty() ? "a request that is badly formed" : what,
           .advice = "the peer's message breaks RFC 7296; update the peer"});
  sa.linger_until = cx.now + kClosedLinger;
}

/// A peer that uses an IKE_SA it has rekeyed has decided the race, and one that deletes the old
/// one in favour of its own too.
void Engine::Impl::learn_verdict(IkeSa& sa, const std::vector<wire::Payload>& payloads,
                                 Context& cx) {
  const auto* del = first_of<wire::DeletePayload>(payloads);
  const bool deletes_ike = del != nullptr && del->protocol == ProtocolId::ike;
  if (sa.standing == Standing::undecided && !deletes_ike) {
    const auto old = sas.find(sa.rekeyed_from);
    if (old != sas.end() && old->second.is_current() && old->second.their_fresh == sa.id) {
      take_over(old->second, sa, cx);
    }
  } else if (deletes_ike && sa.is_current() && sa.their_fresh &&
             reply_to_delete(sa.race, sa.initiator) == Survivor::theirs) {
    const auto fresh = sas.find(*sa.their_fresh);
    if (fresh != sas.end() && !fresh->second.is_closed()) take_over(sa, fresh->second, cx);
  }
}

void Engine::Impl::on_established_request(IkeSa& sa, Established& state, const Received& received,
                                          const std::vector<wire::Payload>& payloads, Context& cx) {
  learn_verdict(sa, payloads, cx);
  switch (received.header.exchange) {
    case ExchangeType::create_child_sa:
      return on_create_child(sa, state, received, payloads, cx);
    case ExchangeType::informational:
      return on_informational(sa, received, payloads, cx);
    case ExchangeType::ike_sa_init:
    case ExchangeType::ike_auth:
      break;
  }
  respond(sa, received, {kInvalidSyntax}, cx);
}

void Engine::Impl::on_create_child(IkeSa& sa, Established& state, const Received& received,
                                   const std::vector<wire::Payload>& payloads, Context& cx) {
  const auto& offer = *first_of<wire::SaPayload>(payloads);
  const bool ike =
      !offer.proposals.empty() && offer.proposals[0].proposal.protocol == ProtocolId::ike;
  const bool deleting = sa.active && std::holds_alternative<DeleteIke>(*sa.active);
  const bool rekeying = sa.active && std::holds_alternative<RekeyIke>(*sa.active);
  //= RFC7296#2.25.2 "If a peer receives a request to create or rekey a Child SA when it is
  //=                 currently rekeying [or closing] the IKE SA, it SHOULD reply with
  //=                 TEMPORARY_FAILURE."
  const bool greedy = !sa.requests.take(cx.now, kPeerRequestInterval, kPeerRequestBurst) ||
                      (ike && undeleted_kin(sa) >= kAncestorsMax);
  if (greedy) cx.shared.counters.add(Limit::peer_requests);
  if (!sa.is_current() || shutting_down || deleting || (rekeying && !ike) || greedy) {
    return send_response(sa, cx, received,
                         {wire::NotifyPayload{.type = NotifyType::temporary_failure}});
  }
  if (ike) return respond(sa, received, answer_rekey_ike(sa, state, payloads, cx), cx);
  if (const auto* rekey = find_notify(payloads, NotifyType::rekey_sa)) {
    return respond(sa, received, answer_rekey_child(sa, state, payloads, *rekey, cx), cx);
  }
  ChildAnswer answer = answer_create_child(sa, state, payloads, std::nullopt, cx);
  if (answer.made) announce_child(sa, cx, *answer.made);
  respond(sa, received, answer.payloads, cx);
}

void Engine::Impl::on_informational(IkeSa& sa, const Received& received,
                                    const std::vector<wire::Payload>& payloads, Context& cx) {
  if (find_notify(payloads, NotifyType::authentication_failed) != nullptr) {
    // An initiator that did not accept our proof (RFC 7296 §2.21.2).
    send_response(sa, cx, received, {});
    return fail(sa, cx,
                {.phase = "IKE_AUTH",
                 .reason = Reason::peer_refused,
                 .field = "local.id, local.certs, secrets",
                 .theirs = "AUTHENTICATION_FAILED",
                 .advice = "the peer did not accept our identity or proof; its log says why"});
  }
  DeleteAnswer answer = answer_delete(sa, payloads, cx);
  if (answer.ike) {
    carry_instead_of(sa, cx);  // before the answer: the peer reads nothing on the old one after it
  } else {
    for (wire::Payload& one : answer_mobike(sa, received, payloads, cx)) {
      answer.payloads.push_back(std::move(one));
    }
  }
  send_response(sa, cx, received, answer.payloads);
  if (!answer.ike || sa.is_closed()) return;
  const std::vector<model::ChildTemplate> ended = lost_children(sa);
  close(sa, cx, "deleted by the peer");
  sa.linger_until = cx.now + kClosedLinger;
  for (const model::ChildTemplate& child : ended) {
    follow_up(sa, cx, child, child.close_action, "the peer closed it");
  }
}

}  // namespace cygnet::ike
