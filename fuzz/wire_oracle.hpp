// What must hold for whatever the IKEv2 parsers accept: written again, it reads the same.
#pragma once

#include "base/check.hpp"
#include "base/writer.hpp"
#include "wire/codec.hpp"
#include "wire/message.hpp"

namespace cygnet::wire {

/// `value` without what cannot be written again: selectors of unknown types are only counted.
inline TsPayload settled(TsPayload value) {
  value.unknown_count = 0;
  return value;
}
template <class P>
P settled(P value) {
  return value;
}
/// The same for a chain; a TS payload of unknown selectors alone cannot be written at all.
inline std::vector<Payload> settled_chain(std::vector<Payload> payloads) {
  std::erase_if(payloads, [](const Payload& payload) {
    const auto* ts = std::get_if<TsPayload>(&payload);
    return ts != nullptr && ts->selectors.empty();
  });
  for (Payload& payload : payloads) {
    if (auto* ts = std::get_if<TsPayload>(&payload)) ts->unknown_count = 0;
  }
  return payloads;
}

/// A refusal names its fault and a place within the input.
inline void check_error(const ParseError& error, std::size_t input_size) {
  CYG_CHECK(error.fault != ParseFault::none);
  CYG_CHECK(error.offset <= input_size);
  CYG_CHECK(!error.what.empty());
}

/// Feeds a payload body to `parse` and holds it to the round trip.
template <class Parse>
void check_body(ByteView body, Parse parse) {
  const auto parsed = parse(Reader{body, "fuzz input"});
  if (!parsed) return check_error(parsed.error(), body.size());
  CYG_CHECK(!summary(Payload{*parsed}).empty());
  const auto value = settled(*parsed);
  if constexpr (std::is_same_v<std::remove_const_t<decltype(value)>, TsPayload>) {
    if (value.selectors.empty()) return;
  }
  Writer out;
  write_body(out, value);
  const Bytes written = out.take();
  CYG_CHECK(written.size() <= body.size());
  const auto again = parse(Reader{written, "written again"});
  CYG_CHECK(again.has_value());
  CYG_CHECK(*again == value);
}

/// A datagram whose length field (RFC 7296 §3.1) says what it should, so that mutations reach
/// what is behind it.
inline Bytes with_length(ByteView datagram) {
  Bytes out = to_bytes(datagram);
  if (out.size() < kHeaderSize) return out;
  for (std::size_t i = 0; i < 4; ++i) {
    out[24 + i] = static_cast<std::uint8_t>(out.size() >> (24 - 8 * i));
  }
  return out;
}

}  // namespace cygnet::wire
