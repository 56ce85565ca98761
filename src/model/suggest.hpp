// "Did you mean": the known word nearest to a mistyped one.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace cygnet::model {

/// Words longer than this are not compared: a suggestion is for typing errors.
inline constexpr std::size_t kSuggestWordMax = 64;

/// The candidate that is fewest insertions, deletions, substitutions or swaps of neighbours away
/// from `word`, the first of equals; empty when none is near (a third of the word, at least one).
/// Letter case does not count.
[[nodiscard]] std::string_view nearest_word(std::string_view word,
                                            std::span<const std::string_view> candidates);
/// ", did you mean 'x'?", or nothing when no candidate is near.
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       std::span<const std::string_view> candidates);

}  // namespace cygnet::model
