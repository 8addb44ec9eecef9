// Renders conversations by the chat template of a folder, for a comparison with other programs.
//   ladimo_render_chat FOLDER CONVERSATIONS.json
// CONVERSATIONS.json is a list of JSON objects like the lines of chat data. Prints a JSON list: a text for
// each, or null where it is refused.
#include <iostream>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/json_text.h"
#include "text/chat_template.h"

using namespace ladimo;

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: ladimo_render_chat FOLDER CONVERSATIONS.json\n";
    return 2;
  }
  const ChatTemplate chat{ModelFiles(std::filesystem::path(argv[1]))};
  if (chat.problem()) {
    std::cerr << chat.problem()->message << "\n";
    return 2;
  }
  auto answers = nlohmann::json::array();
  for (const auto& conversation : parse_ordered_json(read_file(argv[2]), argv[2], argv[2])) {
    try {
      answers.push_back(chat.render(conversation_in(conversation)));
    } catch (const Refusal& refusal) {
      std::cerr << refusal.what() << "\n";
      answers.push_back(nullptr);
    }
  }
  std::cout << answers.dump() << "\n";
}
