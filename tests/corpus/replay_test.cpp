// Every input that is kept for the fuzzers goes through its target, under any compiler.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "fuzz_target.hpp"

namespace cygnet {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> inputs_of(std::string_view target) {
  std::vector<fs::path> out;
  const fs::path folder = fs::path{CYGNET_SOURCE_DIR} / "fuzz" / "corpus" / target;
  if (!fs::is_directory(folder)) return out;
  for (const fs::directory_entry& entry : fs::directory_iterator{folder}) {
    out.push_back(entry.path());
  }
  std::ranges::sort(out);
  return out;
}

Bytes content(const fs::path& path) {
  std::ifstream file{path, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  return to_bytes(text);
}

class Corpus : public testing::TestWithParam<FuzzTarget> {};

// A target aborts by itself when what must hold does not.
TEST_P(Corpus, EveryInput_HoldsWhatMustHold) {
  set_bugs_fatal(true);
  const std::vector<fs::path> inputs = inputs_of(GetParam().name);
  EXPECT_GE(inputs.size(), 5u) << "put inputs into fuzz/corpus/" << GetParam().name;
  for (const fs::path& input : inputs) {
    SCOPED_TRACE(input.string());
    GetParam().run(content(input));
  }
  GetParam().run({});
}

INSTANTIATE_TEST_SUITE_P(Every, Corpus, testing::ValuesIn(fuzz_targets()),
                         [](const auto& target) { return std::string{target.param.name}; });

// A folder whose target is gone would never be replayed.
TEST(CorpusFolders, EachHasItsTarget) {
  for (const fs::directory_entry& entry :
       fs::directory_iterator{fs::path{CYGNET_SOURCE_DIR} / "fuzz" / "corpus"}) {
    const std::string name = entry.path().filename().string();
    const auto targets = fuzz_targets();
    EXPECT_TRUE(std::ranges::any_of(targets, [&](const auto& one) { return one.name == name; }))
        << name;
  }
}

}  // namespace
}  // namespace cygnet
