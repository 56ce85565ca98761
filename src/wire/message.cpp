// The header, the chain of payloads, SK and SKF framing.     RFC 7296 §3.1, §3.2, §3.14, RFC 7383
// §2.5
//
//    |                       IKE SA Initiator's SPI                  |
//    |                       IKE SA Responder's SPI                  |
//    |  Next Payload | MjVer | MnVer | Exchange Type |     Flags     |
//    |                          Message ID                           |
//    |                            Length                             |
//
//    | Next Payload  |C|  RESERVED   |         Payload Length        |
#include "wire/message.hpp"

#include "base/writer.hpp"
#include "wire/codec.hpp"

namespace cygnet::wire {
namespace {

constexpr std::uint8_t kFlagInitiator = 0x08;
constexpr std::uint8_t kFlagVersion = 0x10;
constexpr std::uint8_t kFlagResponse = 0x20;
constexpr std::uint8_t kCritical = 0x80;
constexpr std::size_t kGenericHeader = 4;
constexpr std::size_t kLengthOffset = 24;

Header read_header(Reader& in, PayloadType& first, std::uint32_t& length) {
  Header out{.spi_i = in.be<IkeSpi>()};
  out.spi_r = in.be<IkeSpi>();
  first = in.be<PayloadType>();
  const auto version = in.be<std::uint8_t>();
  out.major = static_cast<std::uint8_t>(version >> 4);
  out.minor = version & 0x0f;
  out.exchange = in.be<ExchangeType>();
  const auto flags = in.be<std::uint8_t>();
  out.initiator = (flags & kFlagInitiator) != 0;
  out.response = (flags & kFlagResponse) != 0;
  out.higher_version = (flags & kFlagVersion) != 0;
  out.id = in.be<MessageId>();
  length = in.be<std::uint32_t>();
  return out;
}

template <class P>
void keep(Reader& in, std::vector<Payload>& out, Result<P, ParseError> parsed) {
  if (parsed) {
    out.emplace_back(*std::move(parsed));
  } else {
    in.absorb(parsed.error());
  }
}

void parse_body(Reader& in, PayloadType type, bool critical, ByteView body,
                std::vector<Payload>& out) {
  const auto reader = [body](std::string_view what) { return Reader{body, what}; };
  switch (type) {
    case PayloadType::sa:
      return keep(in, out, parse_sa(reader("SA payload")));
    case PayloadType::ke:
      return keep(in, out, parse_ke(reader("KE payload")));
    case PayloadType::id_i:
      return keep(in, out, parse_id(reader("IDi payload"), true));
    case PayloadType::id_r:
      return keep(in, out, parse_id(reader("IDr payload"), false));
    case PayloadType::cert:
      return keep(in, out, parse_cert(reader("CERT payload")));
    case PayloadType::cert_req:
      return keep(in, out, parse_cert_req(reader("CERTREQ payload")));
    case PayloadType::auth:
      return keep(in, out, parse_auth(reader("AUTH payload")));
    case PayloadType::nonce:
      return keep(in, out, parse_nonce(reader("Nonce payload")));
    case PayloadType::notify:
      return keep(in, out, parse_notify(reader("Notify payload")));
    case PayloadType::del:
      return keep(in, out, parse_delete(reader("Delete payload")));
    case PayloadType::ts_i:
      return keep(in, out, parse_ts(reader("TSi payload"), true));
    case PayloadType::ts_r:
      return keep(in, out, parse_ts(reader("TSr payload"), false));
    case PayloadType::cp:
      return keep(in, out, parse_cp(reader("CP payload")));
    case PayloadType::eap:
      return keep(in, out, parse_eap(reader("EAP payload")));
    case PayloadType::vendor_id:
      out.emplace_back(VendorIdPayload{to_bytes(body)});
      return;
    case PayloadType::none:
    case PayloadType::sk:
    case PayloadType::skf:
      break;
  }
  out.emplace_back(UnknownPayload{.type = type, .critical = critical, .data = to_bytes(body)});
}

/// Reads SK or SKF, which stand last: `next` is the type of the first payload inside.
std::optional<Sealed> read_sealed(Reader& in, ByteView datagram, PayloadType type, PayloadType next,
                                  std::size_t body_size) {
  Sealed out{.first_inner = next};
  const std::size_t start = in.offset();
  Reader body = in.sub(body_size, type == PayloadType::sk ? "SK payload" : "SKF payload");
  if (type == PayloadType::skf) {
    out.fragment = body.be<std::uint16_t>();
    out.total = body.be<std::uint16_t>();
    //= RFC7383#2.5 "Fragment Number ... MUST be less than or equal to Total Fragments. This field
    //=              MUST NOT be zero."
    body.require(out.fragment != 0 && out.fragment <= out.total, ParseFault::bad_value);
  }
  out.associated = datagram.first(start + body.offset());
  out.body = body.rest();
  if (!in.ok()) return std::nullopt;
  if (!body.ok()) {
    in.absorb(body.error());
    return std::nullopt;
  }
  return out;
}

/// The chain of payloads up to its end or, where that may stand, SK.
void read_chain(Reader& in, PayloadType type, std::vector<Payload>& out,
                std::optional<Sealed>* sealed, ByteView datagram) {
  std::size_t count = 0;
  while (in.ok() && type != PayloadType::none) {
    in.require(++count <= kPayloadsMax, ParseFault::too_many);
    const auto next = in.be<PayloadType>();
    const bool critical = (in.be<std::uint8_t>() & kCritical) != 0;
    const auto length = in.be<std::uint16_t>();
    in.require(length >= kGenericHeader);
    if (!in.ok()) return;
    const std::size_t body_size = length - kGenericHeader;
    if (type == PayloadType::sk || type == PayloadType::skf) {
      in.require(sealed != nullptr, ParseFault::bad_value);
      if (!in.ok()) return;
      *sealed = read_sealed(in, datagram, type, next, body_size);
      return;  // anything after it is trailing octets
    }
    const ByteView body = in.take(body_size);
    if (in.ok()) parse_body(in, type, critical, body, out);
    type = next;
  }
}

void put_header(Writer& out, const Header& header, PayloadType first) {
  out.be(header.spi_i);
  out.be(header.spi_r);
  out.be(first);
  out.be(static_cast<std::uint8_t>((header.major << 4) | (header.minor & 0x0f)));
  out.be(header.exchange);
  out.be(static_cast<std::uint8_t>((header.initiator ? kFlagInitiator : 0) |
                                   (header.higher_version ? kFlagVersion : 0) |
                                   (header.response ? kFlagResponse : 0)));
  out.be(header.id);
  out.zeros(4);
}

void put_chain(Writer& out, const std::vector<Payload>& payloads) {
  for (std::size_t i = 0; i < payloads.size(); ++i) {
    const std::size_t start = out.size();
    const auto* unknown = std::get_if<UnknownPayload>(&payloads[i]);
    out.be(i + 1 < payloads.size() ? type_of(payloads[i + 1]) : PayloadType::none);
    out.be(unknown != nullptr && unknown->critical ? kCritical : std::uint8_t{0});
    out.zeros(2);
    out.sized16(start, start + 2, [&] {
      std::visit([&out](const auto& payload) { write_body(out, payload); }, payloads[i]);
    });
  }
}

PayloadType first_type(const std::vector<Payload>& payloads) {
  return payloads.empty() ? PayloadType::none : type_of(payloads.front());
}

}  // namespace

Result<Header, ParseError> parse_header(ByteView datagram) {
  Reader in{datagram, "IKE header"};
  PayloadType first = PayloadType::none;
  std::uint32_t length = 0;
  const Header header = read_header(in, first, length);
  in.require(length == datagram.size());
  in.skip(in.remaining());
  return in.finish(header);
}

Result<Message, ParseError> parse_message(ByteView datagram) {
  Reader in{datagram, "IKE message"};
  in.require(datagram.size() <= kMessageBytesMax, ParseFault::too_many);
  Message out;
  PayloadType first = PayloadType::none;
  std::uint32_t length = 0;
  out.header = read_header(in, first, length);
  in.require(length == datagram.size());
  in.require(out.header.major == 2, ParseFault::unsupported);
  read_chain(in, first, out.payloads, &out.sealed, datagram);
  return in.finish(std::move(out));
}

Result<std::vector<Payload>, ParseError> parse_payloads(PayloadType first, ByteView plaintext) {
  Reader in{plaintext, "encrypted payloads"};
  std::vector<Payload> out;
  read_chain(in, first, out, nullptr, {});
  return in.finish(std::move(out));
}

Bytes write_message(const Header& header, const std::vector<Payload>& payloads) {
  Writer out;
  put_header(out, header, first_type(payloads));
  put_chain(out, payloads);
  out.patch32(kLengthOffset, static_cast<std::uint32_t>(out.size()));
  return out.take();
}

Chain write_payloads(const std::vector<Payload>& payloads) {
  Writer out;
  put_chain(out, payloads);
  return {.first = first_type(payloads), .bytes = out.take()};
}

Bytes write_sk_head(const Header& header, PayloadType first_inner, std::size_t body_size) {
  Writer out;
  put_header(out, header, PayloadType::sk);
  out.be(first_inner);
  out.zeros(1);
  CYG_CHECK(kGenericHeader + body_size <= 0xffff);
  out.be(static_cast<std::uint16_t>(kGenericHeader + body_size));
  out.patch32(kLengthOffset, static_cast<std::uint32_t>(out.size() + body_size));
  return out.take();
}

Bytes write_skf_head(const Header& header, PayloadType first_inner, std::uint16_t number,
                     std::uint16_t total, std::size_t body_size) {
  Writer out;
  put_header(out, header, PayloadType::skf);
  out.be(first_inner);
  out.zeros(1);
  CYG_CHECK(kGenericHeader + 4 + body_size <= 0xffff);
  out.be(static_cast<std::uint16_t>(kGenericHeader + 4 + body_size));
  out.be(number);
  out.be(total);
  out.patch32(kLengthOffset, static_cast<std::uint32_t>(out.size() + body_size));
  return out.take();
}

}  // namespace cygnet::wire
