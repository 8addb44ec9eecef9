#include "ui/engine/serve_client.h"

#include <algorithm>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <QPointer>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "run/event_json.h"
#include "ui/engine/lexicon.h"
#include "ui/engine/line_process.h"

namespace ladimo::ui {
namespace {

using nlohmann::json;

constexpr int none = 0;  // a number that no request has

void add_policy(json& request, const std::optional<Policy>& policy) {
  if (policy) request["policy"] = to_json(*policy);
}

void add_files(json& request, const char* key, const QStringList& files) {
  for (const QString& file : files) request[key].push_back(file.toStdString());
}

QByteArray line_of(const json& object) {
  return QByteArray::fromStdString(object.dump(-1, ' ', false, json::error_handler_t::replace));
}

}  // namespace

struct ServeClient::State {
  State(ServeClient& owner, Engine engine, QString folder)
      : client(owner), model(std::move(folder)), process(std::move(engine)) {
    connect(&process, &LineProcess::line, &client, [this](const QByteArray& line) { read(line); });
    connect(&process, &LineProcess::ended, &client, [this](const Ending& ending) { fail_all(ending); });
  }

  void start();
  int send(json request);
  void read(const QByteArray& line);
  void hear(int request, const ReadyEvent& event);
  void hear(int request, const ErrorEvent& event);
  void hear(int request, const ResultEvent& event);
  template <class Other>
  void hear(int request, const Other& event);
  void warn(const WarningEvent& event);
  auto find(int request) { return std::ranges::find(waiting, request, &Request::id); }
  void cancel(int request);
  void finish(int request, Outcome outcome);
  void fail_all(const Ending& ending);

