#include "ike/engine.hpp"

#include <algorithm>

#include "ike/engine_impl.hpp"
#include "ike/exchange/delete.hpp"
#include "ike/exchange/ike_auth.hpp"
#include "ike/exchange/ike_sa_init.hpp"
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

/// The answer to a request whose inside is wrong, or nothing when it is right.
std::optional<wire::NotifyPayload> objection(const Received& received,
                                             const std::vector<wire::Payload>& payloads) {
  if (const auto type = unknown_critical(payloads)) return critical_notify(*type);
  std::span<const PayloadType> required;
  if (received.header.exchange == ExchangeType::ike_auth) required = kIkeAuth.request;
  if (received.header.exchange == ExchangeType::create_child_sa) {
    const auto* offer = first_of<wire::SaPayload>(payloads);
    const bool ike = offer != nullptr && !offer->proposals.empty() &&
                     offer->proposals[0].proposal.protocol == ProtocolId::ike;
    required = ike ? kRekeyIke.request : kCreateChild.request;
  }
  if (missing(required, payloads) || duplicated(payloads)) {
    return wire::NotifyPayload{.type = NotifyType::invalid_syntax};
  }
  return std::nullopt;
}

}  // namespace

Engine::Engine(EngineConfig config, const crypto::Provider& crypto, Rng& rng)
    : impl_(std::make_unique<Impl>(config, crypto, rng)) {}
Engine::~Engine() = default;
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;

void Engine::handle(const Datagram& datagram, Instant now, Actions& out) {
  Context cx = impl_->context(now, out);
  const auto header = wire::parse_header(datagram.bytes);
  if (!header) return;
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
  if (!message) return;
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
  for (auto& [id, sa] : impl_->sas) {
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
      taken = take(
          *s, [&](auto&& st, IkeSa& to) { return on_own_proof(std::move(st), to, answer, cx); });
    } else if (auto* s2 = std::get_if<JudgeResponder>(&sa.state)) {
      taken = take(
          *s2, [&](auto&& st, IkeSa& to) { return on_judgement(std::move(st), to, answer, cx); });
    } else if (auto* s3 = std::get_if<JudgeInitiator>(&sa.state)) {
      taken = take(
          *s3, [&](auto&& st, IkeSa& to) { return on_judgement(std::move(st), to, answer, cx); });
    } else if (auto* s4 = std::get_if<ProveToInitiator>(&sa.state)) {
      taken = take(
          *s4, [&](auto&& st, IkeSa& to) { return on_own_proof(std::move(st), to, answer, cx); });
    } else if (auto* s5 = std::get_if<LeaseAddresses>(&sa.state)) {
      taken =
          take(*s5, [&](auto&& st, IkeSa& to) { return on_lease(std::move(st), to, answer, cx); });
    }
    if (!taken) continue;
    if (sa.is_established()) {
      if (!sa.initiator) impl_->enforce_uniqueness(sa, cx);
      start_next(sa, cx);
    }
    break;
  }
  impl_->settle(cx);
}

void Engine::tick(Instant now, Actions& out) {
  Context cx = impl_->context(now, out);
  for (auto& [id, sa] : impl_->sas) ike::tick(sa, cx);
  impl_->settle(cx);
}

