// vici messages: round trips, the rules of the encoding, hostile input.
#include "vici/message.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "toys/rng.hpp"

namespace cygnet::vici {
namespace {

Bytes hex(std::string_view text) { return from_hex(text).value(); }

ParseFault fault_of(ByteView bytes) {
  const auto parsed = parse_message(bytes);
  return parsed ? ParseFault::none : parsed.error().fault;
}

Message random_message(test::SeededRng& rng, std::size_t depth) {
  Message out;
  const std::uint64_t count = rng.below(6);
  for (std::uint64_t i = 0; i < count; ++i) {
    // Distinct by their first octet; the rest is any octet, also 0 and 0xff.
    Bytes raw = rng.bytes(rng.below(20));
    raw.insert(raw.begin(), static_cast<std::uint8_t>(i));
    const std::string name = to_string(raw);
    switch (rng.below(depth == 0 ? 2 : 3)) {
      case 0:
        out.add(name, ByteView{rng.bytes(rng.below(300))});
        break;
      case 1: {
        List list;
        for (std::uint64_t n = rng.below(4); n > 0; --n) {
          list.push_back(to_string(rng.bytes(rng.below(40))));
        }
        out.add(name, std::move(list));
        break;
      }
      default:
        out.add(name, random_message(rng, depth - 1));
    }
  }
  return out;
}

// The element numbers are those of strongSwan's vici clients (SECTION_START is 1); written by
// hand from the format's description.
TEST(Message, KnownTree_HasKnownOctets) {
  Message message;
  message.add("key1", "value1");
  Message& section = message.section("section1");
  section.section("sub-section").add("key2", "value2");
  section.add("list1", List{"item1", "item2"});

  const Bytes expected =
      hex("03 04 6b657931 0006 76616c756531"
          "01 08 73656374696f6e31"
          "01 0b 7375622d73656374696f6e"
          "03 04 6b657932 0006 76616c756532"
          "02"
          "04 05 6c69737431 05 0005 6974656d31 05 0005 6974656d32 06"
          "02");
  EXPECT_EQ(to_hex(write_message(message).value()), to_hex(expected));
  EXPECT_EQ(parse_message(expected).value(), message);
}

TEST(Message, Empty_IsNoOctets) {
  EXPECT_TRUE(write_message(Message{}).value().empty());
  EXPECT_TRUE(parse_message({}).value().empty());
}

// Property: whatever is written is read back as it was, and written again alike.
TEST(Message, RandomTrees_RoundTrip) {
  test::SeededRng rng{7};
  for (int run = 0; run < 500; ++run) {
    const Message message = random_message(rng, 4);
    const auto bytes = write_message(message);
    ASSERT_TRUE(bytes) << bytes.error().text();
    const auto back = parse_message(*bytes);
    ASSERT_TRUE(back) << back.error().text();
    EXPECT_EQ(*back, message) << to_text(message);
    EXPECT_EQ(write_message(*back).value(), *bytes);
  }
}

// Property: a message cut anywhere but between two top-level elements is refused; nothing that
// can be parsed differs after being written again.
TEST(Message, EveryTruncation_IsRefusedOrConsistent) {
  test::SeededRng rng{11};
  for (int run = 0; run < 40; ++run) {
    const Bytes bytes = write_message(random_message(rng, 3)).value();
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const ByteView cut = ByteView{bytes}.first(size);
      if (const auto parsed = parse_message(cut)) {
        EXPECT_TRUE(equal(write_message(*parsed).value(), cut));
      }
    }
  }
}

// Property: flipped octets never crash and never yield what cannot be written back.
TEST(Message, MutatedOctets_AreRefusedOrRoundTrip) {
  test::SeededRng rng{13};
  std::size_t refused = 0;
  for (int run = 0; run < 3000; ++run) {
    Bytes bytes = write_message(random_message(rng, 3)).value();
    if (bytes.empty()) continue;
    for (std::uint64_t flips = 1 + rng.below(4); flips > 0; --flips) {
      bytes[rng.below(bytes.size())] = static_cast<std::uint8_t>(rng.below(256));
    }
    const auto parsed = parse_message(bytes);
    if (!parsed) {
      ++refused;
      continue;
    }
    EXPECT_TRUE(equal(write_message(*parsed).value(), bytes));
  }
  EXPECT_GT(refused, 200U);
}

TEST(Message, UnbalancedSections_AreRefused) {
  EXPECT_EQ(fault_of(hex("02")), ParseFault::bad_value);        // end without start
  EXPECT_EQ(fault_of(hex("01 01 61")), ParseFault::truncated);  // start without end
  EXPECT_EQ(fault_of(hex("01 01 61 02 02")), ParseFault::bad_value);
  EXPECT_EQ(fault_of(hex("01 01 61 02")), ParseFault::none);
}

TEST(Message, ListRules_AreEnforced) {
  EXPECT_EQ(fault_of(hex("04 01 61 06")), ParseFault::none);                   // empty list
  EXPECT_EQ(fault_of(hex("04 01 61")), ParseFault::truncated);                 // never closed
  EXPECT_EQ(fault_of(hex("06")), ParseFault::bad_value);                       // never opened
  EXPECT_EQ(fault_of(hex("05 0001 61")), ParseFault::bad_value);               // item outside
  EXPECT_EQ(fault_of(hex("04 01 61 04 01 62 06 06")), ParseFault::bad_value);  // nested
  EXPECT_EQ(fault_of(hex("04 01 61 03 01 62 0000 06")), ParseFault::bad_value);
  EXPECT_EQ(fault_of(hex("04 01 61 01 01 62 02 06")), ParseFault::bad_value);
  EXPECT_EQ(fault_of(hex("01 01 61 04 01 62 02 06")), ParseFault::bad_value);  // crossing
}

TEST(Message, UnknownElement_IsRefused) {
  EXPECT_EQ(fault_of(hex("00")), ParseFault::bad_value);
  EXPECT_EQ(fault_of(hex("07")), ParseFault::bad_value);
  EXPECT_EQ(fault_of(hex("ff")), ParseFault::bad_value);
}

// "Key names must be unique in the current section": a value and a list are both keys.
TEST(Message, DuplicateKeys_AreRefusedWithinOneSectionOnly) {
  EXPECT_EQ(fault_of(hex("03 01 61 0000 03 01 61 0000")), ParseFault::bad_value);
  EXPECT_EQ(fault_of(hex("03 01 61 0000 04 01 61 06")), ParseFault::bad_value);
  EXPECT_EQ(fault_of(hex("01 01 61 02 01 01 61 02")), ParseFault::bad_value);
  EXPECT_EQ(fault_of(hex("03 01 61 0000 01 01 61 02")), ParseFault::none);
  EXPECT_EQ(fault_of(hex("03 01 61 0000 01 01 62 03 01 61 0000 02")), ParseFault::none);

  Message twice;
  twice.add("a", "1").add("a", List{});
  EXPECT_FALSE(write_message(twice));
}

TEST(Message, EmptyNames_AreAllowed) {
  // get-counters names the global counters "".
  Message message;
  message.section("counters").section("").add("ike-rekey-init", std::uint64_t{3});
  EXPECT_EQ(parse_message(write_message(message).value()).value(), message);
}

TEST(Message, ValueAtAndAboveItsLimit) {
  Message fits;
  fits.add("k", std::string_view{std::string(kValueMax, 'x')});
  EXPECT_EQ(parse_message(write_message(fits).value()).value(), fits);

  Message above;
  above.add("k", std::string_view{std::string(kValueMax + 1, 'x')});
  EXPECT_FALSE(write_message(above));
  Message item;
  item.add("k", List{std::string(kValueMax + 1, 'x')});
  EXPECT_FALSE(write_message(item));
}

TEST(Message, NameAtAndAboveItsLimit) {
  Message fits;
  fits.add(std::string(kNameMax, 'n'), "v");
  EXPECT_EQ(parse_message(write_message(fits).value()).value(), fits);
  Message above;
  above.add(std::string(kNameMax + 1, 'n'), "v");
  EXPECT_FALSE(write_message(above));
}

TEST(Message, DepthAtAndAboveItsLimit) {
  const auto nested = [](std::size_t depth) {
    Message out;
    for (std::size_t i = 0; i < depth; ++i) out = Message{}.add("s", std::move(out));
    return out;
  };
  EXPECT_EQ(parse_message(write_message(nested(kDepthMax)).value()).value(), nested(kDepthMax));
  EXPECT_FALSE(write_message(nested(kDepthMax + 1)));

  Bytes bytes;
  for (std::size_t i = 0; i <= kDepthMax; ++i) append(bytes, hex("01 01 73"));
  for (std::size_t i = 0; i <= kDepthMax; ++i) append(bytes, hex("02"));
  EXPECT_EQ(fault_of(bytes), ParseFault::too_many);
}

TEST(Message, ElementsAtAndAboveTheirLimit) {
  Bytes bytes = hex("04 01 6c");
  for (std::size_t i = 0; i < kElementsMax - 2; ++i) append(bytes, hex("05 0000"));
  Bytes fits = bytes;
  append(fits, hex("06"));
  EXPECT_EQ(fault_of(fits), ParseFault::none);
  append(bytes, hex("05 0000 06"));
  EXPECT_EQ(fault_of(bytes), ParseFault::too_many);

  Message many;
  many.add("l", List(kElementsMax - 1));
  EXPECT_FALSE(write_message(many));
}

TEST(Message, WholeAboveItsLimit_IsRefused) {
  Message large;
  for (int i = 0; i < 9; ++i) {
    large.add("k" + std::to_string(i), std::string_view{std::string(60000, 'x')});
  }
  EXPECT_FALSE(write_message(large));
  EXPECT_EQ(fault_of(Bytes(kPacketMax + 1)), ParseFault::too_many);
}

// Many distinct keys are looked up in a tree: a full packet of them parses in no time.
TEST(Message, FullPacketOfKeys_IsParsed) {
  Message many;
  for (std::uint32_t i = 0; i < 50000; ++i) many.add(std::to_string(i), "");
  EXPECT_EQ(parse_message(write_message(many).value()).value().size(), 50000U);
}

TEST(Message, Lookups_TellKindsApart) {
  Message message;
  message.add("text", "abc")
      .add("n", std::uint64_t{42})
      .add("bad", "4x")
      .add("big", "99999999999999999999");
  message.add_flag("on", true).add_flag("off", false).add("list", List{"a"});
  message.section("sub").add("x", "y");

  EXPECT_EQ(message.text("text"), "abc");
  EXPECT_EQ(message.text("none", "other"), "other");
  EXPECT_EQ(message.number("n"), 42U);
  EXPECT_EQ(message.number("bad"), std::nullopt);
  EXPECT_EQ(message.number("big"), std::nullopt);
  EXPECT_EQ(message.number("none"), std::nullopt);
  EXPECT_TRUE(message.flag("on"));
  EXPECT_FALSE(message.flag("off", true));
  EXPECT_TRUE(message.flag("none", true));
  EXPECT_TRUE(message.flag("text", true));
  EXPECT_EQ(message.list("text"), nullptr);
  ASSERT_NE(message.list("list"), nullptr);
  EXPECT_EQ(message.value("sub"), nullptr);
  ASSERT_NE(message.find("sub"), nullptr);
  EXPECT_EQ(message.find("sub")->text("x"), "y");
}

TEST(Message, Text_EscapesWhatTerminalsWouldObey) {
  Message message;
  message.add("k", std::string_view{"a\x1b[2J\n"});
  message.section("s").add("l", List{"1", "2"});
  EXPECT_EQ(to_text(message), "k = a\\x1b[2J\\x0a\ns {\n  l = [1, 2]\n}\n");
}

}  // namespace
}  // namespace cygnet::vici
