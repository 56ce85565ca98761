// Payloads to test with: random ones by seed, and those that real clients send.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "base/writer.hpp"
#include "toys/rng.hpp"
#include "wire/codec.hpp"
#include "wire/message.hpp"

namespace cygnet::test {

/// The octets of hexadecimal text; aborts on anything else, which is a fault of the test.
inline Bytes hex(std::string_view text) {
  auto out = from_hex(text);
  CYG_CHECK(out.has_value());
  return *std::move(out);
}

inline Bytes repeat(std::uint8_t value, std::size_t count) { return Bytes(count, value); }

template <class P>
Bytes body_of(const P& payload) {
  Writer out;
  wire::write_body(out, payload);
  return out.take();
}

/// A generic payload header and a body, byte by byte (RFC 7296 §3.2).
inline Bytes raw_payload(std::uint8_t next, const Bytes& body, std::uint8_t flags = 0) {
  Writer out;
  out.be(next);
  out.be(flags);
  out.be(static_cast<std::uint16_t>(body.size() + 4));
  out.put(body);
  return out.take();
}

/// A header with the right length in front of `rest` (RFC 7296 §3.1).
inline Bytes raw_message(std::uint8_t first, const Bytes& rest, std::uint8_t exchange = 34,
                         std::uint8_t flags = 0x08, std::uint8_t version = 0x20) {
  Writer out;
  out.be(std::uint64_t{0x0102030405060708});
  out.be(std::uint64_t{0});
  out.be(first);
  out.be(version);
  out.be(exchange);
  out.be(flags);
  out.be(std::uint32_t{0});
  out.be(static_cast<std::uint32_t>(wire::kHeaderSize + rest.size()));
  out.put(rest);
  return out.take();
}

/// Makes any payload there is, within the limits; the same seed makes the same ones.
class PayloadMaker {
 public:
  static constexpr std::size_t kKinds = 14;
  explicit PayloadMaker(std::uint64_t seed) : rng_(seed) {}

  [[nodiscard]] Rng& rng() { return rng_; }
  [[nodiscard]] wire::Payload any() { return of_kind(below(kKinds)); }
  [[nodiscard]] std::vector<wire::Payload> chain(std::size_t count_max) {
    std::vector<wire::Payload> out(below(count_max + 1));
    for (wire::Payload& payload : out) payload = any();
    return out;
  }
  [[nodiscard]] wire::Header header() {
    return {.spi_i = IkeSpi{rng_.u64()},
            .spi_r = IkeSpi{rng_.u64()},
            .minor = static_cast<std::uint8_t>(below(16)),
            .exchange = static_cast<ExchangeType>(below(256)),
            .initiator = flip(),
            .response = flip(),
            .higher_version = flip(),
            .id = MessageId{rng_.u32()}};
  }
  [[nodiscard]] wire::Payload of_kind(std::size_t kind) {
    switch (kind) {
      case 0:
        return sa();
      case 1:
        return wire::KePayload{.group = KeId{u16()}, .data = bytes(0, 1200)};
      case 2:
        return id();
      case 3:
        return wire::CertPayload{.encoding = CertEncoding{u8()}, .data = bytes(0, 900)};
      case 4:
        return wire::CertReqPayload{.encoding = CertEncoding{u8()}, .authorities = bytes(0, 1060)};
      case 5:
        return wire::AuthPayload{.method = AuthMethod{u8()}, .data = bytes(0, 512)};
      case 6:
        return wire::NoncePayload{.data = bytes(16, 256)};
      case 7:
        return notify();
      case 8:
        return del();
      case 9:
        return wire::VendorIdPayload{.data = bytes(0, 40)};
      case 10:
        return ts();
      case 11:
        return cp();
      case 12:
        return eap();
      default:
        return unknown();
    }
  }

