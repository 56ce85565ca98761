// Security Association payload.                                   RFC 7296 §3.3
//
//    | Last Substruc |   RESERVED    |         Proposal Length       |
//    | Proposal Num  |  Protocol ID  |    SPI Size   |Num  Transforms|
//    ~                        SPI (variable)                         ~
//      | Last Substruc |   RESERVED    |        Transform Length       |
//      |Transform Type |   RESERVED    |          Transform ID         |
//      ~                      Transform Attributes                     ~
#include "wire/codec.hpp"

namespace cygnet::wire {
namespace {

constexpr std::uint8_t kMoreProposals = 2;
constexpr std::uint8_t kMoreTransforms = 3;
constexpr std::size_t kProposalHeader = 8;
constexpr std::size_t kTransformHeader = 8;
constexpr std::uint16_t kFixedFormat = 0x8000;  // AF bit: the value is in the length's place
constexpr std::uint16_t kKeyLength = 14;

/// An attribute we do not understand makes its transform one that nothing matches (RFC 7296 §3.3.6).
constexpr std::uint16_t kUnusableKeyBits = 0xffff;

void read_attributes(Reader& in, model::Transform& transform) {
  std::size_t count = 0;
  while (in.ok() && !in.empty()) {
    in.require(++count <= kAttributesMax, ParseFault::too_many);
    const auto type = in.be<std::uint16_t>();
    const auto value = in.be<std::uint16_t>();
    if ((type & kFixedFormat) == 0) {
      in.skip(value);
      transform.key_bits = kUnusableKeyBits;
    } else if ((type & ~kFixedFormat) == kKeyLength && transform.key_bits == 0 && value != 0) {
      transform.key_bits = value;
    } else {
      transform.key_bits = kUnusableKeyBits;
    }
  }
}

model::Transform read_transform(Reader& in, bool last) {
  const auto more = in.be<std::uint8_t>();
  in.require(more == (last ? 0 : kMoreTransforms), ParseFault::bad_value);
  in.skip(1);
  const auto length = in.be<std::uint16_t>();
  in.require(length >= kTransformHeader);
  Reader body = in.sub(in.ok() ? length - std::size_t{4} : 0, "transform");
  model::Transform transform;
  transform.type = body.be<TransformType>();
  body.skip(1);
  transform.id = body.be<std::uint16_t>();
  read_attributes(body, transform);
  if (!body.ok()) in.absorb(body.error());
  return transform;
}

OfferedProposal read_proposal(Reader& in, bool& last) {
  const auto more = in.be<std::uint8_t>();
  in.require(more == 0 || more == kMoreProposals, ParseFault::bad_value);
  last = more == 0;
  in.skip(1);
  const auto length = in.be<std::uint16_t>();
  in.require(length >= kProposalHeader);
  Reader body = in.sub(in.ok() ? length - std::size_t{4} : 0, "proposal");
  OfferedProposal out;
  out.number = body.be<std::uint8_t>();
  out.proposal.protocol = body.be<ProtocolId>();
  const auto spi_size = body.be<std::uint8_t>();
  body.require(spi_size == 0 || spi_size == 4 || spi_size == 8);
  const auto count = body.be<std::uint8_t>();
  body.require(count <= kTransformsMax, ParseFault::too_many);
  out.spi = to_bytes(body.take(spi_size));
  for (std::size_t i = 0; body.ok() && i < count; ++i) {
    out.proposal.transforms.push_back(read_transform(body, i + 1 == count));
  }
  if (body.ok() && !body.empty()) body.fail(ParseFault::trailing_bytes);
  if (!body.ok()) in.absorb(body.error());
  return out;
}

}  // namespace

std::vector<model::Proposal> SaPayload::offers() const {
  std::vector<model::Proposal> out;
  for (const OfferedProposal& offered : proposals) out.push_back(offered.proposal);
  return out;
}

Result<SaPayload, ParseError> parse_sa(Reader body) {
  SaPayload out;
  bool last = false;
  while (body.ok() && !last) {
    body.require(out.proposals.size() < kProposalsMax, ParseFault::too_many);
    OfferedProposal proposal = read_proposal(body, last);
    //= RFC7296#3.3.1 "When a proposal is made, the first proposal in an SA payload MUST be 1,
    //=                and subsequent proposals MUST be one more than the previous proposal"
    // A responder's single accepted proposal keeps its number, so the first may be any but zero.
    body.require(proposal.number != 0, ParseFault::bad_value);
    if (!out.proposals.empty()) {
      body.require(proposal.number == out.proposals.back().number + 1, ParseFault::bad_value);
    }
    if (body.ok()) out.proposals.push_back(std::move(proposal));
  }
  return body.finish(std::move(out));
}

void write_body(Writer& out, const SaPayload& payload) {
  for (std::size_t p = 0; p < payload.proposals.size(); ++p) {
    const OfferedProposal& offered = payload.proposals[p];
    const auto& transforms = offered.proposal.transforms;
    CYG_CHECK(transforms.size() <= 255 && offered.spi.size() <= 255);
    const std::size_t start = out.size();
    out.be(p + 1 == payload.proposals.size() ? std::uint8_t{0} : kMoreProposals);
    out.zeros(3);
    out.sized16(start, start + 2, [&] {
      out.be(offered.number);
      out.be(offered.proposal.protocol);
      out.be(static_cast<std::uint8_t>(offered.spi.size()));
      out.be(static_cast<std::uint8_t>(transforms.size()));
      out.put(offered.spi);
      for (std::size_t t = 0; t < transforms.size(); ++t) {
        const std::size_t inner = out.size();
        out.be(t + 1 == transforms.size() ? std::uint8_t{0} : kMoreTransforms);
        out.zeros(3);
        out.sized16(inner, inner + 2, [&] {
          out.be(transforms[t].type);
          out.zeros(1);
          out.be(transforms[t].id);
          if (transforms[t].key_bits != 0) {
            out.be(static_cast<std::uint16_t>(kFixedFormat | kKeyLength));
            out.be(transforms[t].key_bits);
          }
        });
      }
    });
  }
}

}  // namespace cygnet::wire
