#include "pair.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/check.hpp"

namespace cygnet::test {
namespace {

const IpAddress kAddressA = IpAddress::v4(0xc0000201);  // 192.0.2.1
const IpAddress kAddressB = IpAddress::v4(0xc0000202);

ike::EngineConfig traced(ike::EngineConfig config, bool trace) {
  config.trace_messages = trace;
  return config;
}

model::Identity fqdn(std::string_view name) {
  return {.type = IdType::fqdn, .data = to_bytes(name)};
}

std::string squeezed(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c != ' ' || (!out.empty() && out.back() != ' ')) out += c;
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

}  // namespace

model::Connection basic_connection(bool initiator) {
  model::Connection connection{.name = "home"};
  connection.proposals = *model::parse_proposals("aes128gcm16-prfsha256-ecp256", ProtocolId::ike);
  connection.local = {.method = model::AuthClass::psk,
                      .id = fqdn(initiator ? "a.example" : "b.example")};
  connection.remote = {.method = model::AuthClass::psk,
                       .id = fqdn(initiator ? "b.example" : "a.example")};
  connection.mobike = false;
  model::ChildTemplate child{.name = "net"};
  child.esp_proposals = *model::parse_proposals("aes128gcm16-ecp256", ProtocolId::esp);
  const auto far = model::parse_selector("10.1.0.0/24");
  if (initiator) {
    child.remote_ts = {*far};
  } else {
    child.local_ts = {*far};
  }
  connection.children.push_back(std::move(child));
  return connection;
}

Node::Node(std::string node_name, Endpoint at, ike::EngineConfig config, std::uint64_t seed,
           const crypto::Provider& provider)
    : name(std::move(node_name)),
      address(at),
      crypto(provider),
      rng(seed),
      engine(config, provider, rng) {}

void Node::command(ike::Command wanted) {
  ike::Actions out;
  engine.handle(std::move(wanted), now, out);
  carry_out(std::move(out));
}

void Node::plane(const model::PlaneEvent& event) {
  ike::Actions out;
  engine.handle(event, now, out);
  carry_out(std::move(out));
}

void Node::carry_out(ike::Actions actions) {
  for (ike::Action& action : actions) {
    if (auto* send = std::get_if<ike::action::Send>(&action)) {
      outbox.push_back(std::move(*send));
    } else if (auto* install = std::get_if<ike::action::Install>(&action)) {
      const bool outbound = install->child.outbound.has_value();
      const model::ChildId id = install->child.id;
      if (refuse_installs) {
        ike::Actions more;
        engine.handle(model::PlaneEvent{model::plane::InstallFailed{id, Error{.operation = "x"}}},
                      now, more);
        carry_out(std::move(more));
        continue;
      }
      installed.emplace(id, Installed{.spec = std::move(install->child), .outbound = outbound});
    } else if (auto* activate = std::get_if<ike::action::Activate>(&action)) {
      Installed& child = installed.at(activate->child);
      EXPECT_FALSE(child.outbound) << "activated twice";
      child.spec.outbound = std::move(activate->outbound);
      child.outbound = true;
    } else if (const auto* relocate = std::get_if<ike::action::Relocate>(&action)) {
      Installed& child = installed.at(relocate->child);
      child.spec.local = relocate->local;
      child.spec.remote = relocate->remote;
    } else if (const auto* remove = std::get_if<ike::action::Remove>(&action)) {
      const std::size_t removed = installed.erase(remove->child);
      EXPECT_TRUE(removed == 1U || refuse_installs) << "removed what was not installed";
    } else if (const auto* ask = std::get_if<ike::Ask>(&action)) {
      ike::Actions more;
      engine.handle(answer(*ask), now, more);
      carry_out(std::move(more));
    } else if (auto* event = std::get_if<ike::Event>(&action)) {
      if (const auto* note = std::get_if<ike::event::Note>(event);
          note != nullptr && note->text.starts_with("send ")) {
        sent.push_back(squeezed(note->text.substr(5)));
      }
      events.push_back(std::move(*event));
    }
  }
}

ike::Answer Node::answer(const ike::Ask& ask) {
  ike::Answer out{.id = ask.id, .result = ike::answer::Refused{}};
  if (const auto* mac = std::get_if<ike::ask::SharedKeyMac>(&ask.what)) {
    const auto pad = crypto.prf(mac->prf, shared_key, {as_bytes("Key Pad for IKEv2")});
    out.result = ike::answer::Mac{.value = *crypto.prf(mac->prf, pad->reveal(), {mac->octets})};
  } else if (const auto* sign = std::get_if<ike::ask::Sign>(&ask.what)) {
    auto made = key->sign(sign->octets,
                          {.digital_signature = sign->digital_signature, .hashes = sign->hashes});
    EXPECT_TRUE(made) << made.error().text();
    ike::answer::Signed result{.signature = *std::move(made),
                               .chain = {stolen.empty() ? to_bytes(key->public_key()) : stolen}};
    for (std::size_t i = 0; i < padding_certificates; ++i) result.chain.emplace_back(1000, 0x5a);
    out.result = std::move(result);
  } else if (const auto* check = std::get_if<ike::ask::CheckCertificates>(&ask.what)) {
    if (!check->chain.empty() && std::ranges::find(trusted, check->chain[0]) != trusted.end()) {
      out.result = ike::answer::CertificateOk{.public_key = check->chain[0]};
    } else {
      out.result = ike::answer::Refused{.reason = ike::Reason::certificate_untrusted};
    }
  } else if (std::holds_alternative<ike::ask::Lease>(ask.what)) {
    if (pool.empty() || refuse_leases) {
      out.result = ike::answer::Refused{.reason = ike::Reason::pool_exhausted};
    } else {
      out.result = ike::answer::Leased{.addresses = generous ? pool : std::vector{pool.front()},
                                       .dns = {IpAddress::v4(0x01010101)}};
      pool.erase(pool.begin(), generous ? pool.end() : pool.begin() + 1);
    }
  } else if (std::holds_alternative<ike::ask::ChildUse>(ask.what)) {
    out.result = ike::answer::ChildUse{.idle = idle};
  } else if (std::holds_alternative<ike::ask::Paths>(ask.what)) {
    out.result = ike::answer::Paths{.paths = paths};
  }
  return out;
}

std::vector<std::uint32_t> Node::spis_in() const {
  std::vector<std::uint32_t> out;
  for (const auto& [id, child] : installed) {
    if (child.spec.inbound) out.push_back(child.spec.inbound->spi.value());
  }
  std::ranges::sort(out);
  return out;
}

std::vector<std::uint32_t> Node::spis_out() const {
  std::vector<std::uint32_t> out;
  for (const auto& [id, child] : installed) {
    if (child.spec.outbound) out.push_back(child.spec.outbound->spi.value());
  }
  std::ranges::sort(out);
  return out;
}

std::size_t Node::failures(ike::Reason reason) const {
  const auto all = events_of<ike::event::Failed>();
  return static_cast<std::size_t>(std::ranges::count(
      all, reason, [](const ike::event::Failed& failed) { return failed.record.reason; }));
}

Pair::Pair() : Pair(Options{}) {}

Pair::Pair(const Options& options)
    : a("a", {.address = kAddressA, .port = 500}, traced(options.config_a, options.trace), 1,
        options.crypto),
      b("b", {.address = kAddressB, .port = 500}, traced(options.config_b, options.trace), 2,
        options.crypto) {
  set_bugs_fatal(true);
  model::Connection of_a = basic_connection(true);
  model::Connection of_b = basic_connection(false);
  if (options.initiator) options.initiator(of_a);
  if (options.responder) options.responder(of_b);
  if (options.nodes) options.nodes(a, b);
  a.command(ike::command::PutConnection{std::move(of_a)});
  b.command(ike::command::PutConnection{std::move(of_b)});
}

void Pair::initiate() {
  a.command(ike::command::Initiate{.request = ike::RequestId{1},
                                   .connection = "home",
                                   .child = "net",
                                   .local = a.address,
                                   .remote = b.address});
}

void Pair::initiate_from(Node& node, const std::string& child, ike::SaId instead_of) {
  const Node& other = &node == &a ? b : a;
  node.command(ike::command::Initiate{.request = ike::RequestId{5},
                                      .connection = "home",
                                      .child = child,
                                      .local = node.address,
                                      .remote = other.address,
                                      .instead_of = instead_of});
}

void Pair::collect(Node& node) {
  for (const std::string& line : node.sent) transcript_ += node.name + " " + line + "\n";
  node.sent.clear();
}

bool Pair::deliver_from(Node& from) {
  collect(a);
  collect(b);
  if (from.outbox.empty()) return false;
  ike::action::Send datagram = std::move(from.outbox.front());
  from.outbox.pop_front();
  if (lose && lose(datagram)) return true;
  if (nat && &from == &a) datagram.local.address = *nat;
  if (nat && &from == &b) {
    if (datagram.remote.address != *nat) return true;
    datagram.remote.address = a.address.address;
  }
  Node& to = &from == &a ? b : a;
  ike::Actions out;
  to.engine.handle(
      ike::Datagram{.local = datagram.remote, .remote = datagram.local, .bytes = datagram.bytes},
      to.now, out);
  to.carry_out(std::move(out));
  collect(to);
  return true;
}

void Pair::settle() {
  int budget = 1000;
  while (deliver_from(a) || deliver_from(b)) {
    ASSERT_GT(--budget, 0) << "the two ends never stop talking\n" << transcript_;
  }
}

void Pair::pass(Duration time) {
  for (Node* node : {&a, &b}) pass(*node, time);
}

void Pair::pass(Node& node, Duration time) {
  node.now = node.now + time;
  ike::Actions out;
  node.engine.tick(node.now, out);
  node.carry_out(std::move(out));
  collect(node);
}

bool Pair::mirrored() const { return a.spis_in() == b.spis_out() && a.spis_out() == b.spis_in(); }

}  // namespace cygnet::test
