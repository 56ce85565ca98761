#include "ike/seal.hpp"

#include "base/writer.hpp"
#include "ike/limits.hpp"

namespace cygnet::ike {
namespace {

constexpr std::size_t kSkHeader = 4;
constexpr std::size_t kSkfHeader = 8;

Result<std::unique_ptr<crypto::Sealer>> sealer_for(const crypto::Provider& crypto,
                                                   const SkKeys& keys, bool from_initiator) {
  const Secret& encr = from_initiator ? keys.ei : keys.er;
  const Secret& integ = from_initiator ? keys.ai : keys.ar;
  return crypto.sealer(keys.suite.encr, keys.suite.key_bits, encr.reveal(), keys.suite.integ,
                       integ.reveal());
}

/// RFC 7296 §3.14: text, then padding, then its length, to a multiple of the block.
std::size_t padded_size(std::size_t text, std::size_t block) {
  return (text + 1 + block - 1) / block * block;
}

Bytes make_iv(const crypto::Sealer& sealer, Rng& rng, SkKeys& keys) {
  if (sealer.random_iv()) return rng.bytes(sealer.iv_size());
  Writer iv;
  iv.be(keys.sealed_count);
  return iv.take();
}

/// Completes `head` (an SK or SKF head) with IV, ciphertext and ICV of `text`.
Result<Bytes> complete(crypto::Sealer& sealer, Rng& rng, SkKeys& keys, Bytes head, ByteView text) {
  Bytes plain = to_bytes(text);
  const std::size_t padded = padded_size(text.size(), sealer.block_size());
  plain.resize(padded);
  plain.back() = static_cast<std::uint8_t>(padded - text.size() - 1);

  const Bytes iv = make_iv(sealer, rng, keys);
  ++keys.sealed_count;
  Bytes icv(sealer.icv_size());
  CYG_TRY_DO(sealer.seal(head, iv, plain, icv));
  append(head, iv);
  append(head, plain);
  append(head, icv);
  return head;
}

std::size_t body_size(const crypto::Sealer& sealer, std::size_t text) {
  return sealer.iv_size() + padded_size(text, sealer.block_size()) + sealer.icv_size();
}

/// The most text a fragment of `bytes_max` octets can carry.
std::size_t fragment_text(const crypto::Sealer& sealer, std::size_t bytes_max) {
  const std::size_t fixed = wire::kHeaderSize + kSkfHeader + sealer.iv_size() + sealer.icv_size();
  if (bytes_max <= fixed + sealer.block_size()) return 0;
  return (bytes_max - fixed) / sealer.block_size() * sealer.block_size() - 1;
}

}  // namespace

Result<std::vector<Bytes>> seal_message(const crypto::Provider& crypto, Rng& rng, SkKeys& keys,
                                        const wire::Header& header,
                                        const std::vector<wire::Payload>& payloads,
                                        FragmentRule rule) {
  CYG_TRY(const auto sealer, sealer_for(crypto, keys, header.initiator));
  const wire::Chain chain = wire::write_payloads(payloads);
  const std::size_t body = body_size(*sealer, chain.bytes.size());
  const std::size_t whole = wire::kHeaderSize + kSkHeader + body;
  if (whole > wire::kMessageBytesMax) return fail("seal IKE message", "longer than 65535 octets");

  std::vector<Bytes> out;
  if (rule.bytes_max == 0 || whole <= rule.bytes_max) {
    CYG_TRY(Bytes message, complete(*sealer, rng, keys,
                                    wire::write_sk_head(header, chain.first, body), chain.bytes));
    out.push_back(std::move(message));
    return out;
  }

  const std::size_t piece = fragment_text(*sealer, rule.bytes_max);
  const std::size_t total = piece == 0 ? 0 : (chain.bytes.size() + piece - 1) / piece;
  if (total == 0 || total > kFragmentsMax) {
    return fail("fragment IKE message", "fragment_size is too small for this message");
  }
  for (std::size_t i = 0; i < total; ++i) {
    const ByteView text =
        ByteView{chain.bytes}.subspan(i * piece, std::min(piece, chain.bytes.size() - i * piece));
    const auto number = static_cast<std::uint16_t>(i + 1);
    Bytes head =
        wire::write_skf_head(header, i == 0 ? chain.first : PayloadType::none, number,
                             static_cast<std::uint16_t>(total), body_size(*sealer, text.size()));
    CYG_TRY(Bytes fragment, complete(*sealer, rng, keys, std::move(head), text));
    out.push_back(std::move(fragment));
  }
  return out;
}

std::optional<Bytes> open_sealed(const crypto::Provider& crypto, const SkKeys& keys,
                                 const wire::Header& header, const wire::Sealed& sealed) {
  const auto sealer = sealer_for(crypto, keys, header.initiator);
  if (!sealer) return std::nullopt;
  const std::size_t iv_size = (*sealer)->iv_size();
  const std::size_t icv_size = (*sealer)->icv_size();
  const std::size_t block = (*sealer)->block_size();
  if (sealed.body.size() < iv_size + icv_size + 1) return std::nullopt;
  const ByteView iv = sealed.body.first(iv_size);
  const ByteView icv = sealed.body.last(icv_size);
  Bytes text = to_bytes(sealed.body.subspan(iv_size, sealed.body.size() - iv_size - icv_size));
  if (text.size() % block != 0) return std::nullopt;
  if (!(*sealer)->open(sealed.associated, iv, text, icv)) return std::nullopt;
  const std::size_t padding = std::size_t{text.back()} + 1;
  if (padding > text.size()) return std::nullopt;
  text.resize(text.size() - padding);
  return text;
}

}  // namespace cygnet::ike
