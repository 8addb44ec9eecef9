#include "commands/serve.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json_fields.h"
#include "commands/serve_request.h"
#include "run/event_json.h"

namespace ladimo {
namespace {

constexpr int poll_ms = 100;  // how soon a stop is noticed

struct Request {
  std::int64_t id = 0;
  nlohmann::json body;
  std::atomic<bool> canceled{false};
};

/// Passes the lines of a descriptor to `take` until its end or until `enough` returns true.
void read_lines(int input, const std::function<bool()>& enough,
                const std::function<void(const std::string&)>& take) {
  std::string pending;
  char buffer[4096];
  while (!enough()) {
    pollfd watched{input, POLLIN, 0};
    if (::poll(&watched, 1, poll_ms) <= 0) continue;
    const auto count = ::read(input, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    pending.append(buffer, static_cast<std::size_t>(count));
    std::size_t begin = 0;
    for (auto end = pending.find('\n'); end != std::string::npos; end = pending.find('\n', begin)) {
      take(pending.substr(begin, end - begin));
      begin = end + 1;
    }
    pending.erase(0, begin);
  }
}

class Server {
 public:
  Server(const LoadedModel& model, const std::function<void(const std::string&)>& write)
      : model_(model), write_(write) {}

  void run(int input, const std::atomic<bool>& stop) {
    emit(ReadyEvent{});
    std::thread reader([&] {
      read_lines(
          input, [&] { return stop || write_failed_; }, [this](const std::string& line) { take_line(line); });
      close();
    });
    while (const auto request = next()) answer_request(*request);
    reader.join();
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  void emit(const Event& event, std::optional<std::int64_t> request = {}) {
    const std::lock_guard lock(writing_);
    if (write_failed_) return;
    try {
      write_(to_json_line(event, request));
    } catch (...) {  // nobody reads the answers any more: the thread that reads requests ends serving
      failure_ = std::current_exception();
      write_failed_ = true;
    }
  }

  void emit_error(const Problem& problem, std::optional<std::int64_t> request = {}) {
    emit(ErrorEvent{problem.message, problem.hint, problem.path.string()}, request);
  }

  void emit_canceled(std::int64_t request) { emit(ErrorEvent{"Canceled.", "", "", true}, request); }

  /// Takes a line in the thread that reads: queues a request, or cancels one at once.
  void take_line(const std::string& line) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) return;
    std::optional<std::int64_t> id;
    try {
      auto body = nlohmann::json::parse(line, nullptr, false);
      if (body.is_discarded())
        throw Refusal("A line is not JSON.", "Write one JSON object a line, in UTF-8.");
      const JsonFields fields(body, "request");
      id = fields.integer("id");
      if (fields.text("request") == "cancel") {
        fields.only({"request", "id"});
        return cancel(*id);
      }
      const auto request = std::make_shared<Request>();
      request->id = *id;
      request->body = std::move(body);
      const std::lock_guard lock(mutex_);
      waiting_.push_back(request);
      changed_.notify_one();
    } catch (const std::exception& failure) {
      emit_error(problem_of(failure), id);
    }
  }

  void cancel(std::int64_t id) {
    std::size_t removed = 0;
    {
      const std::lock_guard lock(mutex_);
      if (running_ && running_->id == id) running_->canceled = true;
      removed = std::erase_if(waiting_, [&](const auto& request) { return request->id == id; });
    }
    for (std::size_t i = 0; i < removed; ++i) emit_canceled(id);
  }

  /// The end of the input cancels the requests that are left.
  void close() {
    std::deque<std::shared_ptr<Request>> left;
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
      if (running_) running_->canceled = true;
      left.swap(waiting_);
      changed_.notify_one();
    }
    for (const auto& request : left) emit_canceled(request->id);
  }

  std::shared_ptr<Request> next() {
    std::unique_lock lock(mutex_);
    running_ = nullptr;
    changed_.wait(lock, [&] { return closed_ || !waiting_.empty(); });
    if (waiting_.empty()) return nullptr;
    running_ = waiting_.front();
    waiting_.pop_front();
    return running_;
  }

  void answer_request(const Request& request) {
    const Context context([&](const Event& event) { emit(event, request.id); }, &request.canceled);
    try {
      emit(ResultEvent{answer(model_, request.body, context)
                           .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)},
           request.id);
    } catch (const Interrupted&) {
      emit_canceled(request.id);
    } catch (const std::exception& failure) {
      emit_error(problem_of(failure), request.id);
    }
  }

  const LoadedModel& model_;
  const std::function<void(const std::string&)>& write_;
  std::mutex writing_;
  std::exception_ptr failure_;  // thrown by write_
  std::atomic<bool> write_failed_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Request>> waiting_;
  std::shared_ptr<Request> running_;
  bool closed_ = false;
};

}  // namespace

void serve(const LoadedModel& model, int input, const std::function<void(const std::string&)>& write,
           const std::atomic<bool>& stop) {
  Server(model, write).run(input, stop);
}

}  // namespace ladimo