 private:
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(rng_.below(bound)); }
  bool flip() { return below(2) == 1; }
  std::uint8_t u8() { return static_cast<std::uint8_t>(below(256)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(below(65536)); }
  Bytes bytes(std::size_t least, std::size_t most) {
    return rng_.bytes(least + below(most - least + 1));
  }
  Bytes spi() {
    static constexpr std::size_t kSizes[] = {0, 4, 8};
    return rng_.bytes(kSizes[below(3)]);
  }

  wire::SaPayload sa() {
    wire::SaPayload out;
    const std::size_t count = 1 + below(5);
    for (std::size_t i = 0; i < count; ++i) {
      wire::OfferedProposal one{.number = static_cast<std::uint8_t>(i + 1), .spi = spi()};
      one.proposal.protocol = ProtocolId{u8()};
      const std::size_t transforms = 1 + below(8);
      for (std::size_t t = 0; t < transforms; ++t) {
        one.proposal.transforms.push_back({TransformType{static_cast<std::uint8_t>(below(14))},
                                           u16(), flip() ? u16() : std::uint16_t{0}});
      }
      out.proposals.push_back(std::move(one));
    }
    return out;
  }

  wire::IdPayload id() {
    wire::IdPayload out{.initiator = flip()};
    out.id.type = IdType{static_cast<std::uint8_t>(below(16))};
    out.id.data = out.id.type == IdType::ipv4_addr   ? rng_.bytes(4)
                  : out.id.type == IdType::ipv6_addr ? rng_.bytes(16)
                                                     : bytes(0, 120);
    return out;
  }

  wire::NotifyPayload notify() {
    wire::NotifyPayload out{.protocol = ProtocolId{u8()}, .spi = spi(), .type = NotifyType{u16()}};
    if (flip()) {
      const auto rows = all_notifies();
      out.type = rows[below(rows.size())].type;
    }
    const NotifyInfo* info = find_notify(out.type);
    switch (info == nullptr ? NotifyData::any : info->data) {
      case NotifyData::u8:
        out.data = rng_.bytes(1);
        break;
      case NotifyData::u16:
        out.data = rng_.bytes(2);
        break;
      case NotifyData::u32:
        out.data = rng_.bytes(4);
        break;
      case NotifyData::u16s:
        out.data = rng_.bytes(2 * below(8));
        break;
      case NotifyData::hash:
        out.data = rng_.bytes(20);
        break;
      case NotifyData::none:
      case NotifyData::any:
        out.data = bytes(0, 64);
        break;
    }
    return out;
  }

  wire::DeletePayload del() {
    static constexpr ProtocolId kProtocols[] = {ProtocolId::ike, ProtocolId::ah, ProtocolId::esp};
    wire::DeletePayload out{.protocol = kProtocols[below(3)]};
    if (out.protocol == ProtocolId::ike) return out;
    out.spis.resize(below(40));
    for (EspSpi& one : out.spis) one = EspSpi{rng_.u32()};
    return out;
  }

  IpAddress address(IpFamily family) {
    return *IpAddress::from_bytes(rng_.bytes(family == IpFamily::v4 ? 4 : 16));
  }

  wire::TsPayload ts() {
    wire::TsPayload out{.initiator = flip()};
    out.selectors.resize(1 + below(12));
    for (model::TrafficSelector& one : out.selectors) {
      const IpFamily family = flip() ? IpFamily::v4 : IpFamily::v6;
      const IpAddress a = address(family);
      const IpAddress b = address(family);
      one.range = {std::min(a, b), std::max(a, b)};
      one.protocol = u8();
      const std::uint16_t p = u16();
      const std::uint16_t q = u16();
      one.start_port = std::min(p, q);
      one.end_port = std::max(p, q);
      if (below(4) == 0) {  // OPAQUE
        one.start_port = 65535;
        one.end_port = 0;
      }
    }
    return out;
  }

  wire::CpPayload cp() {
    wire::CpPayload out{.type = CfgType{u8()}};
    out.attributes.resize(below(20));
    for (wire::CfgAttribute& one : out.attributes) {
      one = {.type = CfgAttributeType{static_cast<std::uint16_t>(below(0x8000))},
             .value = bytes(0, 24)};
    }
    return out;
  }

  wire::EapPayload eap() {
    Writer out;
    const Bytes data = bytes(0, 300);
    out.be(u8());
    out.be(u8());
    out.be(static_cast<std::uint16_t>(data.size() + 4));
    out.put(data);
    return {.message = out.take()};
  }

  wire::UnknownPayload unknown() {
    PayloadType type = PayloadType::none;
    while (is_known(type)) type = PayloadType{u8()};
    return {.type = type, .critical = flip(), .data = bytes(0, 80)};
  }

  SeededRng rng_;
};

/// What a Windows client's first IKE_AUTH holds: 53 authorities, private CP attributes, all of
/// them empty, in Windows' order of payloads. Its Vendor IDs stand in windows_vendor_ids().
inline std::vector<wire::Payload> windows_auth_request() {
  SeededRng rng{53};
  wire::CpPayload cp{.type = CfgType::request};
  for (const int type : {1, 3, 4, 23456, 8, 10, 23457}) {
    cp.attributes.push_back({.type = static_cast<CfgAttributeType>(type), .value = {}});
  }
  wire::OfferedProposal esp{.spi = rng.bytes(4)};
  esp.proposal = {.protocol = ProtocolId::esp,
                  .transforms = {{TransformType::encr, 12, 256},
                                 {TransformType::integ, 2, 0},
                                 {TransformType::esn, 0, 0}}};
  return {wire::IdPayload{.id = {.type = IdType::ipv4_addr, .data = {192, 0, 2, 7}}},
          wire::CertReqPayload{.authorities = rng.bytes(53 * 20)},
          wire::NotifyPayload{.type = NotifyType::mobike_supported},
          std::move(cp),
          wire::SaPayload{.proposals = {std::move(esp)}},
          wire::TsPayload{.selectors = {model::TrafficSelector::any(IpFamily::v4),
                                        model::TrafficSelector::any(IpFamily::v6)}},
          wire::TsPayload{.initiator = false,
                          .selectors = {model::TrafficSelector::any(IpFamily::v4),
                                        model::TrafficSelector::any(IpFamily::v6)}}};
}

/// The Vendor IDs of Windows 10 and 11 in IKE_SA_INIT.
inline std::vector<wire::Payload> windows_vendor_ids() {
  return {wire::VendorIdPayload{.data = hex("1e2b516905991c7d7c96fcbfb587e46100000009")},
          wire::VendorIdPayload{.data = hex("fb1de3cdf341b7ea16b7e5be0855f120")},
          wire::VendorIdPayload{.data = hex("26244d38eddb61b3172a36e3d0cfb819")},
          wire::VendorIdPayload{.data = hex("01528bbbc00696121849ab9a1c5b2a5100000002")}};
}

}  // namespace cygnet::test
