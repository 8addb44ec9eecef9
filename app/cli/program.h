// A program of commands: what `ladimo` and its engine have in common.
#pragma once

#include <vector>

#include "commands.h"

namespace ladimo::cli {

struct Offer {
  const char* name;
  const char* description;
  Command (*add)(CLI::App&);
};

/// Parses the line, carries out the command that it names and returns the exit status.
int run(int argc, char** argv, const std::vector<Offer>& offers);

/// Commands that need no model: the program answers them at once.
std::vector<Offer> table_commands();

}  // namespace ladimo::cli
