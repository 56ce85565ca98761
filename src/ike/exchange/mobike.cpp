#include "ike/exchange/mobike.hpp"

#include <algorithm>

namespace cygnet::ike {
namespace {

constexpr std::size_t kCookie2Size = 16;  // RFC 4555 §4.2.5: 8 to 64 octets

wire::NotifyPayload notify(NotifyType type, Bytes data = {}) {
  return {.type = type, .data = std::move(data)};
}

bool encapsulates(const IkeSa& sa, const EngineConfig& config) {
  return config.force_udp_encap || sa.connection.encap;
}

void judge_again(IkeSa& sa, Context& cx, const std::vector<wire::Payload>& payloads) {
  const wire::Header header{.spi_i = sa.spi_i, .spi_r = sa.spi_r};
  const NatVerdict verdict = judge_nat(cx.crypto, header, payloads, sa.local, sa.remote);
  if (!verdict.supported) return;
  sa.nat_local = verdict.local;
  sa.nat_remote = verdict.remote;
}

bool has_task(const IkeSa& sa, auto is_it) {
  return std::ranges::any_of(sa.tasks, is_it) || (sa.active && is_it(*sa.active));
}

}  // namespace

void add_mobike_supported(const IkeSa& sa, std::vector<wire::Payload>& out) {
  if (sa.connection.mobike) out.emplace_back(notify(NotifyType::mobike_supported));
}

void learn_mobike(IkeSa& sa, const std::vector<wire::Payload>& payloads) {
  sa.peer.mobike =
      sa.connection.mobike && find_notify(payloads, NotifyType::mobike_supported) != nullptr;
}

std::vector<wire::Payload> nat_notifies_of(const IkeSa& sa, Context& cx) {
  const wire::Header header{.spi_i = sa.spi_i, .spi_r = sa.spi_r};
  return nat_notifies(cx.crypto, cx.rng, header, sa.local, sa.remote, encapsulates(sa, cx.config));
}

void move_to(IkeSa& sa, Context& cx, const Endpoint& local, const Endpoint& remote) {
  if (sa.local == local && sa.remote == remote) return;
  sa.local = local;
  sa.remote = remote;
  for (const Child& child : sa.children.all()) {
    cx.out.emplace_back(
        action::Relocate{.child = child.id, .local = sa.local, .remote = sa.remote});
  }
}

void change_local(IkeSa& sa, Context& cx, const IpAddress& local) {
  // Whoever was called stays where it was called.
  if (sa.local.address == local || sa.is_closed() || !sa.first_initiator) return;
  cx.attention.push_back(sa.id);
  if (!sa.peer.mobike) {
    const std::string connection = sa.connection.name;
    std::vector<std::string> again;
    for (const Child& child : sa.children.all()) {
      if (child.is_current() && child.wanted.stays_up()) again.push_back(child.wanted.name);
    }
    close(sa, cx, "our address has changed, and the peer has no MOBIKE");
    for (std::string& child : again) {
      cx.emit(event::WantUp{
          .connection = connection, .child = std::move(child), .why = "our address has changed"});
    }
    return;
  }
  move_to(sa, cx, {.address = local, .port = cx.config.natt_port}, sa.remote);
  // A request that is under way goes out again at once, from the new address (RFC 4555 §3.5).
  if (sa.window.hurry(cx.now)) transmit(sa, cx, sa.window.retransmit(cx.now).datagrams);
  const bool queued = std::ranges::any_of(
      sa.tasks, [](const Task& task) { return std::holds_alternative<UpdateAddresses>(task); });
  if (queued) return;
  sa.tasks.emplace_front(UpdateAddresses{});
  start_next(sa, cx);
}

void notice_mapping(IkeSa& sa, Context& cx, const std::vector<wire::Payload>& reply) {
  const auto* seen = find_notify(reply, NotifyType::nat_detection_destination_ip);
  if (seen == nullptr) return;
  const Bytes before = std::exchange(sa.seen_as, seen->data);
  if (before.empty() || before == sa.seen_as || !sa.first_initiator || !sa.peer.mobike) return;
  const auto is_update = [](const Task& task) {
    return std::holds_alternative<UpdateAddresses>(task);
  };
  if (!has_task(sa, is_update)) enqueue(sa, cx, UpdateAddresses{});
}

// --- the initiator's side ------------------------------------------------------------------------

std::optional<Request> UpdateAddresses::build(IkeSa& sa, Context& cx) {
  if (!sa.is_current()) return std::nullopt;
  told = sa.local;
  std::vector<wire::Payload> payloads{notify(NotifyType::update_sa_addresses)};
  for (wire::Payload& one : nat_notifies_of(sa, cx)) payloads.push_back(std::move(one));
  return Request{.exchange = ExchangeType::informational, .payloads = std::move(payloads)};
}

Step UpdateAddresses::on_response(IkeSa& sa, const std::vector<wire::Payload>& reply, Context& cx) {
  if (told != sa.local) return Again{};  // we have moved on meanwhile
  if (const auto* error = find_error(reply)) {
    report(sa, cx,
           {.phase = "MOBIKE",
            .reason = Reason::peer_refused,
            .field = "mobike",
            .theirs = to_string(error->type),
            .advice = "the peer does not accept our new address"});
    return Done{};
  }
  judge_again(sa, cx, reply);
  if (const auto* seen = find_notify(reply, NotifyType::nat_detection_destination_ip)) {
    sa.seen_as = seen->data;
  }
  cx.emit(event::Note{
      .sa = sa.id, .connection = sa.connection.name, .text = "moved to " + sa.local.text()});
  return Done{};
}

void UpdateAddresses::abandon(Context&, const std::string&) {}

// --- the responder's side ------------------------------------------------------------------------

std::vector<wire::Payload> answer_mobike(IkeSa& sa, const Received& received,
                                         const std::vector<wire::Payload>& request, Context& cx) {
  std::vector<wire::Payload> out;
  const bool moves = find_notify(request, NotifyType::update_sa_addresses) != nullptr &&
                     !sa.first_initiator && sa.peer.mobike;
  if (moves) {
    move_to(sa, cx, received.local, received.remote);
    judge_again(sa, cx, request);
    cx.emit(event::Note{.sa = sa.id,
                        .connection = sa.connection.name,
                        .text = "the peer moved to " + sa.remote.text()});
    const auto is_check = [](const Task& task) { return std::holds_alternative<CheckPath>(task); };
    if (!has_task(sa, is_check)) sa.tasks.emplace_back(CheckPath{});
    cx.attention.push_back(sa.id);  // it starts once this request is answered
  }
  if (find_notify(request, NotifyType::nat_detection_source_ip) != nullptr) {
    out = nat_notifies_of(sa, cx);
  }
  //= RFC4555#3.7 "the responder MUST include the COOKIE2 ... notification [in the response]"
  if (const auto* cookie = find_notify(request, NotifyType::cookie2)) {
    out.emplace_back(notify(NotifyType::cookie2, cookie->data));
  }
  return out;
}

std::optional<Request> CheckPath::build(IkeSa& sa, Context& cx) {
  if (!sa.is_current()) return std::nullopt;
  cookie = cx.rng.bytes(kCookie2Size);
  return Request{.exchange = ExchangeType::informational,
                 .payloads = {notify(NotifyType::cookie2, cookie)}};
}

Step CheckPath::on_response(IkeSa& sa, const std::vector<wire::Payload>& reply, Context& cx) {
  const auto* echoed = find_notify(reply, NotifyType::cookie2);
  if (echoed == nullptr || echoed->data != cookie) {
    //= RFC4555#3.7 "If the COOKIE2 ... does not match ... the IKE SA MUST be closed"
    fail(sa, cx,
         {.phase = "MOBIKE",
          .reason = Reason::malformed,
          .theirs = "COOKIE2 did not come back",
          .advice = "the peer claims an address at which it does not answer"});
  }
  return Done{};
}

void CheckPath::abandon(Context&, const std::string&) {}

}  // namespace cygnet::ike