  struct Request {
    int id;
    QByteArray line;
  };
  ServeClient& client;
  QString model, original;
  LineProcess process;
  int last_request = 0;
  std::vector<Request> waiting;            // in order of arrival; the first is in progress
  std::vector<ErrorEvent> errors;          // errors about the model, before it is loaded
  std::optional<Measurement> measurement;  // what the request in progress measured
  QStringList warnings;                    // warnings during the request in progress
  bool loaded = false;
  bool leaving = false;  // the process was told to stop; new requests need another
};

void ServeClient::State::start() {
  errors.clear();
  QStringList arguments{QStringLiteral("serve"), model};
  if (!original.isEmpty()) arguments << QStringLiteral("--dense") << original;
  process.start(arguments);
  for (const Request& request : waiting) process.write(request.line);
  process.expect_answer(true);
}

int ServeClient::State::send(json request) {
  request["id"] = ++last_request;
  waiting.push_back({last_request, line_of(request)});
  if (!process.running()) {
    start();
  } else if (!leaving) {
    process.write(waiting.back().line);
    process.expect_answer(true);
  }
  return last_request;
}

void ServeClient::State::read(const QByteArray& line) {
  try {
    const EventLine said = parse_event_line({line.constData(), static_cast<std::size_t>(line.size())});
    const auto request = static_cast<int>(said.request.value_or(none));
    std::visit([&](const auto& event) { hear(request, event); }, said.event);
  } catch (const Refusal& refusal) {
    warn({refusal.what(), refusal.hint()});
  }
}

void ServeClient::State::hear(int, const ReadyEvent&) {
  loaded = true;
  emit client.moved_up();
}

void ServeClient::State::hear(int request, const ErrorEvent& event) {
  if (request == none)
    errors.push_back(event);
  else
    finish(request, complaint(event.canceled ? Outcome::Kind::canceled : Outcome::Kind::refused, {event}));
}

void ServeClient::State::hear(int request, const ResultEvent& event) {
  finish(request, {Outcome::Kind::done, {}, {}, QByteArray::fromStdString(event.json)});
}

template <class Other>
void ServeClient::State::hear(int request, const Other& event) {
  if (request == none) return;
  if constexpr (std::is_same_v<Other, StepEvent>) emit client.step(request, event);
  if constexpr (std::is_same_v<Other, ProgressEvent>) emit client.progress(request, event);
  if constexpr (std::is_same_v<Other, TokenEvent>) emit client.token(request, event);
  if constexpr (std::is_same_v<Other, MeasureEvent>) measurement = measurement_of(event);
  if constexpr (std::is_same_v<Other, WarningEvent>) warn(event);
}

void ServeClient::State::warn(const WarningEvent& event) {
  warnings << (QString::fromStdString(event.message) + ' ' + in_window_words(event.hint)).trimmed();
}

/// The engine does not read requests while the model is loading.
void ServeClient::State::cancel(int request) {
  if (find(request) == waiting.end()) return;
  leaving = !loaded && waiting.size() == 1;
  if (leaving)
    process.stop();
  else
    process.write(line_of({{"request", "cancel"}, {"id", request}}));
  if (!loaded) finish(request, {Outcome::Kind::canceled, QObject::tr("Cancelled."), {}, {}});
}

void ServeClient::State::finish(int request, Outcome outcome) {
  const auto found = find(request);
  if (found == waiting.end()) return;
  if (found == waiting.begin()) {
    outcome.warning = std::exchange(warnings, {}).join('\n');
    outcome.measurement = std::exchange(measurement, {});
  }
  waiting.erase(found);
  if (waiting.empty()) process.expect_answer(false);
  const QPointer<ServeClient> alive(&client);
  emit client.finished(request, outcome);
  if (alive && !waiting.empty()) emit client.moved_up();
}

/// However the process ends, all its requests end with it.
void ServeClient::State::fail_all(const Ending& ending) {
  loaded = false;
  if (std::exchange(leaving, false)) {
    if (!waiting.empty()) start();
    return;
  }
  Outcome outcome = outcome_of(ending, errors, {});
  if (outcome.done())
    outcome = {Outcome::Kind::failed, QObject::tr("The engine ended before it answered."), {}, {}};
  const QPointer<ServeClient> alive(&client);
  for (const Request& request : std::vector<Request>(waiting)) {
    finish(request.id, outcome);
    if (!alive) return;
  }
}

ServeClient::ServeClient(Engine engine, QString model, QObject* parent)
    : QObject(parent), state_(std::make_unique<State>(*this, std::move(engine), std::move(model))) {}

ServeClient::~ServeClient() = default;

int ServeClient::generate(const Generation& request) {
  json sides = json::array();
  if (request.dense) sides.push_back("dense");
  if (request.converted) sides.push_back("converted");
  json object = {{"request", "generate"},
                 {"prompt", request.prompt.toStdString()},
                 {"max_tokens", request.max_tokens},
                 {"temperature", request.temperature},
                 {"seed", request.seed},
                 {"sides", sides}};
  add_policy(object, request.policy);
  return state_->send(std::move(object));
}

int ServeClient::evaluate(const Measuring& request) {
  json object = {{"request", "eval"}, {"tokens", request.tokens}};
  add_files(object, "text", request.text);
  add_files(object, "tasks", request.tasks);
  if (request.tasks_only) object["tasks_only"] = true;
  add_policy(object, request.policy);
  return state_->send(std::move(object));
}

int ServeClient::bench(const std::optional<Policy>& policy) {
  json object = {{"request", "bench"}};
  add_policy(object, policy);
  return state_->send(std::move(object));
}

int ServeClient::save_policy(const Policy& policy, const QString& name,
                             const std::optional<Expected>& expected) {
  json object = {{"request", "policy"}};
  add_policy(object, policy);
  if (!name.isEmpty()) object["name"] = name.toStdString();
  if (expected) object["expected"] = to_json(*expected);
  return state_->send(std::move(object));
}

void ServeClient::cancel(int request) { state_->cancel(request); }

void ServeClient::set_original(const QString& folder) { state_->original = folder; }

QStringList ServeClient::original_option() const {
  return state_->original.isEmpty() ? QStringList()
                                    : QStringList{QStringLiteral("--dense"), state_->original};
}

bool ServeClient::busy() const { return !state_->waiting.empty(); }

bool ServeClient::loaded() const { return state_->loaded; }

QString ServeClient::waits_for(int request) const {
  if (!state_->loaded) return tr("The engine is loading the model…");
  const bool first = state_->waiting.empty() || state_->waiting.front().id == request;
  return first ? QString() : tr("Waiting for an earlier request…");
}

}  // namespace ladimo::ui
