#include "gguf_fields.h"

#include <cstdint>
#include <cstring>

namespace ladimo::testing {
namespace {

class Walk {
 public:
  explicit Walk(const std::string& content) : content_(content) {}

  std::vector<GgufField> fields() {
    at_ = 4;
    number("version", 4);
    const auto tensors = number("number of tensors", 8), values = number("number of values", 8);
    for (std::uint64_t i = 0; i < values; ++i) {
      const std::string key = text("a key");
      value(number("type of " + key, 4), key);
    }
    for (std::uint64_t i = 0; i < tensors; ++i) tensor();
    return std::move(fields_);
  }

 private:
  std::uint64_t number(const std::string& what, std::size_t bytes) {
    fields_.push_back({what, at_, bytes});
    std::uint64_t value = 0;
    std::memcpy(&value, content_.data() + at_, bytes);
    at_ += bytes;
    return value;
  }

  std::string text(const std::string& what) {
    const auto length = number("length of " + what, 8);
    at_ += length;
    return content_.substr(at_ - length, length);
  }

  void value(std::uint64_t type, const std::string& key) {
    constexpr std::size_t sizes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    constexpr std::uint64_t of_text = 8, of_list = 9;
    if (type == of_text) {
      text(key);
    } else if (type == of_list) {
      const auto entries = number("type in " + key, 4), count = number("count of " + key, 8);
      if (entries != of_text) at_ += count * sizes[entries];
      for (std::uint64_t i = 0; entries == of_text && i < count; ++i) {
        // Vocabularies have thousands of entries, which would leave little damage for the rest.
        if (i > 8) {
          std::uint64_t length = 0;
          std::memcpy(&length, content_.data() + at_, sizeof length);
          at_ += sizeof length + length;
        } else {
          text("an entry of " + key);
        }
      }
    } else if (sizes[type] == 4 || sizes[type] == 8) {
      number(key, sizes[type]);
    } else {
      at_ += sizes[type];
    }
  }

  void tensor() {
    const std::string name = text("a tensor's name");
    const auto dims = number("dimensions of " + name, 4);
    for (std::uint64_t i = 0; i < dims; ++i) number("shape of " + name, 8);
    number("type of " + name, 4);
    number("offset of " + name, 8);
  }

  const std::string& content_;
  std::size_t at_ = 0;
  std::vector<GgufField> fields_;
};

}  // namespace

std::vector<GgufField> gguf_fields(const std::string& content) { return Walk(content).fields(); }

}  // namespace ladimo::testing
