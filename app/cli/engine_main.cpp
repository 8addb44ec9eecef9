// `ladimo-engine`: all commands.
#include "program.h"

int main(int argc, char** argv) { return ladimo::cli::run(argc, argv, ladimo::cli::engine_commands()); }
