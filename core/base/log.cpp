#include "base/log.h"

#include <memory>

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "base/error.h"

namespace ladimo {
namespace {

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::quiet:
      return spdlog::level::warn;
    case LogLevel::normal:
      return spdlog::level::info;
    case LogLevel::debug:
      break;
  }
  return spdlog::level::debug;
}

}  // namespace

void start_log(LogLevel level) {
  auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  sink->set_level(level_of(level));
  sink->set_pattern("%^%l%$: %v");
  auto logger = std::make_shared<spdlog::logger>("ladimo", sink);
  // The file keeps what the terminal leaves out.
  logger->set_level(spdlog::level::debug);
  logger->flush_on(spdlog::level::debug);
  spdlog::set_default_logger(std::move(logger));
}

void log_to_file(const std::filesystem::path& path) {
  try {
    auto file = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path.string());
    file->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
    auto& sinks = spdlog::default_logger()->sinks();
    std::erase_if(sinks, [](const spdlog::sink_ptr& sink) {
      return std::dynamic_pointer_cast<spdlog::sinks::basic_file_sink_mt>(sink) != nullptr;
    });
    sinks.push_back(std::move(file));
  } catch (const spdlog::spdlog_ex& failure) {
    throw Error("The log file cannot be opened: " + std::string(failure.what()),
                "Check that the folder exists and that you may write to it.", path);
  }
}

void log_debug(std::string_view message) { spdlog::debug(message); }

}  // namespace ladimo