std::optional<Deadline> Engine::deadline() const {
  std::optional<Deadline> first;
  for (const auto& [id, sa] : impl_->sas) {
    const auto one = ike::deadline(sa, impl_->shared.config);
    if (one && (!first || one->at < first->at)) first = one;
  }
  return first;
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
  if (const auto known = half_open.find({datagram.remote, header.spi_i});
      known != half_open.end()) {
    IkeSa& sa = sas.at(known->second);
    const auto* state = std::get_if<AwaitAuthRequest>(&sa.state);
    if (state != nullptr && equal(state->handshake.init_request, datagram.bytes)) {
      transmit(sa, cx, sa.window.cached_response());
      return;
    }
  }
  const auto at = half_open_by_address.find(datagram.remote.address);
  const std::size_t from_address = at == half_open_by_address.end() ? 0 : at->second;
  if (half_open.size() >= cx.config.half_open_max ||
      from_address >= cx.config.block_threshold_per_ip) {
    return;
  }
  if (half_open.size() >= cx.config.cookie_threshold ||
      from_address >= cx.config.cookie_threshold_per_ip) {
    const Bytes& nonce = first_of<wire::NoncePayload>(message.payloads)->data;
    const auto* cookie = find_notify(message.payloads, NotifyType::cookie);
    if (cookie == nullptr ||
        !cookies.check(crypto, rng, cx.now, cookie->data, nonce, datagram.remote, header.spi_i)) {
      return send_plain(received, cx,
                        {wire::NotifyPayload{.type = NotifyType::cookie,
                                             .data = cookies.make(crypto, rng, cx.now, nonce,
                                                                  datagram.remote, header.spi_i)}},
                        datagram.bytes.size());
    }
  }
  InitAnswer answer = answer_init(received, message, datagram.bytes, cx);
  if (answer.sa) {
    half_open[{datagram.remote, header.spi_i}] = answer.sa->id;
    ++half_open_by_address[datagram.remote.address];
    adopt(*std::move(answer.sa));
  } else if (!answer.stateless.empty()) {
    send_plain(received, cx, std::move(answer.stateless), datagram.bytes.size());
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
  IkeSa* sa = find_by_spi(header.initiator ? header.spi_r : header.spi_i);
  if (sa == nullptr || !message.sealed) return;
  const bool fits =
      sa->initiator != header.initiator && sa->spi_i == header.spi_i && sa->spi_r == header.spi_r;
  SkKeys* keys = keys_of(sa->state);
  if (!fits || keys == nullptr) return;
  const Received received{.local = datagram.local, .remote = datagram.remote, .header = header};
  const wire::Sealed& sealed = *message.sealed;
  if (header.response) {
    if (!sa->window.awaits(header.id)) return;
  } else {
    switch (sa->window.classify(header.id)) {
      case Window::Inbound::stale:
        return;
      case Window::Inbound::repeated:
        // Of a fragmented request only the first fragment brings the answer again (RFC 7383
        // §2.6.1).
        if (sealed.fragment <= 1 && open_sealed(crypto, *keys, header, sealed)) {
          for (const Bytes& one : sa->window.cached_response()) {
            cx.out.emplace_back(
                action::Send{.local = datagram.local, .remote = datagram.remote, .bytes = one});
          }
        }
        return;
      case Window::Inbound::fresh:
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

void Engine::Impl::on_opened(IkeSa& sa, const Received& received, PayloadType first,
                             ByteView plaintext, Context& cx) {
  auto payloads = wire::parse_payloads(first, plaintext);
  if (!payloads) {
    const std::string what = payloads.error().text();
    FailureRecord record{.phase = to_string(received.header.exchange),
                         .reason = Reason::malformed,
                         .theirs = what,
                         .advice = "the peer's message breaks RFC 7296; update the peer"};
    if (received.header.response) {
      // It was authentic, so repeating the request would bring the same again.
      return fail(sa, cx, std::move(record));
    }
    if (std::holds_alternative<AwaitAuthRequest>(sa.state) || sa.is_established()) {
      send_response(sa, cx, received, {wire::NotifyPayload{.type = NotifyType::invalid_syntax}});
    }
    // An authentic message that does not parse ends the IKE_SA (RFC 7296 §2.21.3).
    return fail(sa, cx, std::move(record));
  }
  sa.last_inbound = cx.now;
  trace(sa, cx, "received", received.header, *payloads);
  if (received.header.response) {
    on_response(sa, received, *std::move(payloads), cx);
  } else {
    on_request(sa, received, *std::move(payloads), cx);
  }
}

/// A peer behind a NAT is where its newest authentic request came from (RFC 7296 §2.23).
void Engine::Impl::follow_endpoint(IkeSa& sa, const Received& received, Context& cx) {
  const bool moved = received.remote != sa.remote || received.local != sa.local;
  const bool may_follow = sa.is_half_open() || (sa.nat_remote && !sa.nat_local) ||
                          received.local.address == sa.local.address;
  if (!moved || !may_follow || sa.initiator) return;
  sa.local = received.local;
  sa.remote = received.remote;
  for (const Child& child : sa.children.all()) {
    cx.out.emplace_back(
        action::Relocate{.child = child.id, .local = sa.local, .remote = sa.remote});
  }
}

void Engine::Impl::on_request(IkeSa& sa, const Received& received,
                              std::vector<wire::Payload> payloads, Context& cx) {
  if (auto* state = std::get_if<Established>(&sa.state)) {
    follow_endpoint(sa, received, cx);
    if (const auto problem = objection(received, payloads)) {
      return send_response(sa, cx, received, {*problem});
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
    return fail(sa, cx,
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
  if (sa.is_established()) take_response(sa, cx, payloads);
}

void Engine::Impl::on_established_request(IkeSa& sa, Established& state, const Received& received,
                                          const std::vector<wire::Payload>& payloads, Context& cx) {
  switch (received.header.exchange) {
    case ExchangeType::create_child_sa:
      return on_create_child(sa, state, received, payloads, cx);
    case ExchangeType::informational:
      return on_informational(sa, received, payloads, cx);
    case ExchangeType::ike_sa_init:
    case ExchangeType::ike_auth:
      break;
  }
  send_response(sa, cx, received, {wire::NotifyPayload{.type = NotifyType::invalid_syntax}});
}

void Engine::Impl::on_create_child(IkeSa& sa, Established& state, const Received& received,
                                   const std::vector<wire::Payload>& payloads, Context& cx) {
  const bool closing = sa.replaced || shutting_down ||
                       (sa.active && (std::holds_alternative<RekeyIke>(*sa.active) ||
                                      std::holds_alternative<DeleteIke>(*sa.active)));
  if (closing) {
    return send_response(sa, cx, received,
                         {wire::NotifyPayload{.type = NotifyType::temporary_failure}});
  }
  const auto& offer = *first_of<wire::SaPayload>(payloads);
  const bool ike =
      !offer.proposals.empty() && offer.proposals[0].proposal.protocol == ProtocolId::ike;
  if (ike) {
    IkeRekeyAnswer answer = answer_rekey_ike(sa, state, payloads, cx);
    send_response(sa, cx, received, answer.payloads);
    if (answer.fresh && !sa.is_closed()) hand_over(sa, *std::move(answer.fresh), cx);
    return;
  }
  if (const auto* rekey = find_notify(payloads, NotifyType::rekey_sa)) {
    return send_response(sa, cx, received, answer_rekey_child(sa, state, payloads, *rekey, cx));
  }
  ChildAnswer answer = answer_create_child(sa, state, payloads, std::nullopt, cx);
  if (answer.made) {
    if (const Child* child = sa.children.find(*answer.made)) {
      cx.emit(event::ChildUp{.sa = sa.id,
                             .child = child->id,
                             .connection = sa.connection.name,
                             .name = child->wanted.name});
    }
  }
  send_response(sa, cx, received, answer.payloads);
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
  send_response(sa, cx, received, answer.payloads);
  if (!answer.ike || sa.is_closed()) return;
  std::vector<std::string> again;
  for (const Child& child : sa.children.all()) {
    if (child.wanted.close_action == model::ChildAction::start && !child.successor) {
      again.push_back(child.wanted.name);
    }
  }
  close(sa, cx, "deleted by the peer");
  for (std::string& child : again) {
    cx.emit(event::WantUp{.connection = sa.connection.name,
                          .child = std::move(child),
                          .why = "the peer closed it (close_action = start)"});
  }
}

// --- the tables
// ------------------------------------------------------------------------------------

void Engine::Impl::adopt(IkeSa sa) {
  by_spi[sa.our_spi()] = sa.id;
  const SaId id = sa.id;
  sas.emplace(id, std::move(sa));
}

IkeSa* Engine::Impl::find_by_spi(IkeSpi ours) {
  const auto at = by_spi.find(ours);
  return at == by_spi.end() ? nullptr : &sas.at(at->second);
}

IkeSa* Engine::Impl::owner_of(model::ChildId child) {
  for (auto& [id, sa] : sas) {
    if (sa.children.find(child) != nullptr) return &sa;
  }
  return nullptr;
}

/// RFC 7296 §2.4 and `unique`: a peer that starts anew replaces its old IKE_SAs.
void Engine::Impl::enforce_uniqueness(IkeSa& fresh, Context& cx) {
  const model::Uniqueness rule = fresh.connection.unique;
  if (rule == model::Uniqueness::never) return;
  if (rule == model::Uniqueness::no && !fresh.initial_contact) return;
  for (auto& [id, other] : sas) {
    const bool same = id != fresh.id && other.is_established() && !other.replaced &&
                      other.connection.name == fresh.connection.name &&
                      other.remote_id == fresh.remote_id && other.local_id == fresh.local_id;
    if (!same) continue;
    if (rule == model::Uniqueness::keep && !fresh.initial_contact) {
      fresh.doomed = "unique = keep: this peer is connected already";
      return;
    }
    if (fresh.initial_contact) {
      close(other, cx, "the peer started anew (INITIAL_CONTACT)");
    } else {
      other.doomed = "unique = replace: the peer connected again";
    }
  }
}

void Engine::Impl::recount_half_open() {
  half_open.clear();
  half_open_by_address.clear();
  for (const auto& [id, sa] : sas) {
    if (!sa.is_half_open()) continue;
    half_open[{sa.init_remote, sa.spi_i}] = id;
    ++half_open_by_address[sa.init_remote.address];
  }
}

void Engine::Impl::settle(Context& cx) {
  while (!born.empty()) {
    std::vector<IkeSa> fresh = std::exchange(born, {});
    for (IkeSa& sa : fresh) {
      const SaId id = sa.id;
      adopt(std::move(sa));
      start_next(sas.at(id), cx);
    }
  }
  for (auto& [id, sa] : sas) {
    if (!sa.doomed.empty() && sa.is_established()) {
      enqueue(sa, cx, DeleteIke{.why = std::exchange(sa.doomed, {})});
    }
  }
  bool changed = false;
  for (const auto& [key, id] : half_open) {
    const auto at = sas.find(id);
    changed = changed || at == sas.end() || !at->second.is_half_open();
  }
  std::erase_if(sas, [this](const auto& entry) {
    if (!entry.second.is_closed()) return false;
    by_spi.erase(entry.second.our_spi());
    return true;
  });
  if (changed) recount_half_open();
  if (shutting_down && sas.empty()) {
    shutting_down = false;
    cx.emit(event::Quiet{});
  }
}

}  // namespace cygnet::ike
