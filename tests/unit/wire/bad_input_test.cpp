// Every class of malformed input, with the fault that must be named.
#include "unit/wire/bad_inputs.hpp"

#include <gtest/gtest.h>

#include <set>

namespace cygnet {
namespace {

using test::bad_inputs;
using test::BadInput;
using test::fault_of;

// RFC 7296 §2.21.1, §3: what is malformed is refused for the right reason, what is merely odd or
// unknown is read. The table gives one row to each class.
TEST(BadInput, EachClass_NamesItsFault) {
  for (const BadInput& input : bad_inputs()) {
    SCOPED_TRACE(input.name);
    EXPECT_EQ(to_string(fault_of(input.parser, input.bytes)), to_string(input.fault));
  }
}

TEST(BadInput, Names_AreUnique) {
  std::set<std::string> names;
  for (const BadInput& input : bad_inputs()) {
    EXPECT_TRUE(names.insert(input.name).second) << input.name;
  }
}

// A datagram that ends early is never taken for a whole one, wherever it ends.
TEST(BadInput, MessageCutAnywhere_IsRefused) {
  const Bytes whole = wire::write_message({}, test::windows_auth_request());
  ASSERT_EQ(fault_of("message", whole), ParseFault::none);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    ASSERT_NE(fault_of("message", ByteView{whole}.first(size)), ParseFault::none) << size;
  }
}

// The same for what stands inside SK, where no length field of the whole helps: a cut leaves a
// payload behind its own length or announces one that is not there.
TEST(BadInput, ChainCutAnywhere_IsRefused) {
  const wire::Chain chain = wire::write_payloads(test::windows_auth_request());
  for (std::size_t size = 0; size < chain.bytes.size(); ++size) {
    ASSERT_FALSE(wire::parse_payloads(chain.first, ByteView{chain.bytes}.first(size))) << size;
  }
}

// threats.md T5: the limits hold at the limit and one past it. (SA, TS, CP and chain limits are
// rows of the table; the datagram's is here.)
TEST(BadInput, DatagramAboveTheLimit_IsTooMany) {
  Bytes body(wire::kMessageBytesMax - wire::kHeaderSize - 4, 0);
  EXPECT_EQ(fault_of("message", test::raw_message(43, test::raw_payload(0, body))),
            ParseFault::none);
  // One more octet, as a second payload, because the payload's own length could not say it.
  body.resize(body.size() - 4);
  Bytes longer = test::raw_payload(43, body);
  append(longer, test::raw_payload(0, {1}));
  EXPECT_EQ(fault_of("message", test::raw_message(43, longer)), ParseFault::too_many);
}

// The first fault of a nested structure is what the whole reports, with its name and a place
// within the input.
TEST(BadInput, NestedFault_NamesTheStructure) {
  const Bytes body = test::bad::with_attributes({0x80, 14, 0});
  const auto parsed = wire::parse_sa(Reader{body, "SA payload"});
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().fault, ParseFault::truncated);
  EXPECT_EQ(parsed.error().what, "transform");
  EXPECT_LE(parsed.error().offset, body.size());
}

}  // namespace
}  // namespace cygnet
