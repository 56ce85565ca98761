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

constexpr std::uint8_t kLast = 0;
constexpr std::uint8_t kMoreProposals = 2;
constexpr std::uint8_t kMoreTransforms = 3;
constexpr std::size_t kSubstructureHead = 4;  // "more", RESERVED and the length that counts itself
constexpr std::size_t kProposalHeader = 8;
constexpr std::size_t kTransformHeader = 8;
constexpr std::uint16_t kFixedFormat = 0x8000;  // AF: the value stands in the length's place
constexpr std::uint16_t kKeyLength = 14;

/// The rest of a substructure after its "more" octet, which the caller has read.
Reader rest_of_substructure(Reader& in, std::size_t header_size, std::string_view what) {
  in.skip(1);  // RESERVED
  const auto length = in.be<std::uint16_t>();
  in.require(length >= header_size);
  return in.sub(in.ok() ? length - kSubstructureHead : 0, what);
}

void read_attributes(Reader& in, model::Transform& transform) {
  std::size_t count = 0;
  while (in.ok() && !in.empty()) {
    in.require(++count <= kAttributesMax, ParseFault::too_many);
    const auto type = in.be<std::uint16_t>();
    const auto value = in.be<std::uint16_t>();
    const bool fixed = (type & kFixedFormat) != 0;
    if (!fixed) in.skip(value);
    const bool key_length = type == (kFixedFormat | kKeyLength) && value != 0;
    //= RFC7296#3.3.6 "if the responder receives a transform ... that contains a Transform Attribute
    //=                it does not understand, it MUST consider this transform unacceptable"
    transform.key_bits = key_length && transform.key_bits == 0 ? value : kUnusableKeyBits;
  }
}

model::Transform read_transform(Reader& in, bool last) {
  const auto more = in.be<std::uint8_t>();
  in.require(more == (last ? kLast : kMoreTransforms), ParseFault::bad_value);
  Reader body = rest_of_substructure(in, kTransformHeader, "transform");
  model::Transform transform{.type = body.be<TransformType>()};
  body.skip(1);  // RESERVED
  transform.id = body.be<std::uint16_t>();
  read_attributes(body, transform);
  if (!body.ok()) in.absorb(body.error());
  return transform;
}

OfferedProposal read_proposal(Reader& in, bool& last) {
  const auto more = in.be<std::uint8_t>();
  in.require(more == kLast || more == kMoreProposals, ParseFault::bad_value);
  last = more == kLast;
  Reader body = rest_of_substructure(in, kProposalHeader, "proposal");
  OfferedProposal out{.number = body.be<std::uint8_t>()};
  out.proposal.protocol = body.be<ProtocolId>();
  const auto spi_size = body.be<std::uint8_t>();
  body.require(spi_size == 0 || spi_size == 4 || spi_size == 8);
  const auto count = body.be<std::uint8_t>();
  //= RFC7296#3.3.1 "Transforms (variable) - One or more transform substructures."
  body.require(count > 0, ParseFault::bad_value);
  body.require(count <= kTransformsMax, ParseFault::too_many);
  out.spi = to_bytes(body.take(spi_size));
  for (std::size_t i = 0; body.ok() && i < count; ++i) {
    out.proposal.transforms.push_back(read_transform(body, i + 1 == count));
  }
  if (body.ok() && !body.empty()) body.fail(ParseFault::trailing_bytes);
  if (!body.ok()) in.absorb(body.error());
  return out;
}

/// Proposals count up from 1. The lone one of an answer keeps the number of the offer it accepts.
void check_numbers(Reader& in, const std::vector<OfferedProposal>& proposals) {
  if (proposals.size() == 1) return in.require(proposals[0].number != 0, ParseFault::bad_value);
  //= RFC7296#3.3.1 "When a proposal is made, the first proposal in an SA payload MUST be 1, and
  //=                subsequent proposals MUST be one more than the previous proposal"
  for (std::size_t i = 0; i < proposals.size(); ++i) {
    in.require(proposals[i].number == i + 1, ParseFault::bad_value);
  }
}

void write_transform(Writer& out, const model::Transform& transform, bool last) {
  const std::size_t start = out.size();
  out.be(last ? kLast : kMoreTransforms);
  out.zeros(3);
  out.sized16(start, start + 2, [&] {
    out.be(transform.type);
    out.zeros(1);
    out.be(transform.id);
    if (transform.key_bits == 0) return;
    out.be(static_cast<std::uint16_t>(kFixedFormat | kKeyLength));
    out.be(transform.key_bits);
  });
}

void write_proposal(Writer& out, const OfferedProposal& offered, bool last) {
  const std::vector<model::Transform>& transforms = offered.proposal.transforms;
  CYG_CHECK(transforms.size() <= 255 && offered.spi.size() <= 255);
  const std::size_t start = out.size();
  out.be(last ? kLast : kMoreProposals);
  out.zeros(3);
  out.sized16(start, start + 2, [&] {
    out.be(offered.number);
    out.be(offered.proposal.protocol);
    out.be(static_cast<std::uint8_t>(offered.spi.size()));
    out.be(static_cast<std::uint8_t>(transforms.size()));
    out.put(offered.spi);
    for (std::size_t i = 0; i < transforms.size(); ++i) {
      write_transform(out, transforms[i], i + 1 == transforms.size());
    }
  });
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
    if (body.ok()) out.proposals.push_back(std::move(proposal));
  }
  check_numbers(body, out.proposals);
  return body.finish(std::move(out));
}

void write_body(Writer& out, const SaPayload& payload) {
  for (std::size_t i = 0; i < payload.proposals.size(); ++i) {
    write_proposal(out, payload.proposals[i], i + 1 == payload.proposals.size());
  }
}

}  // namespace cygnet::wire
