// Malformed and merely odd messages by class, each with the fault its parser must name (none:
// it must be accepted). The corpus of the fuzzers starts from the same table.
#pragma once

#include <string>

#include "unit/wire/samples.hpp"

namespace cygnet::test {

struct BadInput {
  std::string name;    ///< unique; the name of the corpus file
  std::string parser;  ///< which parser reads `bytes`; fault_of() knows them
  Bytes bytes;
  ParseFault fault = ParseFault::none;
};

/// How the parser ended: ParseFault::none when it accepted.
inline ParseFault fault_of(const std::string& parser, ByteView bytes) {
  const auto of = [](const auto& result) {
    return result.has_value() ? ParseFault::none : result.error().fault;
  };
  const Reader body{bytes, "test input"};
  if (parser == "header") return of(wire::parse_header(bytes));
  if (parser == "message" || parser == "fragment") return of(wire::parse_message(bytes));
  if (parser == "chain") {  // the first octet is the type of the first payload
    return of(wire::parse_payloads(PayloadType{bytes[0]}, bytes.subspan(1)));
  }
  if (parser == "sa") return of(wire::parse_sa(body));
  if (parser == "ke") return of(wire::parse_ke(body));
  if (parser == "nonce") return of(wire::parse_nonce(body));
  if (parser == "id") return of(wire::parse_id(body, true));
  if (parser == "cert") return of(wire::parse_cert(body));
  if (parser == "cert_req") return of(wire::parse_cert_req(body));
  if (parser == "auth") return of(wire::parse_auth(body));
  if (parser == "notify") return of(wire::parse_notify(body));
  if (parser == "delete") return of(wire::parse_delete(body));
  if (parser == "ts") return of(wire::parse_ts(body, true));
  if (parser == "cp") return of(wire::parse_cp(body));
  if (parser == "eap") return of(wire::parse_eap(body));
  CYG_CHECK(false);
  return ParseFault::none;
}

/// The fuzz target that reads what `parser` reads.
inline std::string fuzz_target_of(const std::string& parser) {
  if (parser == "header" || parser == "message") return "ike_message";
  if (parser == "fragment") return "fragments";
  if (parser == "chain") return "payload_chain";
  if (parser == "ke" || parser == "nonce") return "key_exchange";
  if (parser == "id" || parser == "cert" || parser == "cert_req" || parser == "auth") {
    return "identity";
  }
  if (parser == "notify" || parser == "delete") return "notify";
  if (parser == "ts") return "traffic_selector";
  if (parser == "cp" || parser == "eap") return "configuration";
  return parser;
}

namespace bad {

using enum ParseFault;

inline Bytes with(Bytes bytes, std::size_t offset, std::initializer_list<std::uint8_t> values) {
  for (const std::uint8_t value : values) bytes[offset++] = value;
  return bytes;
}
inline Bytes plus(Bytes bytes, const Bytes& more) {
  append(bytes, more);
  return bytes;
}
inline Bytes cut(Bytes bytes, std::size_t size) {
  bytes.resize(size);
  return bytes;
}
inline Bytes many(const Bytes& one, std::size_t count) {
  Bytes out;
  for (std::size_t i = 0; i < count; ++i) append(out, one);
  return out;
}

/// A transform: "more" flag, its length by itself unless given, type, id, attributes.
inline Bytes raw_transform(std::uint8_t more, std::uint8_t type = 1, std::uint16_t id = 12,
                           const Bytes& attributes = {}, int length = -1) {
  Writer out;
  out.be(more);
  out.zeros(1);
  out.be(static_cast<std::uint16_t>(length >= 0 ? static_cast<std::size_t>(length)
                                                : 8 + attributes.size()));
  out.be(type);
  out.zeros(1);
  out.be(id);
  out.put(attributes);
  return out.take();
}

struct RawProposal {
  std::uint8_t more = 0;
  int length = -1;  ///< -1: the right one
  std::uint8_t number = 1;
  std::uint8_t protocol = 1;
  std::uint8_t spi_size = 0;
  std::uint8_t count = 1;
  Bytes spi;
  Bytes transforms = raw_transform(0);
};
inline Bytes proposal(const RawProposal& raw) {
  Writer out;
  out.be(raw.more);
  out.zeros(1);
  out.be(static_cast<std::uint16_t>(raw.length >= 0 ? static_cast<std::size_t>(raw.length)
                                                    : 8 + raw.spi.size() + raw.transforms.size()));
  out.be(raw.number);
  out.be(raw.protocol);
  out.be(raw.spi_size);
  out.be(raw.count);
  out.put(raw.spi);
  out.put(raw.transforms);
  return out.take();
}
inline Bytes proposals(std::size_t count) {
  Bytes out;
  for (std::size_t i = 0; i < count; ++i) {
    append(out, proposal({.more = i + 1 == count ? std::uint8_t{0} : std::uint8_t{2},
                          .number = static_cast<std::uint8_t>(i + 1)}));
  }
  return out;
}
/// Transforms with proper flags.
inline Bytes transforms(std::size_t count) {
  Bytes out;
  for (std::size_t i = 0; i < count; ++i) append(out, raw_transform(i + 1 == count ? 0 : 3));
  return out;
}
inline Bytes with_attributes(const Bytes& attributes) {
  return proposal({.transforms = raw_transform(0, 1, 12, attributes)});
}

inline void add_header(std::vector<BadInput>& out) {
  const Bytes good = raw_message(43, raw_payload(0, {1, 2, 3}));
  const auto version = [](std::uint8_t value) {
    return raw_message(43, raw_payload(0, {1, 2, 3}), 34, 0x08, value);
  };
  for (const char* parser : {"header", "message"}) {
    const std::string p = std::string{parser} + "-";
    out.insert(out.end(),
               {{p + "empty", parser, {}, truncated},
                {p + "nat-keepalive", parser, {0xff}, truncated},
                {p + "27-octets", parser, cut(good, 27), truncated},
                {p + "datagram-length-0", parser, with(good, 24, {0, 0, 0, 0}), bad_length},
                {p + "length-27", parser, with(good, 24, {0, 0, 0, 27}), bad_length},
                {p + "length-one-less", parser, with(good, 24, {0, 0, 0, 34}), bad_length},
                {p + "length-one-more", parser, with(good, 24, {0, 0, 0, 36}), bad_length},
                {p + "length-max", parser, with(good, 24, {255, 255, 255, 255}), bad_length},
                {p + "cut-behind-header", parser, cut(good, 28), bad_length},
                {p + "non-esp-marker-left", parser, plus({0, 0, 0, 0}, good), bad_length},
                {p + "esp-spi-255", parser, plus({0, 0, 0, 255, 0, 0, 0, 1}, good), bad_length},
                {p + "minor-15", parser, version(0x2f), none},
                {p + "all-flags", parser, raw_message(43, raw_payload(0, {1}), 34, 0xff), none},
                {p + "id-max", parser, with(good, 20, {255, 255, 255, 255}), none},
                {p + "spi-i-zero", parser, with(good, 0, {0, 0, 0, 0, 0, 0, 0, 0}), none},
                {p + "spi-r-in-first", parser, with(good, 8, {1, 2, 3, 4, 5, 6, 7, 8}), none}});
    for (const int exchange : {0, 33, 38, 240, 255}) {
      out.push_back({p + "exchange-" + std::to_string(exchange), parser,
                     raw_message(43, raw_payload(0, {1}), static_cast<std::uint8_t>(exchange)),
                     none});
    }
    // The header alone serves to answer INVALID_MAJOR_VERSION (RFC 7296 §2.5).
    for (const std::uint8_t major : std::initializer_list<std::uint8_t>{0, 1, 3, 15}) {
      out.push_back({p + "major-" + std::to_string(major), parser,
                     version(static_cast<std::uint8_t>(major << 4)),
                     std::string_view{parser} == "header" ? none : unsupported});
    }
  }
}

inline void add_chain(std::vector<BadInput>& out) {
  const auto add = [&out](std::string name, std::uint8_t first, const Bytes& chain,
                          ParseFault fault) {
    out.push_back({"message-" + name, "message", raw_message(first, chain), fault});
    out.push_back({"chain-" + name, "chain", plus({first}, chain), fault});
  };
  const Bytes vid = raw_payload(0, {1, 2, 3});
  for (std::uint8_t length = 0; length < 4; ++length) {
    add("length-" + std::to_string(length), 43, with(vid, 2, {0, length}), bad_length);
  }
  add("no-payload", 0, {}, none);
  add("none-but-octets", 0, vid, trailing_bytes);
  add("first-missing", 43, {}, truncated);
  add("generic-header-cut", 43, {0, 0, 0}, truncated);
  add("length-past-end", 43, with(vid, 2, {0, 8}), truncated);
  add("length-65535", 43, with(vid, 2, {255, 255}), truncated);
  add("octets-after-last", 43, plus(vid, {0}), trailing_bytes);
  add("next-missing", 43, raw_payload(43, {1, 2, 3}), truncated);
  // The first payload's length swallows the second, which its header announces all the same.
  add("overlap", 43, with(plus(raw_payload(43, {1, 2, 3}), vid), 2, {0, 14}), truncated);
  add("512-payloads", 43, plus(many(raw_payload(43, {}), 511), raw_payload(0, {})), none);
  add("513-payloads", 43, plus(many(raw_payload(43, {}), 512), raw_payload(0, {})), too_many);
  add("3000-payloads", 43, plus(many(raw_payload(43, {}), 2999), raw_payload(0, {})), too_many);
  add("10000-payloads", 43, plus(many(raw_payload(43, {}), 9999), raw_payload(0, {})), too_many);
  add("unknown", 99, raw_payload(0, {1, 2}), none);
  add("unknown-critical", 99, raw_payload(0, {1, 2}, 0x80), none);
  add("known-critical", 43, raw_payload(0, {1, 2}, 0x80), none);
  add("reserved-bits", 43, raw_payload(0, {1, 2}, 0x7f), none);
  add("ikev1-ids", 1, plus(raw_payload(10, {1, 2}), raw_payload(0, {3})), none);
  add("two-nonces", 40, plus(raw_payload(40, repeat(1, 16)), raw_payload(0, repeat(2, 16))), none);

  const Bytes sk = raw_payload(43, repeat(7, 32));
  out.insert(
      out.end(),
      {{"message-sk-empty", "fragment", raw_message(46, raw_payload(0, {})), none},
       {"message-sk-length-3", "fragment", raw_message(46, with(sk, 2, {0, 3})), bad_length},
       {"message-sk-past-end", "fragment", raw_message(46, with(sk, 2, {0, 37})), truncated},
       {"message-payload-after-sk", "fragment", raw_message(46, plus(sk, vid)), trailing_bytes},
       {"message-two-sk", "fragment", raw_message(46, plus(raw_payload(46, {1}), sk)),
        trailing_bytes},
       {"message-payload-before-sk", "fragment", raw_message(99, plus(raw_payload(46, {9, 9}), sk)),
        none},
       {"chain-sk-inside", "chain", plus({46}, sk), bad_value},
       {"chain-skf-inside", "chain", plus({53}, raw_payload(0, {0, 1, 0, 1, 9})), bad_value}});
}

inline void add_sa_proposals(std::vector<BadInput>& out) {
  const auto add = [&out](std::string name, Bytes bytes, ParseFault fault) {
    out.push_back({"sa-" + name, "sa", std::move(bytes), fault});
  };
  const auto pair = [](std::uint8_t first, std::uint8_t second) {
    return plus(proposal({.more = 2, .number = first}), proposal({.number = second}));
  };
  add("no-proposal", {}, truncated);
  add("64-proposals", proposals(64), none);
  add("65-proposals", proposals(65), too_many);
  add("256-proposals", proposals(256), too_many);
  add("number-0", proposal({.number = 0}), bad_value);
  add("answer-keeps-number", proposal({.number = 7}), none);
  add("numbers-from-0", pair(0, 1), bad_value);
  add("numbers-from-2", pair(2, 3), bad_value);
  add("numbers-skip", pair(1, 3), bad_value);
  add("numbers-repeat", pair(1, 1), bad_value);
  add("last-says-more", proposal({.more = 2}), truncated);
  add("first-says-last", plus(proposal({}), proposal({.number = 2})), trailing_bytes);
  add("more-1", proposal({.more = 1}), bad_value);
  add("more-255", proposal({.more = 255}), bad_value);
  add("cut-in-header", cut(proposal({}), 5), truncated);
  add("length-0", proposal({.length = 0}), bad_length);
  add("length-7", proposal({.length = 7}), bad_length);
  add("length-past-end", proposal({.length = 17}), truncated);
  add("length-65535", proposal({.length = 65535}), truncated);
  for (const std::uint8_t size : std::initializer_list<std::uint8_t>{0, 4, 8}) {
    add("spi-" + std::to_string(size), proposal({.spi_size = size, .spi = repeat(1, size)}), none);
  }
  for (const std::uint8_t size : std::initializer_list<std::uint8_t>{1, 3, 5, 7, 9, 255}) {
    add("spi-" + std::to_string(size), proposal({.spi_size = size, .spi = repeat(1, size)}),
        bad_length);
  }
  add("spi-past-end", proposal({.length = 8, .spi_size = 8, .transforms = {}}), truncated);
  for (const std::uint8_t protocol : std::initializer_list<std::uint8_t>{0, 2, 3, 255}) {
    add("protocol-" + std::to_string(protocol), proposal({.protocol = protocol}), none);
  }
  add("octets-after-transforms", proposal({.transforms = plus(raw_transform(0), {0})}),
      trailing_bytes);
}

inline void add_sa_transforms(std::vector<BadInput>& out) {
  const auto add = [&out](std::string name, Bytes bytes, ParseFault fault) {
    out.push_back({"sa-" + name, "sa", std::move(bytes), fault});
  };
  const auto counted = [](std::uint8_t count, const Bytes& list) {
    return proposal({.count = count, .transforms = list});
  };
  add("transforms-0", counted(0, {}), bad_value);
  add("transforms-0-but-one", counted(0, raw_transform(0)), bad_value);
  add("transforms-64", counted(64, transforms(64)), none);
  add("transforms-65", counted(65, transforms(65)), too_many);
  add("transforms-255", counted(255, transforms(255)), too_many);
  add("transforms-count-high", counted(3, plus(transforms(1), {})), bad_value);
  add("transforms-count-high-flags-fit", counted(2, raw_transform(3)), truncated);
  add("transforms-count-low", counted(1, transforms(2)), bad_value);
  add("transforms-count-low-flags-fit", counted(1, plus(raw_transform(0), raw_transform(0))),
      trailing_bytes);
  add("transform-last-says-more", counted(1, raw_transform(3)), bad_value);
  add("transform-first-says-last", counted(2, plus(raw_transform(0), raw_transform(0))), bad_value);
  add("transform-more-2", counted(2, plus(raw_transform(2), raw_transform(0))), bad_value);
  add("transform-length-0", proposal({.transforms = raw_transform(0, 1, 12, {}, 0)}), bad_length);
  add("transform-length-7", proposal({.transforms = raw_transform(0, 1, 12, {}, 7)}), bad_length);
  add("transform-past-end", proposal({.transforms = raw_transform(0, 1, 12, {}, 9)}), truncated);
  add("transform-cut", proposal({.transforms = {0, 0, 0}}), truncated);
  add("transform-type-0", proposal({.transforms = raw_transform(0, 0)}), none);
  add("transform-type-255", proposal({.transforms = raw_transform(0, 255)}), none);
  add("transform-id-65535", proposal({.transforms = raw_transform(0, 1, 65535)}), none);
  add("same-transform-twice", counted(2, transforms(2)), none);
  add("aead-with-integrity", counted(2, plus(raw_transform(3, 1, 20), raw_transform(0, 3, 12))),
      none);
  add("only-prf", proposal({.transforms = raw_transform(0, 2, 5)}), none);
  Bytes additional;  // ADDKE1 to ADDKE7 are types 6 to 12 (RFC 9370 §2.2.1)
  for (std::uint8_t type = 6; type <= 12; ++type) append(additional, raw_transform(3, type, 36));
  add("addke", counted(8, plus(additional, raw_transform(0, 4, 31))), none);

  add("key-length-128", with_attributes({0x80, 14, 0, 128}), none);
  add("key-length-0", with_attributes({0x80, 14, 0, 0}), none);
  add("key-length-1", with_attributes({0x80, 14, 0, 1}), none);
  add("key-length-65535", with_attributes({0x80, 14, 255, 255}), none);
  add("key-length-twice", with_attributes({0x80, 14, 0, 128, 0x80, 14, 0, 128}), none);
  add("key-length-tlv", with_attributes({0, 14, 0, 2, 0, 128}), none);
  add("attribute-unknown", with_attributes({0x80, 15, 0, 128}), none);
  add("attribute-tlv-empty", with_attributes({0, 99, 0, 0}), none);
  add("attribute-tlv-past-end", with_attributes({0, 99, 0, 5, 1, 2, 3, 4}), truncated);
  add("attribute-tlv-65535", with_attributes({0, 99, 255, 255}), truncated);
  add("attribute-cut", with_attributes({0x80, 14, 0}), truncated);
  add("attributes-16", with_attributes(many({0x80, 14, 0, 128}, 16)), none);
  add("attributes-17", with_attributes(many({0x80, 14, 0, 128}, 17)), too_many);
}

inline void add_ke_id_cert(std::vector<BadInput>& out) {
  out.insert(out.end(),
             {{"ke-empty", "ke", {}, truncated},
              {"ke-3-octets", "ke", {0, 19, 0}, truncated},
              {"ke-no-data", "ke", {0, 19, 0, 0}, none},
              {"ke-unknown-group", "ke", {255, 255, 0, 0, 1}, none},
              {"ke-reserved", "ke", {0, 19, 255, 255, 1}, none},
              {"nonce-0", "nonce", {}, bad_length},
              {"nonce-15", "nonce", repeat(1, 15), bad_length},
              {"nonce-16", "nonce", repeat(1, 16), none},
              {"nonce-256", "nonce", repeat(1, 256), none},
              {"nonce-257", "nonce", repeat(1, 257), bad_length},
              {"id-empty", "id", {}, truncated},
              {"id-3-octets", "id", {2, 0, 0}, truncated},
              {"id-type-0", "id", {0, 0, 0, 0, 1}, none},
              {"id-type-255", "id", {255, 0, 0, 0, 1}, none},
              {"id-reserved", "id", {2, 255, 255, 255, 'a'}, none},
              {"id-ipv4-3", "id", plus({1, 0, 0, 0}, repeat(1, 3)), bad_length},
              {"id-ipv4-5", "id", plus({1, 0, 0, 0}, repeat(1, 5)), bad_length},
              {"id-ipv6-4", "id", plus({5, 0, 0, 0}, repeat(1, 4)), bad_length},
              {"id-ipv6-15", "id", plus({5, 0, 0, 0}, repeat(1, 15)), bad_length},
              {"id-ipv6-17", "id", plus({5, 0, 0, 0}, repeat(1, 17)), bad_length},
              {"id-fqdn-nul", "id", {2, 0, 0, 0, 'a', 0, 'b'}, none},
              {"id-fqdn-not-utf8", "id", {2, 0, 0, 0, 0xc3, 0x28}, none},
              {"id-fqdn-65527", "id", plus({2, 0, 0, 0}, repeat('a', 65527)), none},
              {"id-dn-not-der", "id", {9, 0, 0, 0, 0x30, 0x84, 0xff}, none},
              {"id-null", "id", {13, 0, 0, 0}, none},
              {"cert-empty", "cert", {}, truncated},
              {"cert-no-data", "cert", {4}, none},
              {"cert-encoding-0", "cert", {0, 1}, none},
              {"cert-encoding-255", "cert", {255, 1}, none},
              {"cert-hash-and-url-file", "cert", plus({12}, to_bytes("file:///etc/passwd")), none},
              {"cert-req-empty", "cert_req", {}, truncated},
              {"cert-req-any", "cert_req", {4}, none},
              {"cert-req-odd", "cert_req", plus({4}, repeat(1, 21)), none},
              {"auth-empty", "auth", {}, truncated},
              {"auth-3-octets", "auth", {2, 0, 0}, truncated},
              {"auth-no-data", "auth", {2, 0, 0, 0}, none},
              {"auth-method-255", "auth", {255, 0, 0, 0, 1}, none}});
}

inline void add_notify_delete(std::vector<BadInput>& out) {
  const auto notify = [&out](std::string name, Bytes bytes, ParseFault fault) {
    out.push_back({"notify-" + name, "notify", std::move(bytes), fault});
  };
  notify("empty", {}, truncated);
  notify("3-octets", {0, 0, 0x40}, truncated);
  notify("type-0", {0, 0, 0, 0}, none);
  notify("type-65535", {0, 0, 255, 255, 1, 2, 3}, none);
  notify("spi-4", {3, 4, 0x40, 0x09, 1, 2, 3, 4}, none);
  notify("spi-8", {1, 8, 0x40, 0x09, 1, 2, 3, 4, 5, 6, 7, 8}, none);
  notify("spi-past-end", {3, 4, 0x40, 0x09, 1, 2, 3}, truncated);
  for (const std::uint8_t size : std::initializer_list<std::uint8_t>{1, 2, 3, 5, 16, 255}) {
    notify("spi-" + std::to_string(size), plus({3, size, 0x40, 0x09}, repeat(1, size)), bad_length);
  }
  notify("rekey-protocol-0", {0, 4, 0x40, 0x09, 1, 2, 3, 4}, none);  // CVE-2023-38710: ike refuses
  notify("rekey-protocol-1", {1, 4, 0x40, 0x09, 1, 2, 3, 4}, none);
  notify("invalid-ke-0", {0, 0, 0, 17}, bad_length);
  notify("invalid-ke-1", {0, 0, 0, 17, 19}, bad_length);
  notify("invalid-ke-2", {0, 0, 0, 17, 0, 19}, none);
  notify("invalid-ke-3", {0, 0, 0, 17, 0, 19, 0}, bad_length);
  notify("nat-detection-19", plus({0, 0, 0x40, 0x04}, repeat(1, 19)), bad_length);
  notify("nat-detection-21", plus({0, 0, 0x40, 0x04}, repeat(1, 21)), bad_length);
  notify("critical-0", {0, 0, 0, 1}, bad_length);
  notify("window-size-3", {0, 0, 0x40, 0x01, 0, 0, 1}, bad_length);
  notify("hashes-odd", {0, 0, 0x40, 0x2f, 0, 2, 0}, bad_length);
  notify("hashes-none", {0, 0, 0x40, 0x2f}, none);
  notify("cookie-0", {0, 0, 0x40, 0x06}, none);
  notify("cookie-65", plus({0, 0, 0x40, 0x06}, repeat(1, 65)), none);
  notify("ip4-address-3", {0, 0, 0x40, 0x0d, 1, 2, 3}, none);
  notify("stray-data", {0, 0, 0x40, 0x00, 1, 2, 3}, none);

  const auto del = [&out](std::string name, Bytes bytes, ParseFault fault) {
    out.push_back({"delete-" + name, "delete", std::move(bytes), fault});
  };
  del("empty", {}, truncated);
  del("3-octets", {1, 0, 0}, truncated);
  del("ike", {1, 0, 0, 0}, none);
  del("ike-with-spi", plus({1, 8, 0, 1}, repeat(1, 8)), bad_length);
  del("ike-count-1", {1, 0, 0, 1}, bad_length);
  del("ike-octets-after", {1, 0, 0, 0, 1}, trailing_bytes);
  del("protocol-0", {0, 0, 0, 0}, bad_value);
  del("protocol-4", {4, 4, 0, 1, 1, 2, 3, 4}, bad_value);
  del("protocol-255", {255, 4, 0, 0}, bad_value);
  del("esp-none", {3, 4, 0, 0}, none);
  del("ah", {2, 4, 0, 1, 1, 2, 3, 4}, none);
  del("esp-spi-size-0", {3, 0, 255, 255}, bad_length);
  del("esp-spi-size-8", plus({3, 8, 0, 1}, repeat(1, 8)), bad_length);
  del("esp-count-high", {3, 4, 0, 2, 1, 2, 3, 4}, bad_length);
  del("esp-count-low", {3, 4, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8}, bad_length);
  del("esp-count-65535", {3, 4, 255, 255, 1, 2, 3, 4}, bad_length);
  del("esp-16381", plus({3, 4, 0x3f, 0xfd}, repeat(9, std::size_t{16381} * 4)), none);
}

inline void add_ts_cp_eap(std::vector<BadInput>& out) {
  const Bytes v4 = hex("07 00 0010 0000 ffff 00000000 ffffffff");
  const Bytes v6 = plus(plus(hex("08 00 0028 0000 ffff"), repeat(0, 16)), repeat(255, 16));
  const auto ts = [&out](std::string name, std::uint8_t count, const Bytes& list,
                         ParseFault fault) {
    out.push_back({"ts-" + name, "ts", plus({count, 0, 0, 0}, list), fault});
  };
  out.push_back({"ts-empty", "ts", {}, truncated});
  out.push_back({"ts-3-octets", "ts", {1, 0, 0}, truncated});
  ts("0-selectors", 0, {}, bad_value);
  ts("0-selectors-but-one", 0, v4, bad_value);
  ts("255-selectors", 255, many(v4, 255), none);
  ts("count-high", 2, v4, truncated);
  ts("count-low", 1, plus(v4, v4), trailing_bytes);
  ts("mixed-families", 2, plus(v4, v6), none);
  ts("address-reversed", 1, hex("07 00 0010 0000 ffff 0a000002 0a000001"), bad_value);
  ts("ports-reversed", 1, hex("07 11 0010 01bb 0050 0a000001 0a000001"), bad_value);
  ts("ports-opaque", 1, hex("07 11 0010 ffff 0000 0a000001 0a000001"), none);
  ts("icmp-echo", 1, hex("07 01 0010 0800 0800 0a000001 0a000001"), none);
  for (std::uint8_t length = 0; length < 4; ++length) {
    ts("length-" + std::to_string(length), 1, with(v4, 2, {0, length}), bad_length);
  }
  ts("length-4", 1, hex("07 00 0004"), bad_length);
  ts("length-15", 1, cut(with(v4, 2, {0, 15}), 15), bad_length);
  ts("length-17", 1, plus(with(v4, 2, {0, 17}), {0}), bad_length);
  ts("length-past-end", 1, with(v4, 2, {0, 40}), truncated);
  ts("v4-as-v6", 1, with(v4, 0, {8}), bad_length);
  ts("v6-as-v4", 1, with(v6, 0, {7}), bad_length);
  ts("security-label", 2, plus(hex("0a 00 0008 61626300"), v4), none);
  ts("only-unknown", 1, hex("0a 00 0004"), none);
  ts("unknown-past-end", 1, hex("0a 00 0005"), truncated);

  const auto cp = [&out](std::string name, Bytes bytes, ParseFault fault) {
    out.push_back({"cp-" + name, "cp", std::move(bytes), fault});
  };
  cp("empty", {}, truncated);
  cp("3-octets", {1, 0, 0}, truncated);
  cp("no-attributes", {1, 0, 0, 0}, none);
  cp("type-0", {0, 0, 0, 0}, none);
  cp("type-255-reserved-set", {255, 255, 255, 255}, none);
  cp("attribute-cut", {1, 0, 0, 0, 0, 1, 0}, truncated);
  cp("attribute-past-end", {1, 0, 0, 0, 0, 1, 0, 5, 1, 2, 3, 4}, truncated);
  cp("attribute-65535", {1, 0, 0, 0, 0, 1, 255, 255}, truncated);
  cp("reserved-bit", {1, 0, 0, 0, 0x80, 1, 0, 0}, none);
  cp("empty-netmask", {2, 0, 0, 0, 0, 2, 0, 0}, none);
  cp("ip6-prefix-255", plus(plus({2, 0, 0, 0, 0, 8, 0, 17}, repeat(1, 16)), {255}), none);
  cp("128-attributes", plus({1, 0, 0, 0}, many({0, 3, 0, 0}, 128)), none);
  cp("129-attributes", plus({1, 0, 0, 0}, many({0, 3, 0, 0}, 129)), too_many);
  cp("1000-dns-servers", plus({2, 0, 0, 0}, many({0, 3, 0, 4, 9, 9, 9, 9}, 1000)), too_many);

  const auto eap = [&out](std::string name, Bytes bytes, ParseFault fault) {
    out.push_back({"eap-" + name, "eap", std::move(bytes), fault});
  };
  eap("empty", {}, truncated);
  eap("3-octets", {3, 1, 0}, truncated);
  eap("success", {3, 1, 0, 4}, none);
  eap("identity", {1, 1, 0, 5, 1}, none);
  eap("code-0", {0, 1, 0, 4}, none);
  eap("code-5", {5, 1, 0, 4}, none);
  eap("length-0", {1, 1, 0, 0, 1}, bad_length);
  eap("length-low", {1, 1, 0, 4, 1}, bad_length);
  eap("length-high", {1, 1, 0, 6, 1}, bad_length);
  eap("length-65535", {1, 1, 255, 255, 1}, bad_length);
}

inline void add_fragments(std::vector<BadInput>& out) {
  const auto add = [&out](std::string name, const Bytes& body, ParseFault fault,
                          std::uint8_t next = 35) {
    out.push_back(
        {"fragment-" + name, "fragment", raw_message(53, raw_payload(next, body), 35), fault});
  };
  add("1-of-1", hex("0001 0001 aabbccdd"), none);
  add("1-of-3", hex("0001 0003 aabbccdd"), none);
  add("3-of-3", hex("0003 0003 aabbccdd"), none, 0);
  add("next-payload-in-later", hex("0002 0003 aabbccdd"), none, 35);
  add("number-0", hex("0000 0003 aabbccdd"), bad_value);
  add("number-past-total", hex("0004 0003 aabbccdd"), bad_value);
  add("total-0", hex("0001 0000 aabbccdd"), bad_value);
  add("both-0", hex("0000 0000 aabbccdd"), bad_value);
  add("total-65535", hex("0001 ffff aabbccdd"), none);  // ike's limit on fragments refuses it
  add("no-body", hex("0001 0002"), none);
  add("cut", hex("0001 00"), truncated);
  add("empty", {}, truncated);
  out.push_back({"fragment-payload-after", "fragment",
                 raw_message(53, plus(raw_payload(43, hex("0001 0002 aa")), raw_payload(0, {1}))),
                 trailing_bytes});
  out.push_back({"fragment-two", "fragment",
                 raw_message(53, plus(raw_payload(53, hex("0001 0002 aa")),
                                      raw_payload(0, hex("0002 0002 bb")))),
                 trailing_bytes});
}

}  // namespace bad

inline std::vector<BadInput> bad_inputs() {
  std::vector<BadInput> out;
  bad::add_header(out);
  bad::add_chain(out);
  bad::add_sa_proposals(out);
  bad::add_sa_transforms(out);
  bad::add_ke_id_cert(out);
  bad::add_notify_delete(out);
  bad::add_ts_cp_eap(out);
  bad::add_fragments(out);
  return out;
}

}  // namespace cygnet::test
